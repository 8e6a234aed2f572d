//! A step of the cloud: one request, and its opposite in the journal.

use arm::{Client, ResourceId};
use doctor::{PlatformAction, Step};
use serde_json::Value;

use crate::Request;
use crate::apply::{ApplyError, allow_ssh, vm_access};
use crate::collect::{COMPUTE, power};
use crate::journal::{Journal, Undo};

/// Carries out an action; gives the step's number and what there is to say.
pub(crate) async fn run(
    request: &Request,
    step: &Step,
    action: PlatformAction,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let (cloud, vm) =
        request.cloud().map_err(|why| ApplyError::Impossible(why.to_owned()))?;
    match action {
        PlatformAction::StartVm => start(cloud, vm, step, journal).await,
        PlatformAction::RestartVm => {
            let lost = "a restart cannot be taken back";
            act(cloud, vm, "restart", "restart the VM", lost, step, journal).await
        }
        PlatformAction::RedeployVm => {
            let lost = "a redeploy cannot be taken back";
            act(cloud, vm, "redeploy", "redeploy the VM", lost, step, journal).await
        }
        PlatformAction::AllowSsh => allow_ssh::run(request, step, journal).await,
        PlatformAction::ResetSsh => vm_access::reset_ssh(request, step, journal).await,
        PlatformAction::ResetCredentials => {
            vm_access::reset_credentials(request, step, journal).await
        }
    }
}

async fn start(
    cloud: &Client,
    vm: &ResourceId,
    step: &Step,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let document = document(cloud, vm).await?;
    let was = match power(&document) {
        Some(power @ ("stopped" | "deallocated")) => power.to_owned(),
        power => {
            let power = power.unwrap_or("in an unknown state");
            return Err(ApplyError::Impossible(format!(
                "the VM is {power}, not stopped"
            )));
        }
    };
    let number = journal.begin(step, Undo::Power { was })?;
    post(cloud, vm, "start", "start the VM").await?;
    Ok((number, Vec::new()))
}

async fn act(
    cloud: &Client,
    vm: &ResourceId,
    verb: &str,
    what: &'static str,
    lost: &str,
    step: &Step,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let number = journal.begin(step, Undo::Nothing { why: lost.to_owned() })?;
    post(cloud, vm, verb, what).await?;
    Ok((number, Vec::new()))
}

/// POSTs one of the VM's verbs and waits for its end.
pub(crate) async fn post(
    cloud: &Client,
    vm: &ResourceId,
    verb: &str,
    what: &'static str,
) -> Result<(), ApplyError> {
    let path = format!("{vm}/{verb}?api-version={COMPUTE}");
    cloud.post(&path, &Value::Null).await.map(drop).map_err(ApplyError::arm(what))
}

/// The VM's document with its instance view.
pub(crate) async fn document(
    cloud: &Client,
    vm: &ResourceId,
) -> Result<Value, ApplyError> {
    let path = format!("{vm}?$expand=instanceView&api-version={COMPUTE}");
    cloud.get(&path).await.map_err(ApplyError::arm("show the VM"))
}
