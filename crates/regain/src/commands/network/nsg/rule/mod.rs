//! `network nsg rule`: rules of an NSG.

mod create;
mod delete;
mod list;

use crate::args::network::Rule;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(rule: Rule, context: &Context) -> Result<Answer, Failure> {
    match rule {
        Rule::Create(args) => create::run(args, context).await,
        Rule::List(args) => list::run(args, context).await,
        Rule::Delete(args) => delete::run(args, context).await,
    }
}
