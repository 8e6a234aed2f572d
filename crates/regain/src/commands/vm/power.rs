//! `vm start|stop|restart|deallocate|redeploy|reapply`: one action on each VM, side by
//! side.

use arm::ResourceId;

use super::{side_by_side, targets};
use crate::api::EXTENSION;
use crate::args::vm::{Power, Restart, Stop, Target};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

/// The version with which az asks for what it has always had.
const VERSION: &str = "2022-11-01";

pub(super) async fn start(args: Power, context: &Context) -> Result<Answer, Failure> {
    act(args, "start", VERSION, context).await
}

pub(super) async fn stop(args: Stop, context: &Context) -> Result<Answer, Failure> {
    let action = if args.skip_shutdown {
        "powerOff?skipShutdown=true"
    } else {
        "powerOff?skipShutdown=false"
    };
    let chosen = Chosen::of(&args.vm, context).await?;
    context.printer.note(
        "WARNING: About to power off the specified VM...\n\
         It will continue to be billed. To deallocate a VM, run: az vm deallocate.",
    );
    chosen.act(action, EXTENSION, !args.no_wait, context).await
}

pub(super) async fn restart(args: Restart, context: &Context) -> Result<Answer, Failure> {
    // What az does to a VM that does not respond.
    if args.force {
        return redeploy(args.power, context).await;
    }
    act(args.power, "restart", VERSION, context).await
}

pub(super) async fn deallocate(
    args: Power,
    context: &Context,
) -> Result<Answer, Failure> {
    act(args, "deallocate", "2025-11-01", context).await
}

pub(super) async fn redeploy(args: Power, context: &Context) -> Result<Answer, Failure> {
    act(args, "redeploy", VERSION, context).await
}

pub(super) async fn reapply(args: Power, context: &Context) -> Result<Answer, Failure> {
    act(args, "reapply", VERSION, context).await
}

async fn act(
    args: Power,
    action: &'static str,
    version: &'static str,
    context: &Context,
) -> Result<Answer, Failure> {
    let chosen = Chosen::of(&args.vm, context).await?;
    chosen.act(action, version, !args.no_wait, context).await
}

/// The VMs of a command.
struct Chosen {
    session: Session,
    vms: Vec<ResourceId>,
}

impl Chosen {
    async fn of(vm: &Target, context: &Context) -> Result<Self, Failure> {
        let vms = targets::read(vm)?;
        let session = context.sign_in().await?;
        let vms = vms.of(&session)?;
        Ok(Self { session, vms })
    }

    async fn act(
        self,
        action: &'static str,
        version: &'static str,
        wait: bool,
        context: &Context,
    ) -> Result<Answer, Failure> {
        side_by_side::each(context, self.vms, |vm| {
            targets::act(self.session.clone(), vm, action, version, wait)
        })
        .await
    }
}
