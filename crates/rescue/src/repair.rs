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

use doctor::case::Case;
use doctor::{Action, Catalogue, Lang, PlatformAction, Risk, Step, Verdict, judge, plan};
use serde::Serialize;

use crate::apply::{apply_in, target_of};
use crate::collect::{Event, collect, now};
use crate::journal::{Journal, StepState, new_id};
use crate::prove::{After, prove};
use crate::undo::{Undone, undo_step};
use crate::{Request, why};

/// How many steps a repair tries.
const STEPS: usize = 10;

/// What a repair may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The highest class of risk that is taken without asking.
    pub allow: Risk,
    /// Only plan.
    pub dry_run: bool,
    /// The language of the verdict's texts.
    pub lang: Lang,
}

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

/// How a repair ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The login worked from the start.
    Healthy,
    /// The login works now.
    Repaired,
    /// Nothing was done, as was asked.
    Planned,
    /// The next step is the operator's to type.
    Operators,
    /// The next step is riskier than allowed.
    NotAllowed,
    /// Every step that there is was tried.
    Exhausted,
}

/// One step that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The step.
    pub step: Step,
    /// What became of it.
    pub result: AttemptResult,
    /// What it said.
    pub said: Vec<String>,
    /// What could not be taken back of it; usually nothing.
    pub remains: Vec<String>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
pub enum AttemptResult {
    /// The login works.
    Solved,
    /// Its cause is gone and something else stops the login; it is kept.
    Kept,
    /// It changed nothing and was taken back.
    Undone,
    /// It could not be carried out: why.
    Failed(String),
}

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// The diagnosis at the beginning.
    pub first: Verdict,
    /// The diagnosis at the end.
    pub verdict: Verdict,
    /// The steps that were tried, in order.
    pub attempts: Vec<Attempt>,
    /// The step that is next, where the repair stopped before it.
    pub next: Option<Step>,
    /// For `regain undo`, if anything was changed.
    pub undo_id: Option<String>,
    /// Commands that the operator should type although the repair is done: an old
    /// host key to forget.
    pub to_type: Vec<String>,
}

/// Diagnoses and repairs until the login works or nothing more may be done.
pub async fn repair(
    request: &Request,
    catalogue: &Catalogue,
    policy: Policy,
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
        undo_id: None,
        to_type: Vec::new(),
    };
    if outcome.verdict.reachable {
        outcome.status = Status::Healthy;
        return outcome;
    }
    let mut journal = Journal::new(&new_id(), now(), target_of(request));
    journal.target.host.clone_from(&case.target.host);
    let mut tried: Vec<(Cause, String)> = Vec::new();

    for _ in 0..STEPS {
        let cause = Cause::of(&outcome.verdict, &case);
        let steps = plan(&outcome.verdict);
        let untried = |step: &&Step| !tried.contains(&(cause.clone(), key(step)));
        let Some(step) = choose(steps.iter().filter(untried)) else {
            break;
        };
        if let Some(status) = stop_before(step, policy) {
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
        if let Some(proof) = prove(request, after(step)).await {
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
    outcome
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

/// The step to try. A cause's advice to the operator waits until what regain can do
/// for the same cause is tried.
fn choose<'a>(mut untried: impl Iterator<Item = &'a Step>) -> Option<&'a Step> {
    let first = untried.next()?;
    if !matches!(first.action, Action::Client { .. }) {
        return Some(first);
    }
    let own = untried.find(|step| {
        step.fault == first.fault && !matches!(step.action, Action::Client { .. })
    });
    Some(own.unwrap_or(first))
}

/// Why the repair stops before a step, if it does.
fn stop_before(step: &Step, policy: Policy) -> Option<Status> {
    if policy.dry_run {
        return Some(Status::Planned);
    }
    if matches!(step.action, Action::Client { .. }) {
        return Some(Status::Operators);
    }
    (step.risk > policy.allow).then_some(Status::NotAllowed)
}

fn key(step: &Step) -> String {
    format!("{} {}", step.fault, step.id)
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
        let denied_by = inbound
            .filter(|decision| decision.access == "Deny")
            .map(|decision| (decision.nsg.clone(), decision.rule.clone()));
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

#[cfg(test)]
mod tests {
    use doctor::Channel;

    use super::*;

    fn step(fault: &str, id: &str, risk: Risk, action: Action) -> Step {
        let channel = match action {
            Action::Client { .. } => Channel::Client,
            Action::Guest { .. } => Channel::Guest,
            Action::Platform { .. } => Channel::Platform,
        };
        let (fault, id) = (fault.to_owned(), id.to_owned());
        Step {
            fault,
            id,
            title: String::new(),
            risk,
            channel,
            action,
            losses: Vec::new(),
        }
    }

    fn advice(fault: &str) -> Step {
        let action = Action::Client { command: "chmod 600 key".to_owned() };
        step(fault, "advice", Risk::None, action)
    }

    fn edit(fault: &str) -> Step {
        let action = Action::Guest { edits: Vec::new() };
        step(fault, "edit", Risk::Edit, action)
    }

    fn policy(allow: Risk, dry_run: bool) -> Policy {
        Policy { allow, dry_run, lang: Lang::En }
    }

    #[test]
    fn what_regain_can_do_itself_comes_before_advice_for_the_same_cause() {
        let steps = [advice("a"), edit("a"), edit("b")];
        assert_eq!(choose(steps.iter()), Some(&steps[1]));
        let steps = [advice("a"), edit("b")];
        assert_eq!(choose(steps.iter()), Some(&steps[0]));
        assert_eq!(choose([].iter()), None);
    }

    #[test]
    fn a_repair_stops_before_what_it_may_not_do() {
        let edit = edit("a");
        assert_eq!(stop_before(&edit, policy(Risk::Edit, false)), None);
        let none = policy(Risk::None, false);
        assert_eq!(stop_before(&edit, none), Some(Status::NotAllowed));
        let dry = policy(Risk::Offline, true);
        assert_eq!(stop_before(&edit, dry), Some(Status::Planned));
        let all = policy(Risk::Offline, false);
        assert_eq!(stop_before(&advice("a"), all), Some(Status::Operators));
    }
}
