//! `network route-table`

use clap::{Args, Subcommand};

use super::route::Route;
use crate::args::noun::{
    Delete, List, Named, NoWait, Noun, Show, Tags, Update, Wait, boolean,
};

/// Route tables.
#[derive(Debug, Clone)]
pub(crate) struct Table;

impl Noun for Table {
    const WHAT: &'static str = "route table";
    const TYPE: &'static str = "Microsoft.Network/routeTables";
    const VERSION: &'static str = "2025-07-01";
}

/// `network route-table`
#[derive(Debug, Subcommand)]
pub(crate) enum RouteTable {
    /// Create a route table.
    Create(Create),
    /// List route tables.
    List(List<Table>),
    /// Get the details of a route table.
    Show(Show<Table>),
    /// Update a route table.
    Update(Change),
    /// Delete a route table.
    Delete(Delete<Table>),
    /// Place the CLI in a waiting state until a condition is met.
    Wait(Wait<Table>),
    /// Manage routes in a route table.
    #[command(subcommand)]
    Route(Route),
}

/// `network route-table create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<Table>,
    /// Location; the group's without it.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network route-table update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) update: Update<Table>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What both can set.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Disable routes learned by BGP.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = boolean)]
    pub(crate) disable_bgp_route_propagation: Option<bool>,
    #[command(flatten)]
    pub(crate) tags: Tags,
}
