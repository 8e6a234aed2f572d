//! `account`: which subscriptions there are, and who is asking.

use clap::{Args, Subcommand};

/// `account`
#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Get the details of a subscription.
    Show(Show),
    /// Get a list of subscriptions for the logged in account.
    List(List),
}

/// `account show`
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Name or ID of subscription.
    #[arg(short, long, visible_short_alias = 's')]
    pub(crate) name: Option<String>,
}

/// `account list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// List all subscriptions, including those that are not 'Enabled'.
    #[arg(long)]
    pub(crate) all: bool,
    /// Retrieve up-to-date subscriptions from server. They always are here.
    #[arg(long)]
    pub(crate) refresh: bool,
}
