//! `vm stop`

use super::{side_by_side, targets};
use crate::api::EXTENSION;
use crate::args::vm::Stop;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Stop, context: &Context) -> Result<Answer, Failure> {
    let vms = targets::read(&args.vm)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    let action = if args.skip_shutdown {
        "powerOff?skipShutdown=true"
    } else {
        "powerOff?skipShutdown=false"
    };
    context.printer.note(
        "WARNING: About to power off the specified VM...\n\
         It will continue to be billed. To deallocate a VM, run: az vm deallocate.",
    );
    let wait = !args.no_wait;
    side_by_side::each(context, vms, |vm| {
        targets::act(session.clone(), vm, action, EXTENSION, wait)
    })
    .await
}
