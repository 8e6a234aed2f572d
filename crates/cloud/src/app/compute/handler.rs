//! Handlers in guests: what they are told, and what becomes of it.
//!
//! Extensions and Run Command both go this way: settings are encrypted to the
//! machine, the agent is told that there is something new, and the handler's status
//! for exactly these settings is waited for.

use std::sync::Arc;
use std::time::Duration;

use arm::ResourceId;
use guest::wire::Status;
use serde_json::Value;

use super::agent::Readiness;
use super::outcome::{Patience, Silence};
use super::{power, tenant};
use crate::app::{App, Problem};
use crate::store::Settings;

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
    let lost = agent.readiness(app.limits.stale) == Readiness::Lost;
    let patience = Patience {
        pickup: if lost { app.limits.pickup_when_lost } else { app.limits.pickup },
        whole,
        stale: app.limits.stale,
    };
    let Handler { name, version } = handler;
    let (sequence, incarnation) =
        app.assign(&agent, name, version, Some(settings), operation).await?;
    agent
        .outcome(name, sequence, incarnation, &patience)
        .await
        .map_err(|silence| no_word(&silence, vm.name(), name, &patience))
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
                 regain-guest runs; a restart of the VM starts the agent again",
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
