//! `group`: resource groups.

use clap::{Args, Subcommand};

use super::noun::{Conditions, Edits, NoWait, Tags};

/// `group`
#[derive(Debug, Subcommand)]
pub(crate) enum Group {
    /// Create a new resource group.
    Create(Create),
    /// List resource groups.
    List(List),
    /// Gets a resource group.
    Show(Named),
    /// Check if a resource group exists.
    Exists(Named),
    /// Update a resource group.
    Update(Update),
    /// Delete a resource group and everything in it.
    Delete(Delete),
    /// Place the CLI in a waiting state until a condition of the resource group is met.
    Wait(Wait),
}

/// One group.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Name of the resource group.
    #[arg(short, long, visible_alias = "resource-group", visible_short_alias = 'g')]
    pub(crate) name: String,
}

/// `group create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) group: Named,
    /// Location.
    #[arg(short, long)]
    pub(crate) location: String,
    /// The ID of the resource that manages this resource group.
    #[arg(long)]
    pub(crate) managed_by: Option<String>,
    #[command(flatten)]
    pub(crate) tags: Tags,
}

/// `group list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// A single tag in 'key[=value]' format.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) tag: Option<String>,
}

/// `group update`
#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    pub(crate) group: Named,
    #[command(flatten)]
    pub(crate) tags: Tags,
    #[command(flatten)]
    pub(crate) edits: Edits,
}

/// `group delete`
#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) group: Named,
    /// Do not prompt for confirmation.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// The resource types you want to force delete.
    #[arg(long, value_name = "TYPES")]
    pub(crate) force_deletion_types: Option<String>,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `group wait`
#[derive(Debug, Args)]
pub(crate) struct Wait {
    #[command(flatten)]
    pub(crate) group: Named,
    #[command(flatten)]
    pub(crate) until: Conditions,
}
