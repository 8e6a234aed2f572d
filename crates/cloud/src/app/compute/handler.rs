//! Handlers in guests: what they are told, and what becomes of it.
//!
//! Extensions and Run Command both go this way: settings are encrypted to the
//! machine, the agent is told that there is something new, and the handler's status
//! for exactly these settings is waited for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arm::ResourceId;
use guest::wire::Status;
use serde_json::Value;

use super::agent::{Agent, GONE, Readiness};
use super::outcome::{Patience, Silence};
use super::{power, tenant};
use crate::app::{App, Problem};
use crate::store::Settings;
use crate::weather::GuestAgent;

/// Between two looks at the weather.
const LOOK: Duration = Duration::from_millis(50);

/// A handler as goal states name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handler<'a> {
    /// `publisher.type`.
    pub(super) name: &'a str,
    /// Its version in the guest.
    pub(super) version: &'a str,
}

/// Settings for a handler on a machine that runs; `doing` begins the sentence that
/// refuses one that does not.
pub(super) async fn settings(
    app: &App,
    vm: &ResourceId,
    doing: &str,
    public: Option<Value>,
    protected: &Value,
) -> Result<Settings, Problem> {
    if app.weather().agent == GuestAgent::Absent {
        return Err(Problem::Conflict {
            code: "OperationNotAllowed",
            message: "This operation cannot be performed when extension operations are \
                      disallowed. To allow, please ensure VM Agent is installed on the VM and \
                      the osProfile.allowExtensionOperations property is true."
                .to_owned(),
        });
    }
    power::check_running(app, vm, doing).await?;
    let guest = app
        .store
        .guest(vm)
        .await?
        .ok_or_else(|| Problem::ResourceNotFound { id: vm.clone() })?;
    let protected = tenant::protect(protected, &guest.tenant)?;
    Ok(Settings { public, protected: Some(protected) })
}

/// Gives a handler settings and waits for its status, whatever it says, at most
/// `whole`.
pub(super) async fn tell(
    app: &Arc<App>,
    vm: &ResourceId,
    handler: Handler<'_>,
    settings: &Settings,
    operation: &str,
    whole: Duration,
) -> Result<Status, Problem> {
    let agent = app
        .agent(vm)
        .await?
        .ok_or_else(|| Problem::ResourceNotFound { id: vm.clone() })?;
    let begun = Instant::now();
    // What is told to an agent that is lost reaches it when it is back.
    within_reach(app, &agent, begun, whole).await.map_err(|silence| {
        no_word(&silence, vm.name(), handler.name, &Patience::of(app, whole, false))
    })?;
    let lost = agent.readiness(app.limits.stale) == Readiness::Lost;
    let patience = Patience::of(app, whole, lost);
    let Handler { name, version } = handler;
    let (sequence, incarnation) =
        app.assign(&agent, name, version, Some(settings), operation).await?;
    let outcome = agent.outcome(name, sequence, incarnation, &patience).await;
    // And what it says, or does not say, is not heard while it is lost.
    within_reach(app, &agent, begun, whole)
        .await
        .and(outcome)
        .map_err(|silence| no_word(&silence, vm.name(), name, &patience))
}

/// Waits until the weather has no more lost this agent, until `whole` is over.
async fn within_reach(
    app: &App,
    agent: &Agent,
    begun: Instant,
    whole: Duration,
) -> Result<(), Silence> {
    while app.weather().agent == GuestAgent::Lost {
        if agent.goal() == GONE {
            return Err(Silence::Gone);
        }
        if begun.elapsed() >= whole {
            return Err(Silence::Unfinished);
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// A status's own text.
pub(super) fn message_of(status: &Status) -> String {
    status.formatted_message.as_ref().map(|text| text.message.clone()).unwrap_or_default()
}

/// Why there is no status.
fn no_word(silence: &Silence, vm: &str, handler: &str, patience: &Patience) -> Problem {
    let (code, what) = match silence {
        Silence::NotFetched => (
            "VMAgentStatusCommunicationError",
            format!(
                "the VM agent did not fetch the settings within {} seconds. Look at the \
                 serial console or the boot diagnostics log whether the guest is up and \
                 its agent runs; a restart of the VM starts the agent again",
                patience.pickup.as_secs()
            ),
        ),
        Silence::Lost => (
            "VMAgentStatusCommunicationError",
            "the VM agent took the settings and then stopped reporting status. Restart the \
             VM and try again"
                .to_owned(),
        ),
        Silence::Unfinished => (
            "VMExtensionProvisioningTimeout",
            format!(
                "it did not end within {} seconds. Look at what hangs in the guest through \
                 the serial console, or restart the VM, and try again",
                patience.whole.as_secs()
            ),
        ),
        Silence::Gone => ("ResourceNotFound", "the VM was deleted meanwhile".to_owned()),
    };
    Problem::Guest {
        code,
        message: format!("VM '{vm}' has not reported status for '{handler}': {what}."),
    }
}
