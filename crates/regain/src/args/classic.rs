//! `classic`: the words of the CLI before az, `azure` in its ARM mode.
//!
//! A resource group and a name stand alone or behind their flags, as there.

use clap::{Args, Subcommand, ValueEnum};

/// `classic`
#[derive(Debug, Subcommand)]
pub(crate) enum Classic {
    /// Settings of the classic CLI.
    #[command(subcommand)]
    Config(Config),
    /// Virtual machines.
    #[command(subcommand)]
    Vm(Box<Vm>),
}

/// `classic config`
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Choose the mode; there is only arm.
    Mode {
        /// The mode.
        mode: Mode,
    },
}

/// The classic CLI's modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    Arm,
    Asm,
}

/// `classic vm`
#[derive(Debug, Subcommand)]
pub(crate) enum Vm {
    /// Reset SSH, or an account's password or key.
    ResetAccess(ResetAccess),
    /// List VMs.
    List(List),
    /// Show a VM.
    Show(Named),
    /// Start a stopped VM.
    Start(Named),
    /// Power a VM off.
    Stop(Named),
    /// Restart a VM.
    Restart(Named),
    /// Power a VM off and release its host.
    Deallocate(Named),
    /// Move a VM to another host.
    Redeploy(Named),
    /// Extensions of a VM.
    #[command(subcommand)]
    Extension(Extension),
}

/// One VM.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Name of the resource group, then of the VM.
    #[arg(value_name = "RESOURCE-GROUP] [NAME", num_args = 0..=2)]
    pub(crate) words: Vec<String>,
    /// Name of the resource group.
    #[arg(short = 'g', long)]
    pub(crate) resource_group: Option<String>,
    /// Name of the VM.
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Flags of every classic command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Subscription id; as --subscription.
    #[arg(short = 's', value_name = "ID")]
    pub(crate) subscription_id: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `classic vm list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Name of the resource group; all of them without it.
    pub(crate) group: Option<String>,
    /// Name of the resource group.
    #[arg(short = 'g', long, conflicts_with = "group")]
    pub(crate) resource_group: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `classic vm reset-access`
#[derive(Debug, Args)]
pub(crate) struct ResetAccess {
    #[command(flatten)]
    pub(crate) vm: Named,
    /// The account.
    #[arg(short, long)]
    pub(crate) user_name: Option<String>,
    /// Its new password.
    #[arg(short, long, requires = "user_name")]
    pub(crate) password: Option<String>,
    /// A file that holds its public key.
    #[arg(short = 'M', long, requires = "user_name")]
    pub(crate) ssh_key_file: Option<String>,
    /// When its password ends, as YYYY-MM-DD.
    #[arg(short, long, requires = "user_name")]
    pub(crate) expiration: Option<String>,
    /// Put a stock SSH configuration in place.
    #[arg(short, long)]
    pub(crate) reset_ssh: bool,
    /// Remove this account.
    #[arg(short = 'R', long, value_name = "NAME")]
    pub(crate) remove_user: Option<String>,
    /// Version of the extension; taken and not needed.
    #[arg(short = 'E', long)]
    pub(crate) extension_version: Option<String>,
}

/// `classic vm extension`
#[derive(Debug, Subcommand)]
pub(crate) enum Extension {
    /// Install an extension, give it new settings, or remove it.
    Set(Box<SetExtension>),
    /// List a VM's extensions.
    Get(GetExtensions),
}

/// `classic vm extension get`
#[derive(Debug, Args)]
pub(crate) struct GetExtensions {
    /// Name of the resource group, then of the VM.
    #[arg(value_name = "RESOURCE-GROUP] [VM-NAME", num_args = 0..=2)]
    pub(crate) words: Vec<String>,
    /// Name of the resource group.
    #[arg(short = 'g', long)]
    pub(crate) resource_group: Option<String>,
    /// Name of the VM.
    #[arg(short = 'm', long)]
    pub(crate) vm_name: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// `classic vm extension set`
#[derive(Debug, Args)]
pub(crate) struct SetExtension {
    /// Resource group, VM, extension, publisher, version: in this order.
    #[arg(
        value_name = "RESOURCE-GROUP VM-NAME NAME PUBLISHER-NAME VERSION",
        num_args = 0..=5
    )]
    pub(crate) words: Vec<String>,
    /// Name of the resource group.
    #[arg(short = 'g', long)]
    pub(crate) resource_group: Option<String>,
    /// Name of the VM.
    #[arg(short = 'm', long)]
    pub(crate) vm_name: Option<String>,
    /// Type of the extension.
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    /// Its publisher.
    #[arg(short, long)]
    pub(crate) publisher_name: Option<String>,
    /// Its version.
    #[arg(long)]
    pub(crate) version: Option<String>,
    /// Name of the resource, if it is not the type.
    #[arg(short, long)]
    pub(crate) reference_name: Option<String>,
    /// Settings as JSON.
    #[arg(short = 'i', long, conflicts_with = "public_config_path")]
    pub(crate) public_config: Option<String>,
    /// A file that holds settings.
    #[arg(short = 'c', long)]
    pub(crate) public_config_path: Option<String>,
    /// Settings that only the VM can read, as JSON.
    #[arg(short = 'f', long, conflicts_with = "private_config_path")]
    pub(crate) private_config: Option<String>,
    /// A file that holds settings that only the VM can read.
    #[arg(short = 'e', long)]
    pub(crate) private_config_path: Option<String>,
    /// Remove the extension.
    #[arg(short, long)]
    pub(crate) uninstall: bool,
    /// Do not ask before it is removed.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Take the highest minor version.
    #[arg(short = 'U', long)]
    pub(crate) auto_upgrade_minor_version: bool,
    /// Run again although nothing changed.
    #[arg(long)]
    pub(crate) force_update_tag: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}
