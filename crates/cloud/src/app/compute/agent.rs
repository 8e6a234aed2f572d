//! Guest agents as the platform sees them: what each said last, and whether it is there
//! at all.
//!
//! An agent is whoever calls from a machine's address, Microsoft's own agent too. It
//! fetches its [goal](super::goal) when the goal's number changes, and reports a
//! status, in which [`Agent::outcome`] finds the sequence number that it waits for.
//! What an agent said is kept in the store as well; whether it is there is not.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arm::ResourceId;
use guest::wire::StatusBlob;
use serde_json::json;
use tokio::sync::watch;

use crate::app::document::{items, reference, text};
use crate::app::{App, Problem};
use crate::store::key_of;

/// An agent that waits for goals fetches a new one within this, if it is alive.
const SUSPICION: Duration = Duration::from_secs(2);

/// All agents that were needed so far, by key of their machine.
#[derive(Default)]
pub(crate) struct Agents {
    known: Mutex<HashMap<String, Arc<Agent>>>,
}

/// One machine's agent, as the platform sees it.
pub(crate) struct Agent {
    /// The machine.
    pub(crate) vm: ResourceId,
    /// The goal state's number.
    pub(super) incarnation: watch::Sender<u64>,
    /// The newest goal that the agent has fetched.
    pub(super) fetched: watch::Sender<u64>,
    /// What it said last.
    pub(super) report: watch::Sender<Option<Arc<Report>>>,
    /// When it was last heard of, and when its goal was last changed.
    moments: Mutex<Moments>,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Moments {
    /// Since when it was not expected to be heard of.
    silent: Option<Instant>,
    /// When the agent was last heard of.
    pub(super) contact: Option<Instant>,
    /// When its goal was last changed.
    goal: Option<Instant>,
    /// When it last broke off while it waited for a goal. The kernel does that for
    /// a process that was killed.
    broken_off: Option<Instant>,
    /// Whether it waits for goals, or asks every few seconds.
    waits: bool,
}

/// An agent's wait for its next goal. If it is dropped before its end, the agent
/// has broken off.
pub(crate) struct Wait<'a> {
    agent: &'a Agent,
    known: &'a str,
    ended: bool,
}

impl Wait<'_> {
    /// Waits until there is another goal, at most `patience`.
    pub(crate) async fn for_another(mut self, patience: Duration) {
        let mut goal = self.agent.incarnation.subscribe();
        let changed = goal.wait_for(|number| number.to_string() != self.known);
        // Late or gone: the answer is the goal as it is.
        let _either = tokio::time::timeout(patience, changed).await;
        self.ended = true;
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.agent.moments().broken_off = Some(Instant::now());
        }
    }
}

/// What an agent said.
#[derive(Debug)]
pub(crate) struct Report {
    /// Its status blob.
    pub(crate) blob: StatusBlob,
    /// When; none if an earlier server heard it.
    pub(super) at: Option<Instant>,
}

/// Whether an agent can be spoken to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It reports, and does what it is told.
    Ready,
    /// It was never heard of since the machine started.
    Silent,
    /// It was there once.
    Lost,
}

impl Agent {
    /// An agent that was not heard of yet.
    fn new(vm: ResourceId, goal: u64, report: Option<Arc<Report>>) -> Self {
        Self {
            vm,
            incarnation: watch::Sender::new(goal),
            fetched: watch::Sender::new(0),
            report: watch::Sender::new(report),
            moments: Mutex::new(Moments {
                silent: Some(Instant::now()),
                ..Moments::default()
            }),
        }
    }

    /// A wait for the goal after `known`, which the agent says that it has.
    pub(crate) fn wait<'a>(&'a self, known: &'a str) -> Wait<'a> {
        self.moments().waits = true;
        if let Ok(number) = known.parse() {
            self.has(number);
        }
        Wait { agent: self, known, ended: false }
    }

    /// The goal state's number.
    pub(super) fn goal(&self) -> u64 {
        *self.incarnation.borrow()
    }

    /// Sets a new goal, and wakes up an agent that waits for one.
    pub(super) fn set_goal(&self, number: u64) {
        let changed = self.incarnation.send_if_modified(|goal| {
            let newer = *goal < number;
            *goal = number.max(*goal);
            newer
        });
        // An operation that is taken up again sets the goal that is there.
        if changed {
            self.moments().goal = Some(Instant::now());
        }
    }

    /// Notes that the agent has fetched a goal.
    pub(super) fn has(&self, number: u64) {
        self.fetched.send_if_modified(|fetched| {
            let newer = *fetched < number;
            *fetched = number.max(*fetched);
            newer
        });
    }

    /// Notes that the agent was heard of just now.
    pub(crate) fn heard(&self) {
        self.moments().contact = Some(Instant::now());
    }

    /// Forgets what was heard, because the machine was stopped or replaced.
    pub(super) fn forget(&self) {
        let mut moments = self.moments();
        (moments.contact, moments.silent) = (None, Some(Instant::now()));
        drop(moments);
        self.report.send_modify(|report| {
            if let Some(old) = report.take() {
                *report = Some(Arc::new(Report { blob: old.blob.clone(), at: None }));
            }
        });
    }

    /// The last report, of this start of the machine or of an earlier one.
    pub(crate) fn report(&self) -> Option<Arc<Report>> {
        self.report.borrow().clone()
    }

    /// Whether the agent can be spoken to.
    pub(crate) fn readiness(&self, stale: Duration) -> Readiness {
        let moments = *self.moments();
        let reported =
            self.report.borrow().as_ref().is_some_and(|report| report.at.is_some());
        let Some(contact) = moments.contact.filter(|_| reported) else {
            return Readiness::Silent;
        };
        // An agent that waits is told of a new goal at once: one that lies there
        // says more than a heartbeat that is not due yet.
        let ignored = moments.waits
            && *self.fetched.borrow() < self.goal()
            && moments.goal.is_some_and(|goal| goal.elapsed() > SUSPICION);
        let broken_off = moments.broken_off.is_some_and(|at| at > contact);
        if contact.elapsed() > stale || ignored || broken_off {
            Readiness::Lost
        } else {
            Readiness::Ready
        }
    }

    /// How long a [silent](Readiness::Silent) agent can have been so.
    pub(super) fn silent_for(&self) -> Duration {
        self.moments().silent.map_or(Duration::MAX, |since| since.elapsed())
    }

    /// Waits until the agent has reported since the machine was started.
    pub(super) async fn first_report(&self, patience: Duration) -> bool {
        let mut report = self.report.subscribe();
        let here =
            report.wait_for(|report| report.as_ref().is_some_and(|r| r.at.is_some()));
        matches!(tokio::time::timeout(patience, here).await, Ok(Ok(_)))
    }

    pub(super) fn moments(&self) -> std::sync::MutexGuard<'_, Moments> {
        self.moments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The goal of a machine that was deleted.
pub(super) const GONE: u64 = u64::MAX;

impl Agents {
    /// Forgets a machine that was deleted; whoever waits for it is told.
    pub(super) fn dismiss(&self, vm: &ResourceId) {
        if let Some(agent) = self.known().remove(&key_of(vm)) {
            agent.incarnation.send_replace(GONE);
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Agent>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// The agent of a machine.
    pub(crate) async fn agent(
        &self,
        vm: &ResourceId,
    ) -> Result<Option<Arc<Agent>>, Problem> {
        if let Some(agent) = self.agents.known().get(&key_of(vm)) {
            return Ok(Some(Arc::clone(agent)));
        }
        let Some(guest) = self.store.guest(vm).await? else { return Ok(None) };
        let report = guest
            .report
            .and_then(|report| serde_json::from_value(report).ok())
            .map(|blob| Arc::new(Report { blob, at: None }));
        let mut known = self.agents.known();
        let agent = known.entry(key_of(vm)).or_insert_with(|| {
            Arc::new(Agent::new(vm.clone(), guest.incarnation, report))
        });
        Ok(Some(Arc::clone(agent)))
    }

    /// The agent that calls from `address` in a virtual network (its key).
    pub(crate) async fn agent_at(
        &self,
        vnet: &str,
        address: Ipv4Addr,
    ) -> Result<Option<Arc<Agent>>, Problem> {
        let everything = ResourceId::of_subscription(&self.subscription)
            .map_err(|error| Problem::NotFound { message: error.to_string() })?;
        let address = address.to_string();
        let nics =
            self.store.list(&everything, "microsoft.network/networkinterfaces").await?;
        for nic in nics {
            let here = items(&nic.document, "/properties/ipConfigurations").any(|one| {
                let network = reference(one, "/properties/subnet/id")
                    .ok()
                    .flatten()
                    .and_then(|subnet| subnet.parent());
                text(one, "/properties/privateIPAddress") == Some(address.as_str())
                    && network.is_some_and(|network| key_of(&network) == vnet)
            });
            if here
                && let Some(vm) =
                    reference(&nic.document, "/properties/virtualMachine/id")?
            {
                return self.agent(&vm).await;
            }
        }
        Ok(None)
    }

    /// Takes a status blob. Who waits for an outcome hears of it at once.
    pub(crate) async fn take_status(
        &self,
        agent: &Agent,
        blob: StatusBlob,
    ) -> Result<(), Problem> {
        agent.heard();
        let before = agent.report();
        let same = before.is_some_and(|before| {
            before.at.is_some() && before.blob.aggregate_status == blob.aggregate_status
        });
        let stored = (!same).then(|| json!(blob));
        let at = Some(Instant::now());
        agent.report.send_replace(Some(Arc::new(Report { blob, at })));
        // Heartbeats that say nothing new need not be kept.
        if let Some(stored) = stored {
            self.store.put_report(&agent.vm, &stored).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use guest::wire::{AggregateStatus, GuestAgentStatus, GuestOsInfo};

    use super::*;

    const STALE: Duration = Duration::from_secs(30);

    /// An agent that has reported.
    fn reporting() -> Agent {
        let vm = "/subscriptions/s/resourceGroups/g/providers/A.B/c/d".parse().unwrap();
        let agent = Agent::new(vm, 1, None);
        assert_eq!(agent.readiness(STALE), Readiness::Silent);
        let blob = StatusBlob {
            version: "1.1".to_owned(),
            timestamp_utc: String::new(),
            aggregate_status: AggregateStatus {
                guest_agent_status: GuestAgentStatus {
                    version: String::new(),
                    status: "Ready".to_owned(),
                    formatted_message: None,
                },
                handler_aggregate_status: Vec::new(),
                vm_artifacts_aggregate_status: None,
            },
            guest_os_info: GuestOsInfo::default(),
            supported_features: Vec::new(),
        };
        agent.heard();
        let at = Some(Instant::now());
        agent.report.send_replace(Some(Arc::new(Report { blob, at })));
        agent
    }

    #[test]
    fn an_agent_that_breaks_off_is_lost_until_it_is_heard_of_again() {
        let agent = reporting();
        assert_eq!(agent.readiness(STALE), Readiness::Ready);
        drop(agent.wait("1"));
        assert_eq!(agent.readiness(STALE), Readiness::Lost);
        agent.heard();
        assert_eq!(agent.readiness(STALE), Readiness::Ready);
    }

    #[test]
    fn an_agent_that_is_not_heard_of_grows_stale_and_a_stopped_one_is_forgotten() {
        let agent = reporting();
        assert_eq!(agent.readiness(Duration::ZERO), Readiness::Lost);
        agent.forget();
        assert_eq!(agent.readiness(STALE), Readiness::Silent);
        assert!(agent.report().is_some(), "what it said is still worth showing");
    }

    #[tokio::test]
    async fn a_wait_ends_with_the_next_goal() {
        let agent = reporting();
        let wait = agent.wait("1").for_another(STALE);
        let set = async { agent.set_goal(2) };
        tokio::join!(wait, set);
        assert_eq!((agent.goal(), *agent.fetched.borrow()), (2, 1));
        // One that knows an older goal is answered at once.
        agent.wait("1").for_another(STALE).await;
        assert_eq!(agent.readiness(STALE), Readiness::Ready);
    }
}
