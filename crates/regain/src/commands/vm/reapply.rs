//! `vm reapply`

use super::{side_by_side, targets};
use crate::args::vm::Power;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

/// The version with which az asks for it.
const VERSION: &str = "2022-11-01";

pub(super) async fn run(args: Power, context: &Context) -> Result<Answer, Failure> {
    let vms = targets::read(&args.vm)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    let wait = !args.no_wait;
    side_by_side::each(context, vms, |vm| {
        targets::act(session.clone(), vm, "reapply", VERSION, wait)
    })
    .await
}
