//! `group`: resource groups.

use clap::{Args, Subcommand};

use super::noun::Tags;

/// `group`
#[derive(Debug, Subcommand)]
pub(crate) enum Group {
    /// Create a resource group.
    Create(Create),
    /// List resource groups.
    List,
    /// Show a resource group.
    Show(Named),
    /// Delete a resource group and everything in it.
    Delete(Delete),
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
    #[command(flatten)]
    pub(crate) tags: Tags,
}

/// `group delete`
#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) group: Named,
    /// Do not ask for confirmation.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}
