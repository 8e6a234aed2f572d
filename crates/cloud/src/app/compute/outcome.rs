//! What became of the settings that a guest was given: the outcome that its agent
//! reports, or why there is none.

use std::time::{Duration, Instant};

use guest::wire::{HandlerState, HandlerStatus, Status, StatusBlob, Verdict};
use serde_json::json;

use super::agent::{Agent, GONE, Report};
use crate::app::App;

/// How long to wait for the outcome of a handler's settings.
pub(super) struct Patience {
    /// Until the agent has fetched them.
    pub(super) pickup: Duration,
    /// Until the handler has ended.
    pub(super) whole: Duration,
    /// While nothing at all is heard.
    pub(super) stale: Duration,
}

impl Patience {
    /// With an agent that may be known to be lost, for work that must end in `whole`.
    pub(super) fn of(app: &App, whole: Duration, lost: bool) -> Self {
        let limits = &app.limits;
        let pickup = if lost { limits.pickup_when_lost } else { limits.pickup };
        Self { pickup, whole, stale: limits.stale }
    }
}

/// Why there is no outcome.
pub(super) enum Silence {
    /// The agent did not fetch the settings.
    NotFetched,
    /// It fetched them, and was not heard of again.
    Lost,
    /// It is there, but the handler did not end.
    Unfinished,
    /// The machine was deleted.
    Gone,
}

impl Agent {
    /// Waits for what becomes of a handler's settings.
    pub(super) async fn outcome(
        &self,
        handler: &str,
        sequence: u32,
        incarnation: u64,
        patience: &Patience,
    ) -> Result<Status, Silence> {
        let begun = Instant::now();
        let mut report = self.report.subscribe();
        let mut fetched = self.fetched.subscribe();
        let mut seen: Option<Instant> = None;
        loop {
            let now = Instant::now();
            if *fetched.borrow_and_update() >= incarnation {
                seen.get_or_insert(now);
            }
            let latest = report.borrow_and_update().clone();
            match latest.and_then(|report| verdict(&report, handler, sequence, seen)) {
                Some(status) if status.status != Verdict::Transitioning => {
                    return Ok(status);
                }
                Some(_) => {
                    seen.get_or_insert(now);
                }
                None => {}
            }
            let contact = self.moments().contact;
            let next = match seen {
                None if begun.elapsed() >= patience.pickup => {
                    return Err(Silence::NotFetched);
                }
                None => patience.pickup.saturating_sub(begun.elapsed()),
                Some(_) if begun.elapsed() >= patience.whole => {
                    return Err(Silence::Unfinished);
                }
                // After a restart of this server nothing was heard yet.
                Some(_) if contact.unwrap_or(begun).elapsed() > patience.stale => {
                    return Err(Silence::Lost);
                }
                Some(_) => patience.whole.saturating_sub(begun.elapsed()),
            };
            // Silence makes no event, so it is looked for every second.
            let next = next.min(Duration::from_secs(1));
            tokio::select! {
                changed = report.changed() => if changed.is_err() { return Err(Silence::Gone) },
                changed = fetched.changed() => if changed.is_err() { return Err(Silence::Gone) },
                () = tokio::time::sleep(next) => {
                    if self.goal() == GONE {
                        return Err(Silence::Gone);
                    }
                }
            }
        }
    }
}

/// What a report says about one sequence number of a handler. A handler that
/// cannot run at all has no status; that counts once it has seen the settings.
fn verdict(
    report: &Report,
    handler: &str,
    sequence: u32,
    seen: Option<Instant>,
) -> Option<Status> {
    let status = find(&report.blob, handler)?;
    if let Some(settings) = &status.runtime_settings_status
        && settings.sequence_number == sequence
    {
        return Some(settings.settings_status.status.clone());
    }
    let after = report.at.zip(seen).is_some_and(|(at, seen)| at > seen);
    (status.status == HandlerState::NotReady && after).then(|| Status {
        name: handler.to_owned(),
        operation: "Enable".to_owned(),
        configuration_applied_time: None,
        status: Verdict::Error,
        code: json!(status.code),
        formatted_message: status.formatted_message.clone(),
        substatus: Vec::new(),
    })
}

/// A handler's part of a status blob.
pub(super) fn find<'a>(blob: &'a StatusBlob, handler: &str) -> Option<&'a HandlerStatus> {
    blob.aggregate_status
        .handler_aggregate_status
        .iter()
        .find(|status| status.handler_name.eq_ignore_ascii_case(handler))
}
