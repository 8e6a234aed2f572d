//! `network vnet`

use clap::{Args, Subcommand};

use super::subnet::Subnet;
use crate::args::noun::{
    Delete, List, Named, NoWait, Noun, Show, Tags, Update, Wait, boolean,
};

/// Virtual networks.
#[derive(Debug, Clone)]
pub(crate) struct VirtualNetwork;

impl Noun for VirtualNetwork {
    const WHAT: &'static str = "virtual network (VNet)";
    const TYPE: &'static str = "Microsoft.Network/virtualNetworks";
    const VERSION: &'static str = "2025-07-01";
}

/// `network vnet`
#[derive(Debug, Subcommand)]
pub(crate) enum Vnet {
    /// Create a virtual network.
    Create(Create),
    /// List virtual networks.
    List(List<VirtualNetwork>),
    /// Get the details of a virtual network.
    Show(Show<VirtualNetwork>),
    /// Update a virtual network.
    Update(Change),
    /// Delete a virtual network.
    Delete(Delete<VirtualNetwork>),
    /// Place the CLI in a waiting state until a condition is met.
    Wait(Wait<VirtualNetwork>),
    /// Manage subnets in an Azure Virtual Network.
    #[command(subcommand)]
    Subnet(Subnet),
}

/// `network vnet create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<VirtualNetwork>,
    /// Location; the group's without it.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    #[command(flatten)]
    pub(crate) options: Options,
    /// Name of a new subnet to create within the VNet.
    #[arg(long, help_heading = "Subnet")]
    pub(crate) subnet_name: Option<String>,
    /// Space-separated list of address prefixes in CIDR format for the new subnet.
    #[arg(long, num_args = 1.., help_heading = "Subnet")]
    pub(crate) subnet_prefixes: Option<Vec<String>>,
    /// Name or ID of a network security group (NSG) of the new subnet.
    #[arg(long, visible_alias = "nsg", help_heading = "Subnet")]
    pub(crate) network_security_group: Option<String>,
    #[command(flatten)]
    pub(crate) tags: Tags,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network vnet update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) update: Update<VirtualNetwork>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What both can set.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Space-separated list of IP address prefixes for the VNet [new VNets: 10.0.0.0/16].
    #[arg(long, num_args = 1..)]
    pub(crate) address_prefixes: Option<Vec<String>>,
    /// Space-separated list of DNS server IP addresses.
    #[arg(long, num_args = 1..)]
    pub(crate) dns_servers: Option<Vec<String>>,
    /// The FlowTimeout value (in minutes) for the Virtual Network.
    #[arg(long)]
    pub(crate) flowtimeout: Option<i64>,
    /// Control whether DDoS protection is enabled.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = boolean)]
    pub(crate) ddos_protection: Option<bool>,
    /// Enable VM protection for all subnets in the VNet.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = boolean)]
    pub(crate) vm_protection: Option<bool>,
}
