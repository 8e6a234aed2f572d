//! `vm stop`

use super::targets;
use crate::args::vm::Stop;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Stop, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let vms = targets::of(&args.vm, &session)?;
    let action = format!("powerOff?skipShutdown={}", args.skip_shutdown);
    targets::act(&session, &vms, &action, !args.no_wait).await?;
    Ok(Answer::done())
}
