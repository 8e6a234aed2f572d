//! `vm run-command` and `vm boot-diagnostics`: what a VM does and says.

use clap::{Args, Subcommand};

use super::Target;

/// `vm run-command`
#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// Run a script as root and print what it wrote.
    Invoke(Invoke),
    /// List what can be run in a location, or what was run in a VM.
    List(ListCommands),
    /// Show a command of a location or of a VM.
    Show(ShowCommand),
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

/// `vm run-command list`
#[derive(Debug, Args)]
pub(crate) struct ListCommands {
    /// Location.
    #[arg(short, long, required_unless_present = "vm_name")]
    pub(crate) location: Option<String>,
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group", requires = "vm_name")]
    pub(crate) group: Option<String>,
    /// Name of the VM.
    #[arg(long, requires = "group")]
    pub(crate) vm_name: Option<String>,
}

/// `vm run-command show`
#[derive(Debug, Args)]
pub(crate) struct ShowCommand {
    /// Location.
    #[arg(short, long, requires = "command_id", required_unless_present = "vm_name")]
    pub(crate) location: Option<String>,
    /// Its id, as in `RunShellScript`.
    #[arg(long)]
    pub(crate) command_id: Option<String>,
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
    /// Name of the VM.
    #[arg(long, requires_all = ["group", "run_command_name"])]
    pub(crate) vm_name: Option<String>,
    /// Name of the VM's command.
    #[arg(long, visible_alias = "name")]
    pub(crate) run_command_name: Option<String>,
    /// Also what it wrote.
    #[arg(long)]
    pub(crate) instance_view: bool,
}

/// `vm boot-diagnostics`
#[derive(Debug, Subcommand)]
pub(crate) enum BootDiagnostics {
    /// Keep what the VM writes to its serial console.
    Enable(Enable),
    /// Keep it no longer.
    Disable(Target),
    /// Print the serial console's log.
    GetBootLog(Target),
}

/// `vm boot-diagnostics enable`
#[derive(Debug, Args)]
pub(crate) struct Enable {
    #[command(flatten)]
    pub(crate) vm: Target,
    /// Name or blob address of a storage account; a managed one without it.
    #[arg(long)]
    pub(crate) storage: Option<String>,
}
