//! `network vnet subnet`

use clap::{Args, Subcommand};

use super::vnet::VirtualNetwork;
use crate::args::noun::{
    Delete, List, Named, NoWait, Noun, Parent, Show, Update, Wait, boolean,
};

/// Subnets.
#[derive(Debug, Clone)]
pub(crate) struct VirtualSubnet;

impl Noun for VirtualSubnet {
    const WHAT: &'static str = "subnet";
    const TYPE: &'static str = VirtualNetwork::TYPE;
    const VERSION: &'static str = "2024-07-01";
    const PARENT: Option<Parent> = Some(Parent {
        flag: "vnet-name",
        what: VirtualNetwork::WHAT,
        collection: "subnets",
    });
}

/// `network vnet subnet`
#[derive(Debug, Subcommand)]
pub(crate) enum Subnet {
    /// Create a subnet and associate an existing NSG and route table.
    Create(Create),
    /// List the subnets in a virtual network.
    List(List<VirtualSubnet>),
    /// Show details of a subnet.
    Show(Show<VirtualSubnet>),
    /// Update a subnet.
    Update(Change),
    /// Delete a subnet.
    Delete(Delete<VirtualSubnet>),
    /// Place the CLI in a waiting state until a condition is met.
    Wait(Wait<VirtualSubnet>),
}

/// `network vnet subnet create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<VirtualSubnet>,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network vnet subnet update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) update: Update<VirtualSubnet>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What both can set.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Space-separated list of address prefixes in CIDR format.
    #[arg(long, num_args = 1..)]
    pub(crate) address_prefixes: Option<Vec<String>>,
    /// Name or ID of a network security group (NSG). Use null to detach it.
    #[arg(long, visible_alias = "nsg")]
    pub(crate) network_security_group: Option<String>,
    /// Name or ID of a route table to associate with the subnet. Use null to detach it.
    #[arg(long)]
    pub(crate) route_table: Option<String>,
    /// Name or ID of a NAT gateway to attach. Use null to detach it.
    #[arg(long)]
    pub(crate) nat_gateway: Option<String>,
    /// Space-separated list of services to whom the subnet should be delegated.
    #[arg(long, num_args = 1..)]
    pub(crate) delegations: Option<Vec<String>>,
    /// Space-separated list of services allowed private access to this subnet.
    #[arg(long, num_args = 1..)]
    pub(crate) service_endpoints: Option<Vec<String>>,
    /// Set this property to false to disable default outbound connectivity.
    #[arg(
        long, visible_alias = "default-outbound", num_args = 0..=1,
        default_missing_value = "true", value_parser = boolean
    )]
    pub(crate) default_outbound_access: Option<bool>,
    /// Manage network policies for private endpoint [new subnets: Disabled].
    #[arg(
        long, visible_alias = "ple-network-policies", ignore_case = true,
        value_parser = ["Disabled", "Enabled", "NetworkSecurityGroupEnabled", "RouteTableEnabled"]
    )]
    pub(crate) private_endpoint_network_policies: Option<String>,
    /// Manage network policy for private link service [new subnets: Enabled].
    #[arg(
        long, visible_alias = "pls-network-policies", ignore_case = true,
        value_parser = ["Disabled", "Enabled"]
    )]
    pub(crate) private_link_service_network_policies: Option<String>,
}
