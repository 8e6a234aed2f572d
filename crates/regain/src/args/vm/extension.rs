//! `vm extension`.

use clap::{Args, Subcommand};

use super::Host;
use crate::args::noun::Conditions;

/// `vm extension`
#[derive(Debug, Subcommand)]
pub(crate) enum Extension {
    /// Install an extension, or give it new settings; on many VMs with --ids.
    Set(SetExtension),
    /// List a VM's extensions.
    List(ListExtensions),
    /// Show an extension.
    Show(ShowExtension),
    /// Remove an extension.
    Delete(DeleteExtension),
    /// Wait until an extension is in a state.
    Wait(WaitExtension),
    /// What can be installed.
    #[command(subcommand)]
    Image(ExtensionImage),
}

/// `vm extension list`
#[derive(Debug, Args)]
pub(crate) struct ListExtensions {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group", required_unless_present = "ids")]
    pub(crate) group: Option<String>,
    /// Name of the VM.
    #[arg(long, required_unless_present = "ids")]
    pub(crate) vm_name: Option<String>,
    /// Resource ids of VMs.
    #[arg(long, num_args = 1.., value_name = "ID", conflicts_with_all = ["group", "vm_name"])]
    pub(crate) ids: Vec<String>,
}

/// One or more extensions.
#[derive(Debug, Args)]
pub(crate) struct NamedExtension {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group", required_unless_present = "ids")]
    pub(crate) group: Option<String>,
    /// Name of the VM.
    #[arg(long, required_unless_present = "ids")]
    pub(crate) vm_name: Option<String>,
    /// Name of the extension.
    #[arg(short, long, required_unless_present = "ids")]
    pub(crate) name: Option<String>,
    /// Resource ids of extensions.
    #[arg(
        long,
        num_args = 1..,
        value_name = "ID",
        conflicts_with_all = ["group", "vm_name", "name"]
    )]
    pub(crate) ids: Vec<String>,
}

/// `vm extension show`
#[derive(Debug, Args)]
pub(crate) struct ShowExtension {
    #[command(flatten)]
    pub(crate) extension: NamedExtension,
    /// Also what the guest reported.
    #[arg(short = 'i', long)]
    pub(crate) instance_view: bool,
}

/// `vm extension delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteExtension {
    #[command(flatten)]
    pub(crate) extension: NamedExtension,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm extension wait`
#[derive(Debug, Args)]
pub(crate) struct WaitExtension {
    #[command(flatten)]
    pub(crate) extension: NamedExtension,
    #[command(flatten)]
    pub(crate) until: Conditions,
}

/// `vm extension set`
#[derive(Debug, Args)]
pub(crate) struct SetExtension {
    #[command(flatten)]
    pub(crate) vm: Host,
    /// Type of the extension, as in `VMAccessForLinux`.
    #[arg(short = 'n', long = "name")]
    pub(crate) kind: String,
    /// Its publisher, as in `Microsoft.OSTCExtensions`.
    #[arg(short, long)]
    pub(crate) publisher: String,
    /// Its version; the latest one without it.
    #[arg(long)]
    pub(crate) version: Option<String>,
    /// Settings: JSON, or a file that holds it.
    #[arg(long)]
    pub(crate) settings: Option<String>,
    /// Settings that only the VM can read: JSON, or a file that holds it.
    #[arg(long)]
    pub(crate) protected_settings: Option<String>,
    /// Name of the resource, if it is not the type.
    #[arg(long)]
    pub(crate) extension_instance_name: Option<String>,
    /// Keep to this very version.
    #[arg(long, visible_alias = "no-auto-upgrade")]
    pub(crate) no_auto_upgrade_minor_version: bool,
    /// Let the platform install newer versions.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) enable_auto_upgrade: Option<bool>,
    /// Run again although nothing changed.
    #[arg(long)]
    pub(crate) force_update: bool,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `vm extension image`
#[derive(Debug, Subcommand)]
pub(crate) enum ExtensionImage {
    /// List extensions and their versions.
    List(ListImages),
}

/// `vm extension image list`
#[derive(Debug, Args)]
pub(crate) struct ListImages {
    /// Location [default: westus, or the subscription's first].
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    /// Publisher, or a part of its name.
    #[arg(short, long)]
    pub(crate) publisher: Option<String>,
    /// Extension, or a part of its name.
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    /// Version, or a part of it.
    #[arg(long)]
    pub(crate) version: Option<String>,
    /// The latest version only.
    #[arg(long)]
    pub(crate) latest: bool,
}
