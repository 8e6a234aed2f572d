//! `network lb`

use clap::{Args, Subcommand};

use super::nat_rule::NatRule;
use crate::args::noun::{
    Delete, List, Named, NoWait, Noun, Parent, Show, Tags, Target, Update, Wait,
};

/// Load balancers.
#[derive(Debug, Clone)]
pub(crate) struct LoadBalancer;

impl Noun for LoadBalancer {
    const WHAT: &'static str = "load balancer";
    const TYPE: &'static str = "Microsoft.Network/loadBalancers";
    const VERSION: &'static str = "2025-07-01";
}

/// Frontend addresses of a load balancer.
#[derive(Debug, Clone)]
pub(crate) struct Frontend;

impl Noun for Frontend {
    const WHAT: &'static str = "frontend IP configuration";
    const TYPE: &'static str = LoadBalancer::TYPE;
    const VERSION: &'static str = "2025-07-01";
    const PARENT: Option<Parent> = Some(Parent {
        flag: "lb-name",
        what: LoadBalancer::WHAT,
        collection: "frontendIPConfigurations",
    });
}

/// Address pools of a load balancer.
#[derive(Debug, Clone)]
pub(crate) struct Pool;

impl Noun for Pool {
    const WHAT: &'static str = "backend address pool";
    const TYPE: &'static str = LoadBalancer::TYPE;
    const VERSION: &'static str = "2023-04-01";
    const PARENT: Option<Parent> = Some(Parent {
        flag: "lb-name",
        what: LoadBalancer::WHAT,
        collection: "backendAddressPools",
    });
    const ALIASES: &'static [&'static str] = &["address-pool-name"];
}

/// `network lb`
#[derive(Debug, Subcommand)]
pub(crate) enum Lb {
    /// Create a load balancer.
    Create(Box<Create>),
    /// List load balancers.
    List(List<LoadBalancer>),
    /// Get the details of a load balancer.
    Show(Show<LoadBalancer>),
    /// Update a load balancer.
    Update(Change),
    /// Delete a load balancer.
    Delete(Delete<LoadBalancer>),
    /// Place the CLI in a waiting state until a condition is met.
    Wait(Wait<LoadBalancer>),
    /// Manage frontend IP addresses of a load balancer.
    #[command(subcommand)]
    FrontendIp(FrontendIp),
    /// Manage backend address pools of a load balancer.
    #[command(subcommand)]
    AddressPool(AddressPool),
    /// Manage inbound NAT rules of a load balancer.
    #[command(subcommand)]
    InboundNatRule(NatRule),
}

/// `network lb frontend-ip`
#[derive(Debug, Subcommand)]
pub(crate) enum FrontendIp {
    /// List frontend IP addresses.
    List(List<Frontend>),
    /// Show details of a frontend IP address.
    Show(Named<Frontend>),
}

/// `network lb address-pool`
#[derive(Debug, Subcommand)]
pub(crate) enum AddressPool {
    /// List backend address pools.
    List(List<Pool>),
    /// Show details of a backend address pool.
    Show(Target<Pool>),
}

/// `network lb create`
#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named<LoadBalancer>,
    /// Location; the group's without it.
    #[arg(short, long)]
    pub(crate) location: Option<String>,
    /// The name of the backend address pool [default: NAMEbepool].
    #[arg(long)]
    pub(crate) backend_pool_name: Option<String>,
    /// The name of the frontend IP configuration.
    #[arg(long, default_value = "LoadBalancerFrontEnd")]
    pub(crate) frontend_ip_name: String,
    /// Load balancer SKU.
    #[arg(long, ignore_case = true, default_value = "Standard", value_parser = ["Basic", "Gateway", "Standard"])]
    pub(crate) sku: String,
    /// Name or ID of the public IP address; "" for none [default: PublicIPNAME].
    #[arg(long, help_heading = "Public IP address")]
    pub(crate) public_ip_address: Option<String>,
    /// IP allocation method of a new public IP address.
    #[arg(long, ignore_case = true, value_parser = ["Dynamic", "Static"], help_heading = "Public IP address")]
    pub(crate) public_ip_address_allocation: Option<String>,
    /// Globally unique DNS name for a new public IP.
    #[arg(long, help_heading = "Public IP address")]
    pub(crate) public_ip_dns_name: Option<String>,
    /// Static private IP address to use.
    #[arg(long, help_heading = "Subnet")]
    pub(crate) private_ip_address: Option<String>,
    /// The VNet name, when the subnet is given by its name.
    #[arg(long, help_heading = "Subnet")]
    pub(crate) vnet_name: Option<String>,
    /// Name or ID of an existing subnet.
    #[arg(long, help_heading = "Subnet")]
    pub(crate) subnet: Option<String>,
    #[command(flatten)]
    pub(crate) tags: Tags,
    #[command(flatten)]
    pub(crate) wait: NoWait,
}

/// `network lb update`
#[derive(Debug, Args)]
pub(crate) struct Change {
    #[command(flatten)]
    pub(crate) update: Update<LoadBalancer>,
    #[command(flatten)]
    pub(crate) tags: Tags,
}
