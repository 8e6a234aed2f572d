//! `network nsg`: network security groups.

mod create;
mod delete;
mod list;
mod rule;
mod show;

use arm::ResourceId;

use crate::args::network::Nsg;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

pub(super) async fn run(nsg: Nsg, context: &Context) -> Result<Answer, Failure> {
    match nsg {
        Nsg::Create(args) => create::run(args, context).await,
        Nsg::List(args) => list::run(args, context).await,
        Nsg::Show(args) => show::run(args, context).await,
        Nsg::Delete(args) => delete::run(args, context).await,
        Nsg::Rule(args) => rule::run(args, context).await,
    }
}

/// The id of an NSG.
fn id(session: &Session, group: &str, name: &str) -> Result<ResourceId, Failure> {
    session.resource(group, "Microsoft.Network/networkSecurityGroups", name)
}
