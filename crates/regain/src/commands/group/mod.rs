//! `group`: resource groups.

mod create;
mod delete;
mod list;
mod show;

use crate::args::group::Group;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(group: Group, context: &Context) -> Result<Answer, Failure> {
    match group {
        Group::Create(args) => create::run(args, context).await,
        Group::List => list::run(context).await,
        Group::Show(args) => show::run(args, context).await,
        Group::Delete(args) => delete::run(args, context).await,
    }
}
