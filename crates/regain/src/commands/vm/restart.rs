//! `vm restart`

use super::targets;
use crate::args::vm::Power;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Power, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let vms = targets::of(&args.vm, &session)?;
    // az prints the operation that this verb, alone among its kin, ends with.
    let operations = targets::act(&session, &vms, "restart", !args.no_wait).await?;
    Ok(Answer::of_each(operations))
}
