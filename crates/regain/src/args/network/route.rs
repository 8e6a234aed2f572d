//! `network route-table route`

use clap::{Args, Subcommand};

use super::route_table::Table;
use crate::args::noun::{
    Delete, List, Named, NoWait, Noun, Parent, Target, Update, Wait,
};

/// Routes of a table.
#[derive(Debug, Clone)]
pub(crate) struct TableRoute;

impl Noun for TableRoute {
    const WHAT: &'static str = "route";
    const TYPE: &'static str = Table::TYPE;
    const VERSION: &'static str = Table::VERSION;
    const PARENT: Option<Parent> = Some(Parent {
        flag: "route-table-name",
        what: Table::WHAT,
        collection: "routes",
    });
}

/// `network route-table route`
#[derive(Debug, Subcommand)]
pub(crate) enum Route {
    /// Create a route in a route table.
    Create(Create),
    /// List routes in a route table.
    List(List<TableRoute>),
    /// Get the details of a route in a route table.
    Show(Target<TableRoute>),
    /// Update a route in a route table.
    Update(Change),
    /// Delete a route from a route table.
    Delete(Delete<TableRoute>),
    /// Place the CLI in a waiting state until a condition is met.
    Wait(Wait<TableRoute>),
}

/// `network route-table route create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<TableRoute>,
    #[command(flatten)]
    pub(crate) hop: Hop,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network route-table route update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) update: Update<TableRoute>,
    #[command(flatten)]
    pub(crate) hop: Hop,
}

/// Where a route leads.
#[derive(Debug, Args)]
pub(crate) struct Hop {
    /// The destination CIDR to which the route applies.
    #[arg(long)]
    pub(crate) address_prefix: Option<String>,
    /// The type of Azure hop the packet should be sent to.
    #[arg(
        long, ignore_case = true, value_parser = [
            "Internet", "None", "VirtualAppliance", "VirtualNetworkGateway", "VnetLocal",
        ]
    )]
    pub(crate) next_hop_type: Option<String>,
    /// The IP address packets should be forwarded to when using the VirtualAppliance hop type.
    #[arg(long)]
    pub(crate) next_hop_ip_address: Option<String>,
}
