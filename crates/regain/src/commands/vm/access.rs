//! `vm access`: what `vm user` does, in the words that az had for it before.

use super::user;
use crate::args::vm::Access;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(access: Access, context: &Context) -> Result<Answer, Failure> {
    match access {
        Access::SetLinuxUser(args) => user::update::run(args, context).await,
        Access::DeleteLinuxUser(args) => user::delete::run(args, context).await,
        Access::ResetLinuxSsh(args) => user::reset_ssh::run(args, context).await,
    }
}
