//! The instance view: what is, as opposed to what was asked for.

use std::sync::Arc;

use arm::ResourceId;
use guest::wire::{HandlerState, HandlerStatus, Substatus, Verdict};
use machine::Power;
use serde_json::{Value, json};

use super::agent::Readiness;
use super::handler::message_of;
use super::{extension, outcome, power, virtual_machine};
use crate::app::child::parent_of;
use crate::app::document::text;
use crate::app::{Answer, App, Call, Problem};
use crate::store::{Resource, now};
use crate::weather::GuestAgent;

/// What is said of an agent that was not heard of.
const SILENT: (&str, &str, &str, &str) = (
    "ProvisioningState/Unavailable",
    "Warning",
    "Not Ready",
    "VM status blob is found but not yet populated.",
);

/// `GET …/virtualMachines/{vm}/instanceView`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let vm = app.existing(&call.id).await?;
    Ok(Answer::Found(of_machine(&app, &vm).await?))
}

/// A machine's instance view.
pub(super) async fn of_machine(app: &App, vm: &Resource) -> Result<Value, Problem> {
    let (code, display) = power_state(app, vm).await?;
    let state = virtual_machine::state(&vm.document);
    let mut view = json!({
        "statuses": [
            status(
                &format!("ProvisioningState/{}", state.to_ascii_lowercase()),
                if state == "Failed" { "Error" } else { "Info" },
                &provisioning_words(state),
                None,
            ),
            status(code, "Info", display, None),
        ],
        "disks": [{
            "name": vm.document["properties"]["storageProfile"]["osDisk"]["name"],
            "statuses": [
                status("ProvisioningState/succeeded", "Info", "Provisioning succeeded", None),
            ],
        }],
    });
    if vm.document["properties"]["diagnosticsProfile"]["bootDiagnostics"]["enabled"]
        == true
    {
        // Without addresses: `az` then asks for them with a POST of its own.
        view["bootDiagnostics"] = json!({});
    }
    let mut extensions = Vec::new();
    for one in app.store.list(&vm.id, extension::KIND).await? {
        extensions.push(of_extension(app, &one).await?);
    }
    view["extensions"] = Value::Array(extensions);
    let weather = app.weather().agent;
    if code == "PowerState/running" && weather == GuestAgent::Lost {
        view["vmAgent"] = silent_agent();
    } else if code == "PowerState/running" && weather == GuestAgent::There {
        view["vmAgent"] = agent_view(app, &vm.id).await?;
        if let Some(agent) = app.agent(&vm.id).await?
            && let Some(report) = agent.report()
        {
            let guest = &report.blob.guest_os_info;
            view["computerName"] = json!(guest.computer_name);
            view["osName"] = json!(guest.os_name);
            view["osVersion"] = json!(guest.os_version);
        }
    }
    Ok(view)
}

/// An extension's instance view.
pub(super) async fn of_extension(
    app: &App,
    extension: &Resource,
) -> Result<Value, Problem> {
    let handler = extension::handler_name(&extension.document);
    let state =
        text(&extension.document, "/properties/provisioningState").unwrap_or_default();
    let mut view = json!({
        "name": extension.id.name(),
        "type": handler,
        "typeHandlerVersion": extension.document["properties"]["typeHandlerVersion"],
        "statuses": [],
    });
    let agent = app.agent(&parent_of(&extension.id)?).await?;
    let report = agent.and_then(|agent| agent.report());
    let reported =
        report.as_ref().and_then(|report| outcome::find(&report.blob, &handler));
    if let Some(settings) = reported.and_then(|one| one.runtime_settings_status.as_ref())
        && !matches!(state, "Creating" | "Updating")
    {
        let told = &settings.settings_status;
        let (word, level, display) = words(told.status.status);
        let message = message_of(&told.status);
        let mut one =
            status(&format!("ProvisioningState/{word}"), level, display, Some(&message));
        one["time"] = json!(told.timestamp_utc);
        view["statuses"] = json!([one]);
        if !told.status.substatus.is_empty() {
            view["substatuses"] = told.status.substatus.iter().map(substatus).collect();
        }
        return Ok(view);
    }
    let code = format!("ProvisioningState/{}", state.to_ascii_lowercase());
    let level = if state == "Failed" { "Error" } else { "Info" };
    view["statuses"] = json!([status(&code, level, &provisioning_words(state), None)]);
    Ok(view)
}

/// An agent of which nothing is known, because the platform does not hear it.
fn silent_agent() -> Value {
    let (code, level, display, message) = SILENT;
    let mut one = status(code, level, display, Some(message));
    one["time"] = json!(now());
    json!({ "vmAgentVersion": "Unknown", "statuses": [one], "extensionHandlers": [] })
}

async fn agent_view(app: &App, vm: &ResourceId) -> Result<Value, Problem> {
    let agent = app.agent(vm).await?;
    let readiness = agent
        .as_ref()
        .map_or(Readiness::Silent, |agent| agent.readiness(app.limits.stale));
    let report = agent.as_ref().and_then(|agent| agent.report());
    let (code, level, display, message) = match readiness {
        Readiness::Ready => {
            ("ProvisioningState/succeeded", "Info", "Ready", "Guest Agent is running")
        }
        Readiness::Silent => SILENT,
        Readiness::Lost => (
            "ProvisioningState/Unavailable",
            "Warning",
            "Not Ready",
            "VM Agent is unresponsive: it has stopped reporting status.",
        ),
    };
    let mut one = status(code, level, display, Some(message));
    one["time"] = json!(now());
    let version = report.as_ref().map_or("Unknown", |report| {
        report.blob.aggregate_status.guest_agent_status.version.as_str()
    });
    let handlers: Vec<Value> = report
        .iter()
        .flat_map(|report| &report.blob.aggregate_status.handler_aggregate_status)
        .map(handler_view)
        .collect();
    Ok(
        json!({ "vmAgentVersion": version, "statuses": [one], "extensionHandlers": handlers }),
    )
}

fn handler_view(handler: &HandlerStatus) -> Value {
    let (word, level, display) = match handler.status {
        HandlerState::Ready => ("succeeded", "Info", "Ready"),
        HandlerState::Installing => ("transitioning", "Info", "Installing"),
        HandlerState::NotReady => ("failed", "Error", "Not Ready"),
        HandlerState::Unresponsive => ("failed", "Error", "Unresponsive"),
    };
    let message = handler.formatted_message.as_ref().map(|text| text.message.as_str());
    json!({
        "type": handler.handler_name,
        "typeHandlerVersion": handler.handler_version,
        "status": status(&format!("ProvisioningState/{word}"), level, display, message),
    })
}

fn substatus(one: &Substatus) -> Value {
    let (word, level, display) = words(one.status);
    status(
        &format!("ComponentStatus/{}/{word}", one.name),
        level,
        display,
        Some(&one.formatted_message.message),
    )
}

/// A machine's power state: what is being done to it goes before what it is.
async fn power_state(
    app: &App,
    vm: &Resource,
) -> Result<(&'static str, &'static str), Problem> {
    const RUNNING: (&str, &str) = ("PowerState/running", "VM running");
    const STARTING: (&str, &str) = ("PowerState/starting", "VM starting");
    // One that is off only because it is about to be powered on.
    let mut comes_up = virtual_machine::state(&vm.document) == "Creating";
    let vm = &vm.id;
    for name in app.store.running_on(vm).await? {
        match name.as_str() {
            "virtualMachines/start" => return Ok(STARTING),
            "virtualMachines/restart" | "virtualMachines/redeploy" => comes_up = true,
            "virtualMachines/powerOff" => {
                return Ok(("PowerState/stopping", "VM stopping"));
            }
            "virtualMachines/deallocate" => {
                return Ok(("PowerState/deallocating", "VM deallocating"));
            }
            _ => {}
        }
    }
    let deallocated = app.store.guest(vm).await?.is_none_or(|guest| guest.deallocated);
    Ok(match power::of(app, vm).await? {
        Some(Power::Running) => RUNNING,
        Some(Power::Stopped) if comes_up => STARTING,
        Some(Power::Stopped) if !deallocated => ("PowerState/stopped", "VM stopped"),
        Some(Power::Stopped) => ("PowerState/deallocated", "VM deallocated"),
        None => STARTING,
    })
}

fn status(code: &str, level: &str, display: &str, message: Option<&str>) -> Value {
    let mut status = json!({ "code": code, "level": level, "displayStatus": display });
    if let Some(message) = message {
        status["message"] = json!(message);
    }
    status
}

fn words(verdict: Verdict) -> (&'static str, &'static str, &'static str) {
    match verdict {
        Verdict::Success => ("succeeded", "Info", "Provisioning succeeded"),
        Verdict::Warning => ("succeeded", "Warning", "Provisioning succeeded"),
        Verdict::Error => ("failed", "Error", "Provisioning failed"),
        Verdict::Transitioning => ("transitioning", "Info", "Transitioning"),
    }
}

fn provisioning_words(state: &str) -> String {
    match state {
        "Succeeded" => "Provisioning succeeded".to_owned(),
        "Failed" => "Provisioning failed".to_owned(),
        other => other.to_owned(),
    }
}
