//! `network`: NSGs and their rules.

use clap::{Args, Subcommand, ValueEnum};

use super::vm::Tags;

/// `network`
#[derive(Debug, Subcommand)]
pub(crate) enum Network {
    /// Network security groups.
    #[command(subcommand)]
    Nsg(Nsg),
}

/// `network nsg`
#[derive(Debug, Subcommand)]
pub(crate) enum Nsg {
    /// Create a network security group.
    Create(Create),
    /// List network security groups.
    List(List),
    /// Show a network security group.
    Show(Named),
    /// Delete a network security group.
    Delete(Named),
    /// Rules of a network security group.
    #[command(subcommand)]
    Rule(Rule),
}

/// One NSG.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: String,
    /// Name of the network security group.
    #[arg(short, long)]
    pub(crate) name: String,
}

/// `network nsg list`
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Name of the resource group; all of them without it.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: Option<String>,
}

/// `network nsg create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) nsg: Named,
    /// Location; the group's without it.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    #[command(flatten)]
    pub(crate) tags: Tags,
}

/// `network nsg rule`
#[derive(Debug, Subcommand)]
pub(crate) enum Rule {
    /// Create or replace a rule.
    Create(CreateRule),
    /// List the rules.
    List(ListRules),
    /// Delete a rule.
    Delete(DeleteRule),
}

/// `network nsg rule list`
#[derive(Debug, Args)]
pub(crate) struct ListRules {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: String,
    /// Name of the network security group.
    #[arg(long)]
    pub(crate) nsg_name: String,
    /// Also the six default rules.
    #[arg(long)]
    pub(crate) include_default: bool,
}

/// `network nsg rule delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteRule {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: String,
    /// Name of the network security group.
    #[arg(long)]
    pub(crate) nsg_name: String,
    /// Name of the rule.
    #[arg(short, long)]
    pub(crate) name: String,
}

/// `network nsg rule create`
#[derive(Debug, Args)]
pub(crate) struct CreateRule {
    /// Name of the resource group.
    #[arg(short = 'g', long = "resource-group")]
    pub(crate) group: String,
    /// Name of the network security group.
    #[arg(long)]
    pub(crate) nsg_name: String,
    /// Name of the rule.
    #[arg(short, long)]
    pub(crate) name: String,
    /// From 100 (first) to 4096 (last).
    #[arg(long)]
    pub(crate) priority: u16,
    /// Allow or deny.
    #[arg(long, value_enum, ignore_case = true, default_value_t = Access::Allow)]
    pub(crate) access: Access,
    /// Direction of the flow.
    #[arg(long, value_enum, ignore_case = true, default_value_t = Direction::Inbound)]
    pub(crate) direction: Direction,
    /// Tcp, Udp, Icmp, Esp, Ah or *.
    #[arg(long, default_value = "*")]
    pub(crate) protocol: String,
    /// Addresses, prefixes or service tags of the source.
    #[arg(long, num_args = 1.., default_value = "*")]
    pub(crate) source_address_prefixes: Vec<String>,
    /// Ports of the source.
    #[arg(long, num_args = 1.., default_value = "*")]
    pub(crate) source_port_ranges: Vec<String>,
    /// Addresses, prefixes or service tags of the destination.
    #[arg(long, num_args = 1.., default_value = "*")]
    pub(crate) destination_address_prefixes: Vec<String>,
    /// Ports of the destination.
    #[arg(long, num_args = 1.., default_value = "80")]
    pub(crate) destination_port_ranges: Vec<String>,
    /// What the rule is for.
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// Do not wait for the end.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// What a rule does with a flow.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Access {
    Allow,
    Deny,
}

/// Which way a flow goes.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Direction {
    Inbound,
    Outbound,
}
