//! The agent of a machine that exists in name only.
//!
//! It does what a real one does, in process and through the same doors: it fetches
//! the goal, opens the protected settings with the tenant's key, judges them as the
//! guest would, and reports a status. A tag on the machine makes it misbehave, so
//! that clients can be tried: `regain-simulate` = `silent` (it never answers),
//! `hang` (it takes settings and never ends) or `fail` (every handler fails).

use std::sync::Arc;
use std::time::Duration;

use arm::ResourceId;
use guest::settings::{RunCommand, VmAccess};
use guest::wire::{
    AggregateStatus, GuestAgentStatus, GuestOsInfo, HandlerState, HandlerStatus, Plugin,
    RuntimeSettingsStatus, SettingsStatus, Status, StatusBlob, Substatus, Verdict,
};
use machine::Power;
use serde_json::{Value, json};

use super::agent::Agent;
use super::power;
use super::tenant::unprotect;
use crate::app::document::text;
use crate::app::{App, Problem};
use crate::store::now;

const VERSION: &str = "0.1.0-simulated";
/// How often it looks, if no goal changes.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Starts the agent of a machine that was just started. It ends with the machine.
pub(in crate::app) async fn boot(app: &Arc<App>, vm: &ResourceId) -> Result<(), Problem> {
    let Some(agent) = app.agent(vm).await? else { return Ok(()) };
    let app = Arc::downgrade(app);
    tokio::spawn(async move {
        let mut known = String::new();
        let mut done: Vec<HandlerStatus> = Vec::new();
        while let Some(app) = app.upgrade() {
            match live(&app, &agent, &mut known, &mut done).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::debug!(vm = %agent.vm, error = %error.to_arm(), "simulated agent ends");
                    return;
                }
            }
            // The app is let go while waiting, or the server could not stop.
            drop(app);
            agent.wait(&known).for_another(HEARTBEAT).await;
        }
    });
    Ok(())
}

/// One round; false when the machine is off or gone.
async fn live(
    app: &Arc<App>,
    agent: &Agent,
    known: &mut String,
    done: &mut Vec<HandlerStatus>,
) -> Result<bool, Problem> {
    let vm = app.existing(&agent.vm).await?;
    if power::of(app, &agent.vm).await? != Some(Power::Running) {
        return Ok(false);
    }
    let behaviour = text(&vm.document, "/tags/regain-simulate").unwrap_or_default();
    if behaviour == "silent" {
        // It is alive, but the goal never reaches it.
        tokio::time::sleep(HEARTBEAT).await;
        return Ok(true);
    }
    agent.heard();
    let goal = app.goal_state(agent).await?.incarnation;
    if *known != goal {
        *known = goal;
        let config = app.extensions_config(agent).await?;
        done.retain(|status| {
            config.plugins.iter().any(|p| p.name == status.handler_name)
        });
        for plugin in &config.plugins {
            let sequence = plugin.settings.as_ref().map(|settings| settings.sequence);
            let old = done.iter().position(|status| status.handler_name == plugin.name);
            let known = old.and_then(|at| done[at].runtime_settings_status.as_ref());
            if known.map(|status| status.sequence_number) == sequence
                || behaviour == "hang"
            {
                continue;
            }
            tokio::time::sleep(app.limits.simulated_work).await;
            let status = enable(app, agent, plugin, behaviour == "fail").await?;
            old.map(|at| done.remove(at));
            done.push(status);
        }
    }
    app.take_status(agent, blob(agent, done.clone())).await?;
    Ok(true)
}

async fn enable(
    app: &App,
    agent: &Agent,
    plugin: &Plugin,
    fail: bool,
) -> Result<HandlerStatus, Problem> {
    let guest = app.store.guest(&agent.vm).await?;
    let settings = plugin.settings.as_ref();
    let protected =
        match (settings.and_then(|s| s.handler.protected_settings.as_ref()), &guest) {
            (Some(message), Some(guest)) => unprotect(message, &guest.tenant)?,
            _ => Value::Null,
        };
    let public =
        settings.and_then(|s| s.handler.public_settings.clone()).unwrap_or_default();
    let (public, protected) = (
        Some(&public).filter(|v| v.is_object()),
        Some(&protected).filter(|v| v.is_object()),
    );
    let outcome = if fail {
        Err("Enable failed: told to fail by the tag regain-simulate.".to_owned())
    } else if plugin.name.ends_with("RunCommandLinux") {
        RunCommand::parse(public, protected)
            .map(|command| vec![stream("StdOut", &command.script), stream("StdErr", "")])
            .map_err(|error| error.full_text())
    } else {
        VmAccess::parse(public, protected)
            .map(|_| Vec::new())
            .map_err(|error| error.full_text())
    };
    let (status, message, substatus) = match outcome {
        Ok(substatus) => (Verdict::Success, "Enable succeeded.".to_owned(), substatus),
        Err(message) => (Verdict::Error, message, Vec::new()),
    };
    Ok(HandlerStatus {
        handler_version: plugin.version.clone(),
        handler_name: plugin.name.clone(),
        status: HandlerState::Ready,
        code: 0,
        use_exact_version: true,
        formatted_message: None,
        runtime_settings_status: settings.map(|settings| RuntimeSettingsStatus {
            sequence_number: settings.sequence,
            settings_status: SettingsStatus {
                version: json!(1.0),
                timestamp_utc: now(),
                status: Status {
                    name: plugin.name.clone(),
                    operation: "Enable".to_owned(),
                    configuration_applied_time: None,
                    status,
                    code: json!(0),
                    formatted_message: Some(message.as_str().into()),
                    substatus,
                },
            },
        }),
    })
}

fn stream(name: &str, content: &str) -> Substatus {
    Substatus {
        name: name.to_owned(),
        status: Verdict::Success,
        code: json!(0),
        formatted_message: content.into(),
    }
}

fn blob(agent: &Agent, handlers: Vec<HandlerStatus>) -> StatusBlob {
    StatusBlob {
        version: "1.1".to_owned(),
        timestamp_utc: now(),
        aggregate_status: AggregateStatus {
            guest_agent_status: GuestAgentStatus {
                version: VERSION.to_owned(),
                status: "Ready".to_owned(),
                formatted_message: Some("Guest Agent is running".into()),
            },
            handler_aggregate_status: handlers,
            vm_artifacts_aggregate_status: None,
        },
        guest_os_info: GuestOsInfo {
            computer_name: agent.vm.name().to_owned(),
            os_name: "debian".to_owned(),
            os_version: "12".to_owned(),
            version: VERSION.to_owned(),
        },
        supported_features: Vec::new(),
    }
}
