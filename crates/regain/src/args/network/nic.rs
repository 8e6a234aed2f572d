//! `network nic`

use clap::{Args, Subcommand};

use super::ip_config::{Attachments, IpConfig};
use crate::args::noun::{
    Delete, List, Named, NoWait, Noun, Show, Tags, Target, Update, Wait, boolean,
};

/// Network interfaces.
#[derive(Debug, Clone)]
pub(crate) struct NetworkInterface;

impl Noun for NetworkInterface {
    const WHAT: &'static str = "network interface (NIC)";
    const TYPE: &'static str = "Microsoft.Network/networkInterfaces";
    const VERSION: &'static str = "2023-11-01";
}

/// `network nic`
#[derive(Debug, Subcommand)]
pub(crate) enum Nic {
    /// Create a network interface.
    Create(Box<Create>),
    /// List network interfaces.
    List(List<NetworkInterface>),
    /// Get the details of a network interface.
    Show(Show<NetworkInterface>),
    /// Update a network interface.
    Update(Change),
    /// Delete a network interface.
    Delete(Delete<NetworkInterface>),
    /// Place the CLI in a waiting state until a condition is met.
    Wait(Wait<NetworkInterface>),
    /// List all effective network security groups applied to a network interface.
    ListEffectiveNsg(Effective),
    /// Show the effective route table applied to a network interface.
    ShowEffectiveRouteTable(Effective),
    /// Manage IP configurations of a network interface.
    #[command(subcommand)]
    IpConfig(IpConfig),
}

/// `network nic list-effective-nsg`, `network nic show-effective-route-table`
#[derive(Debug, Args)]
pub(crate) struct Effective {
    #[command(flatten)]
    pub(crate) target: Target<NetworkInterface>,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network nic create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<NetworkInterface>,
    /// Location; the group's without it.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    #[command(flatten)]
    pub(crate) options: Options,
    /// Name or ID of an existing subnet. If name specified, please also specify `--vnet-name`.
    #[arg(long, help_heading = "IP configuration")]
    pub(crate) subnet: String,
    #[command(flatten)]
    pub(crate) tags: Tags,
    #[command(flatten)]
    pub(crate) wait: NoWait,
    #[command(flatten)]
    pub(crate) attachments: Attachments,
}

/// `network nic update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) update: Update<NetworkInterface>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// What both can set.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Name or ID of an existing network security group. Use null to detach it.
    #[arg(long)]
    pub(crate) network_security_group: Option<String>,
    /// Whether to enable IP forwarding.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = boolean)]
    pub(crate) ip_forwarding: Option<bool>,
    /// Whether to enable accelerated networking.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = boolean)]
    pub(crate) accelerated_networking: Option<bool>,
    /// Space-separated list of DNS server IP addresses.
    #[arg(long, num_args = 1.., help_heading = "DNS")]
    pub(crate) dns_servers: Option<Vec<String>>,
    /// Name of internal DNS label.
    #[arg(long, help_heading = "DNS")]
    pub(crate) internal_dns_name: Option<String>,
}
