//! `vm`: virtual machines.

mod access;
mod create;
mod extension;
mod guest;

pub(crate) use access::{Access, DeleteUser, UpdateUser, User};
pub(crate) use create::{Authentication, Create, NsgRule, PublicIpSku};
pub(crate) use extension::{
    DeleteExtension, Extension, ExtensionImage, ListExtensions, ListImages,
    NamedExtension, SetExtension, ShowExtension, WaitExtension,
};
pub(crate) use guest::{
    BootDiagnostics, Enable, Invoke, ListCommands, RunCommand, ShowCommand,
};

use clap::{Args, Subcommand};

use super::noun::{Conditions, Edits};

/// `vm`
#[derive(Debug, Subcommand)]
pub(crate) enum Vm {
    /// Create a VM with what it needs: network, NSG, public address, NIC.
    Create(Box<Create>),
    /// List VMs.
    List(List),
    /// Show a VM.
    Show(Show),
    /// Show a VM with what its agent reports.
    GetInstanceView(Target),
    /// List the addresses of VMs.
    ListIpAddresses(ListIpAddresses),
    /// List the sizes that a VM can have.
    ListSizes(ListSizes),
    /// Change properties of a VM.
    Update(Update),
    /// Wait until a VM is in a state.
    Wait(WaitVm),
    /// Delete a VM. Its NIC, address and NSG stay, as in Azure.
    Delete(Delete),
    /// Start a stopped VM.
    Start(Power),
    /// Power a VM off; it stays allocated.
    Stop(Stop),
    /// Restart a VM.
    Restart(Restart),
    /// Power a VM off and release its host.
    Deallocate(Power),
    /// Move a VM to another host; its temporary disk is lost.
    Redeploy(Power),
    /// Apply a VM's model to it once more.
    Reapply(Power),
    /// Let packets in to ports of a VM.
    OpenPort(OpenPort),
    /// Accounts and SSH of a VM.
    #[command(subcommand)]
    User(User),
    /// Accounts of a VM, in az's former words.
    #[command(subcommand)]
    Access(Access),
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
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
    /// Name of the VM.
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    /// Resource ids, instead of group and name; `-` reads one per line from stdin.
    #[arg(long, num_args = 1.., value_name = "ID", conflicts_with_all = ["group", "name"])]
    pub(crate) ids: Vec<String>,
}

/// VMs of a command about something in them.
#[derive(Debug, Args)]
pub(crate) struct Host {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
    /// Name of the VM.
    #[arg(long)]
    pub(crate) vm_name: Option<String>,
    /// Resource ids, instead of group and name; `-` reads one per line from stdin.
    #[arg(long, num_args = 1.., value_name = "ID", conflicts_with_all = ["group", "vm_name"])]
    pub(crate) ids: Vec<String>,
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

/// `vm start`, `vm deallocate`, `vm redeploy`, `vm reapply`, `vm user reset-ssh`
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

/// `vm restart`
#[derive(Debug, Args)]
pub(crate) struct Restart {
    #[command(flatten)]
    pub(crate) power: Power,
    /// Restart a VM that does not respond by moving it to another host.
    #[arg(long)]
    pub(crate) force: bool,
}

/// `vm list-ip-addresses`
#[derive(Debug, Args)]
pub(crate) struct ListIpAddresses {
    /// Name of the resource group; all of them without it.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
    /// Name of the VM; all of them without it.
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    /// Resource ids of VMs.
    #[arg(long, num_args = 1.., value_name = "ID", conflicts_with_all = ["group", "name"])]
    pub(crate) ids: Vec<String>,
}

/// `vm list-sizes`
#[derive(Debug, Args)]
pub(crate) struct ListSizes {
    /// Location.
    #[arg(short, long)]
    pub(crate) location: String,
}

/// `vm update`
#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    pub(crate) vm: Target,
    #[command(flatten)]
    pub(crate) edits: Edits,
    /// New size of the VM.
    #[arg(long)]
    pub(crate) size: Option<String>,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm wait`
#[derive(Debug, Args)]
pub(crate) struct WaitVm {
    #[command(flatten)]
    pub(crate) vm: Target,
    #[command(flatten)]
    pub(crate) until: Conditions,
}

/// `vm open-port`
#[derive(Debug, Args)]
pub(crate) struct OpenPort {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// A port, a range, several with commas, or `*` for all of them.
    #[arg(long)]
    pub(crate) port: String,
    /// Priority of the rule, from 100 (asked first) to 4096.
    #[arg(long, default_value_t = 900)]
    pub(crate) priority: u16,
    /// Name of the NSG to make if there is none [default: the VM's name + NSG].
    #[arg(long)]
    pub(crate) nsg_name: Option<String>,
    /// Use the subnet's NSG instead of the NIC's.
    #[arg(long)]
    pub(crate) apply_to_subnet: bool,
}
