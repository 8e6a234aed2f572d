//! `network nic ip-config`

use clap::{Args, Subcommand};

use super::nic::NetworkInterface;
use crate::args::noun::{Edits, List, Named, NoWait, Noun, Parent, boolean};

const HEADING: &str = "IP configuration";

/// IP configurations of a NIC.
#[derive(Debug, Clone)]
pub(crate) struct IpConfiguration;

impl Noun for IpConfiguration {
    const WHAT: &'static str = "IP configuration";
    const TYPE: &'static str = NetworkInterface::TYPE;
    const VERSION: &'static str = NetworkInterface::VERSION;
    const PARENT: Option<Parent> = Some(Parent {
        flag: "nic-name",
        what: NetworkInterface::WHAT,
        collection: "ipConfigurations",
    });
    const ALIASES: &'static [&'static str] = &["ip-config-name"];
}

/// `network nic ip-config`
#[derive(Debug, Subcommand)]
pub(crate) enum IpConfig {
    /// Create an IP configuration.
    Create(Box<Create>),
    /// List the IP configurations of a NIC.
    List(List<IpConfiguration>),
    /// Show the details of an IP configuration.
    Show(Named<IpConfiguration>),
    /// Update an IP configuration.
    Update(Box<Change>),
    /// Delete an IP configuration.
    Delete(Delete),
    /// Manage inbound NAT rules of an IP configuration.
    #[command(subcommand)]
    InboundNatRule(InboundNatRule),
}

/// `network nic ip-config create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<IpConfiguration>,
    #[command(flatten)]
    pub(crate) wait: NoWait,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// `network nic ip-config update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) named: Named<IpConfiguration>,
    #[command(flatten)]
    pub(crate) edits: Edits,
    #[command(flatten)]
    pub(crate) wait: NoWait,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// `network nic ip-config delete`
#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) named: Named<IpConfiguration>,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// What both can set.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Set to make this configuration the primary one for the NIC.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = boolean)]
    pub(crate) make_primary: Option<bool>,
    /// Name or ID of an existing subnet. If name specified, please also specify `--vnet-name`.
    #[arg(long, help_heading = HEADING)]
    pub(crate) subnet: Option<String>,
    #[command(flatten)]
    pub(crate) attachments: Attachments,
}

/// What an IP configuration hangs on. `nic create` makes one with the same flags.
#[derive(Debug, Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct Attachments {
    /// Name of the virtual network.
    #[arg(long)]
    pub(crate) vnet_name: Option<String>,
    /// Static private IP address to use; "" for a dynamic one.
    #[arg(long)]
    pub(crate) private_ip_address: Option<String>,
    /// Version of private IP address to use [new ones: IPv4].
    #[arg(long, ignore_case = true, value_parser = ["IPv4", "IPv6"])]
    pub(crate) private_ip_address_version: Option<String>,
    /// Name or ID of an existing public IP address. Use null to detach it.
    #[arg(long)]
    pub(crate) public_ip_address: Option<String>,
    /// Space-separated list of application security groups.
    #[arg(long, visible_alias = "asgs", num_args = 1..)]
    pub(crate) application_security_groups: Option<Vec<String>>,
    /// Name of the load balancer.
    #[arg(long, help_heading = "Load balancer")]
    pub(crate) lb_name: Option<String>,
    /// Space-separated list of names or IDs of load balancer address pools.
    #[arg(long, num_args = 1.., help_heading = "Load balancer")]
    pub(crate) lb_address_pools: Option<Vec<String>>,
    /// Space-separated list of names or IDs of load balancer inbound NAT rules.
    #[arg(long, num_args = 1.., help_heading = "Load balancer")]
    pub(crate) lb_inbound_nat_rules: Option<Vec<String>>,
}

/// `network nic ip-config inbound-nat-rule`
#[derive(Debug, Subcommand)]
pub(crate) enum InboundNatRule {
    /// Add an inbound NAT rule to an IP configuration.
    Add(NatRule),
    /// Remove an inbound NAT rule of an IP configuration.
    Remove(NatRule),
}

/// `network nic ip-config inbound-nat-rule add`, `remove`
#[derive(Debug, Args)]
pub(crate) struct NatRule {
    #[command(flatten)]
    pub(crate) named: Named<IpConfiguration>,
    /// Name or ID of an existing inbound NAT rule. If name is used, `--lb-name` must be specified.
    #[arg(long)]
    pub(crate) inbound_nat_rule: String,
    /// Name of the load balancer.
    #[arg(long)]
    pub(crate) lb_name: Option<String>,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}
