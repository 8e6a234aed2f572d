//! `vm restart`

use super::{redeploy, side_by_side, targets};
use crate::args::vm::Restart;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

/// The version with which az asks for it.
const VERSION: &str = "2022-11-01";

pub(super) async fn run(args: Restart, context: &Context) -> Result<Answer, Failure> {
    // What az does to a VM that does not respond.
    if args.force {
        return redeploy::run(args.power, context).await;
    }
    let vms = targets::read(&args.power.vm)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    let wait = !args.power.no_wait;
    side_by_side::each(context, vms, |vm| {
        targets::act(session.clone(), vm, "restart", VERSION, wait)
    })
    .await
}
