//! The loop around everything: diagnose, one step, log in again.
//!
//! ```text
//! collect ─ judge ─ works ──────────────────────────────► done
//!    ▲        │
//!    │        └ next step ─ not allowed, or the operator's ─► told
//!    │             │
//!    │           apply ─ failed (rolled itself back) ─┐
//!    │             │                                  │
//!    │           log in ─ works ──────────────────────┼────► done
//!    │             │                                  │
//!    └──────── cause gone: keep it ◄─ judge again ─► cause still there: undo
//! ```
//!
//! A step that removed its cause is kept although the login still fails: something
//! else is wrong, too. A step that changed nothing is taken back before the next one
//! is tried, so that what a repair leaves behind is what it took.

mod outcome;
mod policy;

use doctor::case::{Case, Inbound};
use doctor::{Action, Catalogue, PlatformAction, Step, Verdict, judge, plan};

use crate::apply::{apply_in, new_journal, preview};
use crate::collect::{Event, collect};
use crate::journal::{Journal, StepState, new_id};
use crate::prove::{After, prove};
use crate::request::Request;
use crate::undo::{Undone, undo_step};
use crate::why;

pub use self::outcome::{Attempt, AttemptResult, Outcome, Status};
pub use self::policy::{Consent, Policy};
use self::policy::{choose, key, stop_before};

/// How many steps a repair tries.
const STEPS: usize = 10;

/// How a repair goes on.
#[derive(Debug)]
pub enum Progress<'a> {
    /// Evidence is being collected.
    Collecting(Event),
    /// The evidence was judged.
    Diagnosed(&'a Verdict),
    /// A step begins.
    Applying(&'a Step),
    /// A step has acted and says something.
    Said(&'a str),
    /// The step has acted; now a login must show whether it helped.
    LoggingIn,
    /// The step is over.
    Ended(&'a Attempt),
}

/// Diagnoses and repairs until the login works or nothing more may be done.
pub async fn repair(
    request: &Request,
    catalogue: &Catalogue,
    policy: &Policy,
    watch: &(dyn Fn(Progress<'_>) + Sync),
) -> Outcome {
    let diagnose = async || {
        let case = collect(request, &|event| watch(Progress::Collecting(event))).await;
        let verdict = judge(&case, catalogue, policy.lang);
        watch(Progress::Diagnosed(&verdict));
        (case, verdict)
    };
    let (mut case, verdict) = diagnose().await;
    let mut outcome = Outcome {
        status: Status::Exhausted,
        first: verdict.clone(),
        verdict,
        attempts: Vec::new(),
        next: None,
        diff: Vec::new(),
        undo_id: None,
        to_type: Vec::new(),
    };
    if outcome.verdict.reachable {
        outcome.status = Status::Healthy;
        return outcome;
    }
    let mut journal = new_journal(request, &new_id());
    journal.target.host.clone_from(&case.target.host);
    let mut tried: Vec<(Cause, String)> = Vec::new();

    for _ in 0..STEPS {
        let cause = Cause::of(&outcome.verdict, &case);
        let steps = plan(&outcome.verdict);
        let untried = |step: &&Step| !tried.contains(&(cause.clone(), key(step)));
        let Some(step) = choose(steps.iter().filter(untried)) else {
            break;
        };
        if let Some(status) = stop_before(step, &outcome.verdict, catalogue, policy) {
            if policy.dry_run {
                outcome.diff = would_change(request, step).await;
            }
            outcome.status = status;
            outcome.next = Some(step.clone());
            return outcome;
        }
        tried.push((cause.clone(), key(step)));
        watch(Progress::Applying(step));

        let applied = match apply_in(request, step, &mut journal).await {
            Ok(applied) => applied,
            Err(error) => {
                let result = AttemptResult::Failed(error.explain());
                let remains = take_back_open(request, &mut journal).await;
                if !remains.is_empty() {
                    outcome.undo_id = Some(journal.id.clone());
                }
                end(&mut outcome, watch, step, result, Vec::new(), remains);
                continue;
            }
        };
        outcome.undo_id = Some(journal.id.clone());
        applied.said.iter().for_each(|line| watch(Progress::Said(line)));
        watch(Progress::LoggingIn);
        let at = match after(step) {
            After::Edit => located(request, &case),
            After::Boot => request.clone(),
        };
        if let Some(proof) = prove(&at, after(step)).await {
            let verdict = judge(&proof.case, catalogue, policy.lang);
            if verdict.reachable {
                outcome.verdict = verdict;
                outcome.status = Status::Repaired;
                outcome.to_type.extend(proof.notice);
                let solved = AttemptResult::Solved;
                end(&mut outcome, watch, step, solved, applied.said, Vec::new());
                return outcome;
            }
        }
        let (new_case, verdict) = diagnose().await;
        let progress = !cause.is_in(&verdict, &new_case);
        outcome.verdict = verdict;
        case = new_case;
        if progress {
            let kept = AttemptResult::Kept;
            end(&mut outcome, watch, step, kept, applied.said, Vec::new());
        } else {
            let remains = take_back(request, &mut journal, applied.number).await;
            let undone = AttemptResult::Undone;
            end(&mut outcome, watch, step, undone, applied.said, remains);
        }
    }
    if is_untried(&outcome) {
        outcome.status = Status::Untried;
    }
    outcome
}

/// Whether all that was wrong was repaired, and only the proof is missing: there is no
/// way from here to a login.
fn is_untried(outcome: &Outcome) -> bool {
    let kept = |attempt: &Attempt| attempt.result == AttemptResult::Kept;
    let Verdict { symptom, causes, .. } = &outcome.verdict;
    symptom.is_none() && causes.is_empty() && outcome.attempts.iter().any(kept)
}

/// Records how a step ended and tells the watcher.
fn end(
    outcome: &mut Outcome,
    watch: &(dyn Fn(Progress<'_>) + Sync),
    step: &Step,
    result: AttemptResult,
    said: Vec<String>,
    remains: Vec<String>,
) {
    let attempt = Attempt { step: step.clone(), result, said, remains };
    watch(Progress::Ended(&attempt));
    outcome.attempts.push(attempt);
}

/// What a step would change, or why nobody can say.
async fn would_change(request: &Request, step: &Step) -> Vec<String> {
    match preview(request, step).await {
        Ok(lines) => lines,
        Err(error) => vec![format!("not known: {}", error.explain())],
    }
}

/// Takes one step back; gives what remains of it.
async fn take_back(request: &Request, journal: &mut Journal, number: u32) -> Vec<String> {
    let mut undone = Undone::default();
    if let Err(error) = undo_step(request, journal, number, &mut undone).await {
        undone.remains.push(why::chain(&error));
    }
    undone.remains
}

/// Takes back a step of which nobody knows whether it acted: its answer never came.
async fn take_back_open(request: &Request, journal: &mut Journal) -> Vec<String> {
    let last = journal.steps.last();
    match last.filter(|step| step.state == StepState::Begun).map(|step| step.number) {
        Some(number) => take_back(request, journal, number).await,
        None => Vec::new(),
    }
}

/// The same request, at the address that was tried: only a boot may change it.
fn located(request: &Request, case: &Case) -> Request {
    match (&request.host, case.tcp.collected()) {
        (None, Some(_)) => Request {
            host: Some(case.target.host.clone()),
            port: case.target.port,
            ..request.clone()
        },
        _ => request.clone(),
    }
}

fn after(step: &Step) -> After {
    match step.action {
        Action::Platform {
            action:
                PlatformAction::StartVm
                | PlatformAction::RestartVm
                | PlatformAction::RedeployVm,
        } => After::Boot,
        _ => After::Edit,
    }
}

/// What must be gone for a step to count as progress.
///
/// The fault's id is not enough where two things of a kind stand behind each other:
/// an NSG on the subnet and one on the NIC deny one after the other, and opening the
/// first is progress. Without a named cause, a login that comes farther is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cause {
    fault: Option<String>,
    denied_by: Option<(Option<String>, Option<String>)>,
    symptom: Option<doctor::Symptom>,
}

impl Cause {
    fn of(verdict: &Verdict, case: &Case) -> Self {
        let fault = verdict.causes.first().map(|cause| cause.fault.clone());
        let inbound = case.network.collected().and_then(|path| path.inbound.as_ref());
        let denied_by = match inbound {
            Some(Inbound::Deny(by)) => Some((by.nsg.clone(), by.rule.clone())),
            _ => None,
        };
        Self { fault, denied_by, symptom: verdict.symptom }
    }

    /// Whether it still stops the login.
    fn is_in(&self, verdict: &Verdict, case: &Case) -> bool {
        let now = Self::of(verdict, case);
        let Some(fault) = &self.fault else {
            return now.symptom.map(doctor::Symptom::stage)
                <= self.symptom.map(doctor::Symptom::stage);
        };
        verdict.causes.iter().any(|cause| cause.fault == *fault)
            && now.denied_by == self.denied_by
    }
}
