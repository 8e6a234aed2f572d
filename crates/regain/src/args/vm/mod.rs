//! `vm`: virtual machines.

use clap::{Args, Subcommand, ValueEnum};

use super::noun::Tags;

/// `vm`
#[derive(Debug, Subcommand)]
pub(crate) enum Vm {
    /// Create a VM with what it needs: network, NSG, public address, NIC.
    Create(Box<Create>),
    /// List VMs.
    List(List),
    /// Show a VM.
    Show(Show),
    /// Delete a VM. Its NIC, address and NSG stay, as in Azure.
    Delete(Delete),
    /// Start a stopped VM.
    Start(Power),
    /// Power a VM off; it stays allocated.
    Stop(Stop),
    /// Restart a VM.
    Restart(Power),
    /// Power a VM off and release its host.
    Deallocate(Power),
    /// Accounts and SSH of a VM.
    #[command(subcommand)]
    User(User),
    /// Run commands in a VM.
    #[command(subcommand)]
    RunCommand(RunCommand),
    /// Boot diagnostics of a VM.
    #[command(subcommand)]
    BootDiagnostics(BootDiagnostics),
    /// Extensions of a VM.
    #[command(subcommand)]
    Extension(Extension),
}

/// One or more VMs.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group", required_unless_present = "ids")]
    pub(crate) group: Option<String>,
    /// Name of the VM.
    #[arg(short, long, required_unless_present = "ids")]
    pub(crate) name: Option<String>,
    /// Resource ids, instead of group and name.
    #[arg(long, num_args = 1.., conflicts_with_all = ["group", "name"])]
    pub(crate) ids: Vec<String>,
}

/// `vm create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: String,
    /// Name of the VM.
    #[arg(short, long)]
    pub(crate) name: String,
    /// Image: an alias, PUBLISHER:OFFER:SKU:VERSION, or a resource id.
    #[arg(long, default_value = "Debian12")]
    pub(crate) image: String,
    /// Location; the group's without it.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    /// Login name of the administrator [default: yours].
    #[arg(long)]
    pub(crate) admin_username: Option<String>,
    /// Password of the administrator.
    #[arg(long)]
    pub(crate) admin_password: Option<String>,
    /// Public keys, or files that hold them.
    #[arg(long, num_args = 1.., value_name = "KEY")]
    pub(crate) ssh_key_values: Vec<String>,
    /// Make a key in ~/.ssh if there is none.
    #[arg(long)]
    pub(crate) generate_ssh_keys: bool,
    /// How the administrator logs in [default: ssh, or password if one is given].
    #[arg(long, value_enum, ignore_case = true)]
    pub(crate) authentication_type: Option<Authentication>,
    /// NSG: a name, a resource id, or "" for none.
    #[arg(long)]
    pub(crate) nsg: Option<String>,
    /// Whether a new NSG lets SSH in.
    #[arg(long, value_enum, ignore_case = true, default_value_t = NsgRule::Ssh)]
    pub(crate) nsg_rule: NsgRule,
    /// Virtual network, made if it does not exist.
    #[arg(long)]
    pub(crate) vnet_name: Option<String>,
    /// Address prefix of a new virtual network.
    #[arg(long, default_value = "10.0.0.0/16")]
    pub(crate) vnet_address_prefix: String,
    /// Subnet of the virtual network.
    #[arg(long)]
    pub(crate) subnet: Option<String>,
    /// Address prefix of a new subnet.
    #[arg(long, default_value = "10.0.0.0/24")]
    pub(crate) subnet_address_prefix: String,
    /// Public address: a name, a resource id, or "" for none.
    #[arg(long)]
    pub(crate) public_ip_address: Option<String>,
    /// Size of the VM.
    #[arg(long, default_value = "Standard_DS1_v2")]
    pub(crate) size: String,
    #[command(flatten)]
    pub(crate) tags: Tags,
    /// Do not wait until the VM is made.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// How an administrator logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Authentication {
    Ssh,
    Password,
    All,
}

/// The rule of a new NSG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum NsgRule {
    Ssh,
    None,
}

/// `vm list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Name of the resource group; all of them without it.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
    /// Also power state and addresses.
    #[arg(short = 'd', long)]
    pub(crate) show_details: bool,
}

/// `vm show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// Also power state and addresses.
    #[arg(short = 'd', long)]
    pub(crate) show_details: bool,
}

/// `vm start`, `vm restart`, `vm deallocate`
#[derive(Debug, Args)]
pub(crate) struct Power {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm stop`
#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// Pull the plug instead of asking the guest to power off.
    #[arg(long)]
    pub(crate) skip_shutdown: bool,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm delete`
#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// Do not ask for confirmation.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm user`
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Put a stock SSH configuration in place and restart the server.
    ResetSsh(Power),
    /// Make an account, or set its password or key.
    Update(UpdateUser),
    /// Remove an account.
    Delete(DeleteUser),
}

/// `vm user update`
#[derive(Debug, Args)]
pub(crate) struct UpdateUser {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// The account.
    #[arg(short, long)]
    pub(crate) username: String,
    /// Its new password.
    #[arg(short, long)]
    pub(crate) password: Option<String>,
    /// A public key, or a file that holds one [default: ~/.ssh/id_rsa.pub].
    #[arg(long, value_name = "KEY")]
    pub(crate) ssh_key_value: Option<String>,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm user delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteUser {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// The account.
    #[arg(short, long)]
    pub(crate) username: String,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm run-command`
#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// Run a script as root and print what it wrote.
    Invoke(Invoke),
}

/// `vm run-command invoke`
#[derive(Debug, Args)]
pub(crate) struct Invoke {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// The kind of script.
    #[arg(long, default_value = "RunShellScript")]
    pub(crate) command_id: String,
    /// Lines of the script; `@FILE` reads them from a file.
    #[arg(long, num_args = 1.., value_name = "LINE")]
    pub(crate) scripts: Vec<String>,
    /// Parameters: NAME=VALUE, or a value alone.
    #[arg(long, num_args = 1.., value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm boot-diagnostics`
#[derive(Debug, Subcommand)]
pub(crate) enum BootDiagnostics {
    /// Print the serial console's log.
    GetBootLog(Target),
}

/// `vm extension`
#[derive(Debug, Subcommand)]
pub(crate) enum Extension {
    /// Install an extension, or give it new settings.
    Set(SetExtension),
    /// List a VM's extensions.
    List(ListExtensions),
    /// Show an extension.
    Show(ShowExtension),
    /// Remove an extension.
    Delete(DeleteExtension),
}

/// `vm extension list`
#[derive(Debug, Args)]
pub(crate) struct ListExtensions {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: String,
    /// Name of the VM.
    #[arg(long)]
    pub(crate) vm_name: String,
}

/// `vm extension show`
#[derive(Debug, Args)]
pub(crate) struct ShowExtension {
    #[command(flatten)]
    pub(crate) vm: ListExtensions,
    /// Name of the extension.
    #[arg(short, long)]
    pub(crate) name: String,
    /// Also what the guest reported.
    #[arg(short = 'i', long)]
    pub(crate) instance_view: bool,
}

/// `vm extension delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteExtension {
    #[command(flatten)]
    pub(crate) vm: ListExtensions,
    /// Name of the extension.
    #[arg(short, long)]
    pub(crate) name: String,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm extension set`
#[derive(Debug, Args)]
pub(crate) struct SetExtension {
    #[command(flatten)]
    pub(crate) vm: ListExtensions,
    /// Type of the extension, as in `VMAccessForLinux`.
    #[arg(short, long)]
    pub(crate) name: String,
    /// Its publisher, as in `Microsoft.OSTCExtensions`.
    #[arg(short, long)]
    pub(crate) publisher: String,
    /// Its version.
    #[arg(long)]
    pub(crate) version: Option<String>,
    /// Settings: JSON, or `@FILE`.
    #[arg(long)]
    pub(crate) settings: Option<String>,
    /// Settings that only the VM can read: JSON, or `@FILE`.
    #[arg(long)]
    pub(crate) protected_settings: Option<String>,
    /// Name of the resource, if it is not the type.
    #[arg(long)]
    pub(crate) extension_instance_name: Option<String>,
    /// Run again although nothing changed.
    #[arg(long)]
    pub(crate) force_update: bool,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}
