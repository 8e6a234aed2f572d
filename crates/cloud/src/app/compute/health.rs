//! Resource Health: whether machines can be reached, since when, and why not.
//!
//! What is seen of a machine (its power, how its last run ended, its agent) is
//! judged together with what was known before: a machine that is off was stopped by
//! somebody only if that was asked for here. Changes are noted by the operations that
//! make them, by every look at a machine's health, and by a round over all machines.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arm::ResourceId;
use machine::{End, MachineId, Power};
use serde_json::{Value, json};

use super::agent::{Agent, Readiness};
use super::health_cause::Cause;
use super::{power, virtual_machine};
use crate::app::child::parent_of;
use crate::app::document::listed;
use crate::app::network::fabric::blocking;
use crate::app::{Answer, App, Call, Page, Problem};
use crate::store::{Resource, key_of, now};

/// `GET …/availabilityStatuses/{status}` of a machine
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let vm = app.existing(&parent_of(&call.id)?).await?;
    // The path has come decoded.
    let asked = call.id.name().replace(':', "%3a");
    statuses(&app, &vm)
        .await?
        .into_iter()
        .find(|one| one["name"].as_str().is_some_and(|n| n.eq_ignore_ascii_case(&asked)))
        .map(Answer::Found)
        .ok_or_else(|| Problem::NotFound {
            message: format!(
                "The availability status '{asked}' of '{}' was not found. 'current' is the one \
                 that there always is.",
                vm.id.name()
            ),
        })
}

/// `GET …/availabilityStatuses` of a machine: how it is, and how it was
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let vm = app.existing(&call.id).await?;
    Ok(Answer::Found(listed(statuses(&app, &vm).await?)))
}

/// `GET …/availabilityStatuses` of all machines in a group or in the subscription
pub(crate) async fn list_all(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let (found, next) = app.page(&call, virtual_machine::KIND).await?;
    let mut items = Vec::with_capacity(found.len());
    for vm in found {
        items.extend(statuses(&app, &vm).await?.into_iter().next());
    }
    Ok(Answer::Listed(Page { items, next }))
}

/// A machine's statuses, the current one first.
async fn statuses(app: &App, vm: &Resource) -> Result<Vec<Value>, Problem> {
    let mut known = history(app, &vm.id).await?;
    let last = known.first().map(|(_, cause)| *cause);
    let cause = current(app, vm, last).await?;
    if last != Some(cause) {
        app.note_health(&vm.id, cause).await?;
        known = history(app, &vm.id).await?;
    }
    let group = vm.id.group().unwrap_or_default();
    let mut all = Vec::with_capacity(known.len());
    for (at, (since, cause)) in known.iter().enumerate() {
        let is_current = at == 0;
        let name = if is_current { "current".to_owned() } else { name_of(since) };
        let mut properties = cause.properties();
        properties.insert("occuredTime".to_owned(), json!(since));
        if is_current {
            properties.insert("reportedTime".to_owned(), json!(now()));
            let actions = cause.actions(group, vm.id.name());
            if !actions.is_empty() {
                properties.insert("recommendedActions".to_owned(), json!(actions));
            }
        }
        let before = known[at + 1..]
            .iter()
            .find(|(_, cause)| !cause.is_passing() && cause.state() != "Unknown");
        if let (Cause::Running, Some((from, before))) = (cause, before)
            && before.is_unplanned()
        {
            let resolved = json!({
                "unavailableOccuredTime": from,
                "resolvedTime": since,
                "unavailableSummary": before.summary(),
            });
            properties.insert("recentlyResolved".to_owned(), resolved);
        }
        all.push(json!({
            "id": format!("{}/providers/Microsoft.ResourceHealth/availabilityStatuses/{name}", vm.id),
            "name": name,
            "type": "Microsoft.ResourceHealth/AvailabilityStatuses",
            "location": vm.document["location"],
            "properties": properties,
        }));
    }
    Ok(all)
}

/// What a machine was and since when, the newest first.
async fn history(app: &App, vm: &ResourceId) -> Result<Vec<(String, Cause)>, Problem> {
    let noted = app.store.health(vm).await?;
    Ok(noted
        .into_iter()
        .filter_map(|one| Some((one.since, Cause::parse(&one.cause)?)))
        .collect())
}

/// A past status is named after its moment, in the characters that a path can have.
fn name_of(since: &str) -> String {
    since.replacen('T', "+", 1).replace(':', "%3a")
}

/// How a machine is: what is being done to it goes before what is seen of it.
async fn current(
    app: &App,
    vm: &Resource,
    known: Option<Cause>,
) -> Result<Cause, Problem> {
    if let Some(cause) = known.filter(|cause| cause.is_passing())
        && !app.store.running_on(&vm.id).await?.is_empty()
    {
        return Ok(cause);
    }
    if virtual_machine::state(&vm.document) == "Creating" {
        return Ok(Cause::Creating);
    }
    seen(app, &vm.id, known).await
}

/// How a machine looks, whatever is being done to it.
async fn seen(
    app: &App,
    vm: &ResourceId,
    known: Option<Cause>,
) -> Result<Cause, Problem> {
    let (Some(power), Some(guest)) =
        (power::of(app, vm).await?, app.store.guest(vm).await?)
    else {
        return Ok(Cause::Creating);
    };
    let sight = Sight { power, deallocated: guest.deallocated, known };
    let agent = app.agent(vm).await?;
    match judge(&sight, agent.as_deref(), app.limits.stale) {
        Some(cause) => Ok(cause),
        None => match guest.machine.parse() {
            Ok(machine) => how_it_ended(app, machine).await,
            Err(_) => Ok(Cause::Stopped),
        },
    }
}

/// What is known of a machine without asking it.
struct Sight {
    power: Power,
    deallocated: bool,
    /// How it was the last time.
    known: Option<Cause>,
}

/// What follows from that; none if the engine has to say how the machine ended.
fn judge(sight: &Sight, agent: Option<&Agent>, stale: Duration) -> Option<Cause> {
    let Sight { power, deallocated, known } = *sight;
    match power {
        Power::Running => {
            let readiness =
                agent.map_or(Readiness::Silent, |agent| agent.readiness(stale));
            Some(match readiness {
                Readiness::Ready => Cause::Running,
                Readiness::Lost => Cause::AgentLost,
                // A server that has just come up has not heard of anybody.
                Readiness::Silent
                    if known == Some(Cause::Running)
                        && agent.is_some_and(|agent| agent.silent_for() < stale) =>
                {
                    Cause::Running
                }
                Readiness::Silent => Cause::AgentSilent,
            })
        }
        Power::Stopped if deallocated => Some(Cause::Deallocated),
        Power::Stopped => match known {
            Some(Cause::Stopped | Cause::Stopping) => Some(Cause::Stopped),
            Some(Cause::ShutDown | Cause::Crashed) => known,
            _ => None,
        },
    }
}

async fn how_it_ended(app: &App, machine: MachineId) -> Result<Cause, Problem> {
    let engine = Arc::clone(&app.engine);
    let ended = blocking("ask how the virtual machine ended", move || {
        match engine.ended(&machine) {
            Err(machine::Error::NotFound(_)) => Ok(None),
            other => other,
        }
    });
    Ok(match ended.await? {
        Some(End::PoweredOff) => Cause::ShutDown,
        Some(End::BrokenOff) => Cause::Crashed,
        None => Cause::Stopped,
    })
}

impl App {
    /// Notes how a machine is from now on.
    pub(super) async fn note_health(
        &self,
        vm: &ResourceId,
        cause: Cause,
    ) -> Result<(), Problem> {
        Ok(self.store.note_health(&key_of(vm), cause.as_str()).await?)
    }

    /// Looks at a machine after an operation, and notes what is seen.
    pub(super) async fn look_at_health(&self, vm: &ResourceId) -> Result<(), Problem> {
        let known = history(self, vm).await?.first().map(|(_, cause)| *cause);
        let cause = seen(self, vm, known).await?;
        self.note_health(vm, cause).await
    }
}

/// Looks at every machine now and then, so that a change is noted although nobody
/// asks. Ends with the app.
pub(crate) async fn watch(app: Weak<App>) {
    let Some(period) = app.upgrade().map(|app| app.limits.health) else { return };
    loop {
        tokio::time::sleep(period).await;
        let Some(app) = app.upgrade() else { return };
        if let Err(problem) = look_at_all(&app).await {
            tracing::warn!(error = %problem.to_arm(), "cannot look at the machines' health");
        }
    }
}

async fn look_at_all(app: &Arc<App>) -> Result<(), Problem> {
    let busy = app.store.busy().await?;
    let mut known = app.store.all_health().await?;
    let machines = app.store.machines().await?;
    let engine = Arc::clone(&app.engine);
    let seen = blocking("look at the virtual machines", move || {
        let power = |(vm, machine, deallocated): (String, String, bool)| {
            let machine: MachineId = machine.parse().ok()?;
            // One that is being made or deleted is left alone.
            let power = engine.power(&machine).ok()?;
            Some((ResourceId::parse(&vm).ok()?, machine, power, deallocated))
        };
        Ok(machines.into_iter().filter_map(power).collect::<Vec<_>>())
    });
    for (vm, machine, power, deallocated) in seen.await? {
        let key = key_of(&vm);
        let known = known.remove(&key).and_then(|name| Cause::parse(&name));
        // One whose first state is not noted yet is being made.
        if busy.contains(&key) && known.is_none_or(Cause::is_passing) {
            continue;
        }
        let agent = app.agent(&vm).await?;
        let sight = Sight { power, deallocated, known };
        let cause = match judge(&sight, agent.as_deref(), app.limits.stale) {
            Some(cause) => cause,
            None => how_it_ended(app, machine).await?,
        };
        if known != Some(cause) {
            app.note_health(&vm, cause).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_stopped_by_somebody_only_if_that_was_asked_for_here() {
        let off = |known, deallocated| {
            let sight = Sight { power: Power::Stopped, deallocated, known };
            judge(&sight, None, Duration::ZERO)
        };
        assert_eq!(off(Some(Cause::Stopped), false), Some(Cause::Stopped));
        assert_eq!(off(Some(Cause::Running), false), None);
        assert_eq!(off(None, false), None);
        assert_eq!(off(Some(Cause::Running), true), Some(Cause::Deallocated));
        assert_eq!(off(Some(Cause::Crashed), false), Some(Cause::Crashed));
    }

    #[test]
    fn a_past_status_has_a_name_that_can_be_in_a_path() {
        assert_eq!(name_of("2026-11-22T15:04:05.006Z"), "2026-11-22+15%3a04%3a05.006Z");
    }
}
