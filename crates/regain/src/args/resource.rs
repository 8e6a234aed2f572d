//! `resource`: resources of any kind.

use clap::{Args, Subcommand};

use super::noun::NoWait;

/// `resource`
#[derive(Debug, Subcommand)]
pub(crate) enum Resource {
    /// List resources.
    List(List),
    /// Get the details of a resource.
    Show(Show),
    /// Tag a resource.
    Tag(Tag),
    /// Delete a resource.
    Delete(Delete),
}

/// `resource list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
    /// The resource name.
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    /// The resource type, as in 'Microsoft.Network/virtualNetworks'.
    #[arg(long)]
    pub(crate) resource_type: Option<String>,
    /// Provider namespace, as in 'Microsoft.Network'.
    #[arg(long)]
    pub(crate) namespace: Option<String>,
    /// Location.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    /// A single tag in 'key[=value]' format.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) tag: Option<String>,
}

/// Resources, by ids or by name and type.
#[derive(Debug, Args)]
#[command(next_help_heading = "Resource ID")]
pub(crate) struct Target {
    /// One or more resource IDs (space-delimited), instead of the other flags.
    #[arg(long, num_args = 1..)]
    pub(crate) ids: Vec<String>,
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
    /// The resource name.
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    /// The resource type, as in 'virtualNetworks' or 'Microsoft.Network/virtualNetworks'.
    #[arg(long)]
    pub(crate) resource_type: Option<String>,
    /// Provider namespace, as in 'Microsoft.Network'.
    #[arg(long)]
    pub(crate) namespace: Option<String>,
    /// The parent path, as in 'resA/myA/resB/myB'.
    #[arg(long)]
    pub(crate) parent: Option<String>,
    /// The api version of the resource (omit for the latest stable version).
    #[arg(long)]
    pub(crate) api_version: Option<String>,
    /// Indicate that the latest api-version will be used, preview or not.
    #[arg(short = 'v', long)]
    pub(crate) latest_include_preview: bool,
}

/// `resource show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Also the response as it came.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = super::noun::boolean)]
    pub(crate) include_response_body: Option<bool>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `resource tag`
#[derive(Debug, Args)]
pub(crate) struct Tag {
    /// Space-separated tags: key[=value] [key[=value] ...]. Use "" to clear existing tags.
    #[arg(long, num_args = 0.., required = true, value_name = "KEY=VALUE")]
    pub(crate) tags: Vec<String>,
    /// Add tags without deleting the original ones.
    #[arg(short, long)]
    pub(crate) is_incremental: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `resource delete`
#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) wait: NoWait,
    #[command(flatten)]
    pub(crate) target: Target,
}
