//! How a repair ended, and what became of each of its steps.

use doctor::{Step, Verdict};
use serde::Serialize;

/// How a repair ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The login worked from the start.
    Healthy,
    /// The login works now.
    Repaired,
    /// What was wrong is gone, as the VM itself shows, and no login could be tried
    /// from here.
    Untried,
    /// Nothing was done, as was asked.
    Planned,
    /// The next step is the operator's to type.
    Operators,
    /// The next step is riskier than allowed.
    NotAllowed,
    /// The next step would take something away, or turn something on, that the
    /// operator has not agreed to.
    NeedsConsent,
    /// The next step replaces or restarts what no evidence speaks against, and what
    /// could have been the cause was not seen.
    Blind,
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
    /// What that step would change, as lines of a diff, or why that cannot be said;
    /// only where nothing was to be done.
    pub diff: Vec<String>,
    /// For `regain undo`, if anything was changed.
    pub undo_id: Option<String>,
    /// Commands that the operator should type although the repair is done: an old
    /// host key to forget.
    pub to_type: Vec<String>,
}
