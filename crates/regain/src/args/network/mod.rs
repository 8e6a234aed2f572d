//! `network`: what VMs hang on, and who explains what happens on it.

pub(crate) mod ip_config;
pub(crate) mod load_balancer;
pub(crate) mod nat_rule;
pub(crate) mod nic;
pub(crate) mod nsg;
pub(crate) mod public_ip;
pub(crate) mod route;
pub(crate) mod route_table;
pub(crate) mod rule;
pub(crate) mod subnet;
pub(crate) mod vnet;
pub(crate) mod watcher;

use clap::Subcommand;

/// `network`
#[derive(Debug, Subcommand)]
pub(crate) enum Network {
    /// Manage Azure Network Security Groups (NSGs).
    #[command(subcommand)]
    Nsg(nsg::Nsg),
    /// Manage Azure Virtual Networks.
    #[command(subcommand)]
    Vnet(vnet::Vnet),
    /// Manage network interfaces.
    #[command(subcommand)]
    Nic(nic::Nic),
    /// Manage public IP addresses.
    #[command(subcommand)]
    PublicIp(public_ip::PublicIp),
    /// Manage route tables.
    #[command(subcommand)]
    RouteTable(route_table::RouteTable),
    /// Manage and configure load balancers.
    #[command(subcommand)]
    Lb(load_balancer::Lb),
    /// Manage the Azure Network Watcher.
    #[command(subcommand)]
    Watcher(watcher::Watcher),
}
