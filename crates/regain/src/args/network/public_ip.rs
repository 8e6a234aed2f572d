//! `network public-ip`

use clap::{Args, Subcommand};

use crate::args::noun::{Delete, List, Named, Noun, Show, Tags, Update, Wait};

/// Public IP addresses.
#[derive(Debug, Clone)]
pub(crate) struct PublicIpAddress;

impl Noun for PublicIpAddress {
    const WHAT: &'static str = "public IP address";
    const TYPE: &'static str = "Microsoft.Network/publicIPAddresses";
    const VERSION: &'static str = "2025-09-01";
}

/// `network public-ip`
#[derive(Debug, Subcommand)]
pub(crate) enum PublicIp {
    /// Create a public IP address.
    Create(Create),
    /// List public IP addresses.
    List(List<PublicIpAddress>),
    /// Get the details of a public IP address.
    Show(Show<PublicIpAddress>),
    /// Update a public IP address.
    Update(Change),
    /// Delete a public IP address.
    Delete(Delete<PublicIpAddress>),
    /// Place the CLI in a waiting state until a condition is met.
    Wait(Wait<PublicIpAddress>),
}

/// `network public-ip create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<PublicIpAddress>,
    /// Location; the group's without it.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    #[command(flatten)]
    pub(crate) options: Options,
    /// Space separated list of availability zones for the resource.
    #[arg(short = 'z', long, num_args = 1..)]
    pub(crate) zone: Option<Vec<String>>,
    /// The tier of the public IP address.
    #[arg(long, ignore_case = true, value_parser = ["Global", "Regional"])]
    pub(crate) tier: Option<String>,
    #[command(flatten)]
    pub(crate) tags: Tags,
}

/// `network public-ip update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) update: Update<PublicIpAddress>,
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) tags: Tags,
}

/// What both can set.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// IP address allocation method [new ones: Static, for Basic: Dynamic].
    #[arg(long, ignore_case = true, value_parser = ["Dynamic", "Static"])]
    pub(crate) allocation_method: Option<String>,
    /// Globally unique DNS entry.
    #[arg(long)]
    pub(crate) dns_name: Option<String>,
    /// Idle timeout in minutes [new ones: 4].
    #[arg(long)]
    pub(crate) idle_timeout: Option<i64>,
    /// Reverse FQDN (fully qualified domain name).
    #[arg(long)]
    pub(crate) reverse_fqdn: Option<String>,
    /// Name of a public IP address SKU [new ones: Standard].
    #[arg(long, ignore_case = true, value_parser = ["Basic", "Standard", "StandardV2"])]
    pub(crate) sku: Option<String>,
    /// IP address type.
    #[arg(long, ignore_case = true, value_parser = ["IPv4", "IPv6"])]
    pub(crate) version: Option<String>,
}
