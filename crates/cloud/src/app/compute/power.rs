//! Power: start, restart, stop and deallocate.

use std::sync::Arc;

use arm::ResourceId;
use machine::{Power, Stop};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::health_cause::Cause;
use super::virtual_machine::machine_id;
use super::{machine_life, simulated_agent, virtual_machine};
use crate::app::journal::Job;
use crate::app::network::fabric::blocking;
use crate::app::network::lease;
use crate::app::work::Work;
use crate::app::{Answer, App, Call, Problem};
use crate::store::{key_of, now};

/// What is done to a machine's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Power on.
    Start,
    /// Power off and on again.
    Restart,
    /// Power off.
    PowerOff {
        /// Pull the plug.
        hard: bool,
    },
    /// Power off and give the host's resources back.
    Deallocate,
    /// Move to another host. There is one, so it leaves this one and comes back.
    Redeploy,
    /// Bring what runs in line with the documents.
    Reapply,
}

impl Action {
    /// What a machine's health says while it is done; none if it is not felt.
    fn cause(self) -> Option<Cause> {
        match self {
            Self::Start => Some(Cause::Starting),
            Self::Restart => Some(Cause::Restarting),
            Self::PowerOff { .. } => Some(Cause::Stopping),
            Self::Deallocate => Some(Cause::Deallocating),
            Self::Redeploy => Some(Cause::Redeploying),
            Self::Reapply => None,
        }
    }
}

/// `POST …/virtualMachines/{vm}/start`
pub(crate) async fn start(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    post(app, call, "virtualMachines/start", Action::Start).await
}

/// `POST …/virtualMachines/{vm}/restart`
pub(crate) async fn restart(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    post(app, call, "virtualMachines/restart", Action::Restart).await
}

/// `POST …/virtualMachines/{vm}/powerOff`
pub(crate) async fn power_off(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let hard =
        call.parameter("skipshutdown").is_some_and(|v| v.eq_ignore_ascii_case("true"));
    post(app, call, "virtualMachines/powerOff", Action::PowerOff { hard }).await
}

/// `POST …/virtualMachines/{vm}/deallocate`
pub(crate) async fn deallocate(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    post(app, call, "virtualMachines/deallocate", Action::Deallocate).await
}

/// `POST …/virtualMachines/{vm}/redeploy`
pub(crate) async fn redeploy(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    post(app, call, "virtualMachines/redeploy", Action::Redeploy).await
}

/// `POST …/virtualMachines/{vm}/reapply`
pub(crate) async fn reapply(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    post(app, call, "virtualMachines/reapply", Action::Reapply).await
}

async fn post(
    app: Arc<App>,
    call: Call,
    name: &'static str,
    action: Action,
) -> Result<Answer, Problem> {
    let vm = app.existing(&call.id).await?;
    let turn = app.turn(&key_of(&vm.id)).await?;
    // It may have been deleted, or given up, by the one who had the turn before.
    app.existing(&call.id).await?;
    let work = Work::Power { vm: vm.id.clone(), action };
    let job = Job::new(name, &vm.id, work).holding(turn);
    Ok(app.submit(job).await?.answered())
}

/// Does it, and gives the object that `az vm restart` prints.
pub(in crate::app) async fn perform(
    app: &Arc<App>,
    id: &ResourceId,
    action: Action,
    operation: &str,
) -> Result<Value, Problem> {
    let started = now();
    let done = switch(app, id, action).await;
    // A machine that was stopped is not one that stopped.
    let felt = match (&done, action) {
        (Ok(()), Action::PowerOff { .. }) => app.note_health(id, Cause::Stopped).await,
        (_, Action::Reapply) => Ok(()),
        _ => app.look_at_health(id).await,
    };
    done?;
    felt?;
    Ok(json!({
        "startTime": started,
        "endTime": now(),
        "status": "Succeeded",
        "name": operation,
    }))
}

async fn switch(app: &Arc<App>, id: &ResourceId, action: Action) -> Result<(), Problem> {
    if let Some(cause) = action.cause() {
        app.note_health(id, cause).await?;
    }
    match action {
        Action::Start => switch_on(app, id).await?,
        Action::Restart => {
            switch_off(app, id, Stop::Graceful).await?;
            switch_on(app, id).await?;
        }
        Action::Redeploy => {
            switch_off(app, id, Stop::Hard).await?;
            leave_host(app, id).await?;
            switch_on(app, id).await?;
        }
        Action::PowerOff { hard } => {
            let how = if hard { Stop::Hard } else { Stop::Graceful };
            switch_off(app, id, how).await?;
        }
        Action::Deallocate => {
            switch_off(app, id, Stop::Graceful).await?;
            leave_host(app, id).await?;
            app.store.set_deallocated(id, true).await?;
            app.refresh_around(&app.existing(id).await?).await?;
        }
        Action::Reapply => {
            app.refresh_fabric().await?;
            virtual_machine::settle(app, id).await?;
        }
    }
    Ok(())
}

/// Takes a machine that is off away from its host: its temporary disk is lost, and
/// its dynamic addresses become others.
async fn leave_host(app: &Arc<App>, id: &ResourceId) -> Result<(), Problem> {
    let vm = app.existing(id).await?;
    lease::renew(app, &vm).await?;
    let network = machine_life::attachment(app, &vm).await?;
    let machine = machine_id(&vm.document)?;
    let engine = Arc::clone(&app.engine);
    blocking("move the virtual machine", move || engine.relocate(&machine, &network))
        .await
}

async fn switch_on(app: &Arc<App>, id: &ResourceId) -> Result<(), Problem> {
    let machine = machine_id(&app.existing(id).await?.document)?;
    app.store.set_deallocated(id, false).await?;
    app.refresh_around(&app.existing(id).await?).await?;
    slow_boot(app).await;
    let engine = Arc::clone(&app.engine);
    blocking("boot the virtual machine", move || engine.start(&machine)).await?;
    if app.simulated {
        simulated_agent::boot(app, id).await?;
    }
    Ok(())
}

/// What Azure's machines take longer to come up, spent before the power is on: so long
/// nothing of the guest answers, as while a kernel boots.
pub(super) async fn slow_boot(app: &App) {
    tokio::time::sleep(app.weather().boot).await;
}

async fn switch_off(app: &Arc<App>, id: &ResourceId, how: Stop) -> Result<(), Problem> {
    let machine = machine_id(&app.existing(id).await?.document)?;
    let engine = Arc::clone(&app.engine);
    blocking("stop the virtual machine", move || engine.stop(&machine, how)).await?;
    if let Some(agent) = app.agent(id).await? {
        agent.forget();
    }
    Ok(())
}

/// Whether a machine runs; none if there is no machine.
pub(in crate::app) async fn of(
    app: &App,
    id: &ResourceId,
) -> Result<Option<Power>, Problem> {
    let Some(guest) = app.store.guest(id).await? else { return Ok(None) };
    let Ok(machine) = guest.machine.parse() else { return Ok(None) };
    let engine = Arc::clone(&app.engine);
    blocking("ask for the virtual machine's power", move || {
        match engine.power(&machine) {
            Ok(power) => Ok(Some(power)),
            Err(machine::Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    })
    .await
}

/// Refuses what needs a running machine; `what` begins the sentence.
pub(in crate::app) async fn check_running(
    app: &App,
    id: &ResourceId,
    what: &str,
) -> Result<(), Problem> {
    if of(app, id).await? == Some(Power::Running) {
        return Ok(());
    }
    Err(Problem::Conflict {
        code: "OperationNotAllowed",
        message: format!(
            "{what} when the VM is not running. Start VM '{}' and try again.",
            id.name()
        ),
    })
}
