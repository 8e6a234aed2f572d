//! `network`: NSGs and their rules.

mod nsg;

use crate::args::network::Network;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(network: Network, context: &Context) -> Result<Answer, Failure> {
    match network {
        Network::Nsg(args) => nsg::run(args, context).await,
    }
}
