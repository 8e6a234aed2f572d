//! `ad`: applications that sign in by themselves.

use clap::{Args, Subcommand};

/// `ad`
#[derive(Debug, Subcommand)]
pub(crate) enum Ad {
    /// Manage service principals.
    #[command(subcommand)]
    Sp(Sp),
}

/// `ad sp`
#[derive(Debug, Subcommand)]
pub(crate) enum Sp {
    /// Create an application and its service principal, and give it roles.
    CreateForRbac(CreateForRbac),
}

/// `ad sp create-for-rbac`
#[derive(Debug, Args)]
pub(crate) struct CreateForRbac {
    /// Display name of the application [default: azure-cli- and the time].
    #[arg(short, long, visible_alias = "display-name")]
    pub(crate) name: Option<String>,
    /// Role of the service principal.
    #[arg(long, requires = "scopes")]
    pub(crate) role: Option<String>,
    /// Space-separated list of scopes that the role assignment applies to.
    #[arg(long, num_args = 1.., requires = "role")]
    pub(crate) scopes: Vec<String>,
    /// Number of years for which the password is valid.
    #[arg(long, default_value_t = 1)]
    pub(crate) years: i16,
}
