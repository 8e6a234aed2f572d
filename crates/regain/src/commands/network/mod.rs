//! `network`: what VMs hang on, and who explains what happens on it.

mod ip_config;
mod load_balancer;
mod nat_rule;
mod nic;
mod nsg;
mod public_ip;
mod route;
mod route_table;
mod rule;
mod subnet;
mod vnet;
mod watcher;

use crate::args::network::Network;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(network: Network, context: &Context) -> Result<Answer, Failure> {
    match network {
        Network::Nsg(args) => nsg::run(args, context).await,
        Network::Vnet(args) => vnet::run(args, context).await,
        Network::Nic(args) => nic::run(args, context).await,
        Network::PublicIp(args) => public_ip::run(args, context).await,
        Network::RouteTable(args) => route_table::run(args, context).await,
        Network::Lb(args) => load_balancer::run(args, context).await,
        Network::Watcher(args) => watcher::run(args, context).await,
    }
}
