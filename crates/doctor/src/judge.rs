//! Evidence in, verdict out.
//!
//! 1. The observed [`Symptom`] says where the login ended.
//! 2. Every fault's rule is asked. It holds, it does not, or the evidence does
//!    not say; a rule that holds although the login got past the only stages
//!    which the fault could stop is contradicted by the login, and ruled out.
//! 3. Of the faults that hold, those that produce the observed symptom are
//!    candidates. A candidate that another candidate explains is a consequence
//!    and is dropped. What is left is ranked: certain before likely, and among
//!    equals the first to be met on the way in is the root cause.
//! 4. Faults that hold and would stop the login only later follow, in the order
//!    in which the operator would run into them.
//! 5. Without a candidate nothing is named: a fault that can not produce what
//!    was seen is not its cause, however wrong it is.

use cel::Context;

use crate::case::Case;
use crate::catalogue::Catalogue;
use crate::facts::{self, Facts};
use crate::fault::{Fault, Repair, RepairAction, Truth};
use crate::lang::Lang;
use crate::path;
use crate::step::{Action, Channel, Step};
use crate::symptom::{self, Symptom};
use crate::verdict::{Finding, NotChecked, RuledOut, VERSION, Verdict};

/// Diagnoses a case.
pub fn judge(case: &Case, catalogue: &Catalogue, lang: Lang) -> Verdict {
    let facts = facts::derive(case);
    let context = facts.context();
    let reachable = symptom::reachable(case);
    let observed = symptom::observed(case);
    let mut sorted = Sorted::default();
    for fault in catalogue.iter() {
        if reachable {
            sorted.ruled_out.push(fault);
        } else {
            sorted.sort(fault, &facts, &context, observed);
        }
    }
    let causes = rank(sorted.holding, catalogue, observed.is_some());
    Verdict {
        version: VERSION,
        target: case.target.clone(),
        reachable,
        symptom: observed,
        path: path::walk(case, &facts, observed, lang),
        causes: causes
            .into_iter()
            .map(|fault| finding(fault, case, &context, lang))
            .collect(),
        ruled_out: sorted
            .ruled_out
            .into_iter()
            .map(|fault| RuledOut {
                fault: fault.id.clone(),
                layer: fault.layer,
                title: fault.title.get(lang).to_owned(),
            })
            .collect(),
        not_checked: sorted.not_checked,
        lang,
    }
}

/// A fault whose rule holds.
struct Holding<'a> {
    fault: &'a Fault,
    /// The symptom that it produces in this case, closest to the observed one.
    symptom: Symptom,
    /// Whether that is the observed one.
    candidate: bool,
}

/// The catalogue, sorted by what the case says of each fault.
#[derive(Default)]
struct Sorted<'a> {
    holding: Vec<Holding<'a>>,
    ruled_out: Vec<&'a Fault>,
    not_checked: Vec<NotChecked>,
}

impl<'a> Sorted<'a> {
    fn sort(
        &mut self,
        fault: &'a Fault,
        facts: &Facts,
        context: &Context<'_, '_>,
        observed: Option<Symptom>,
    ) {
        let possible = possible_symptoms(fault, context);
        let passed = |symptom: &Symptom| {
            observed.is_some_and(|observed| symptom.stage() < observed.stage())
        };
        let Some(&first) = possible.iter().find(|symptom| !passed(symptom)) else {
            self.ruled_out.push(fault);
            return;
        };
        match fault.when.truth(context) {
            Truth::Yes => {
                let candidate = observed.filter(|observed| possible.contains(observed));
                self.holding.push(Holding {
                    fault,
                    symptom: candidate.unwrap_or(first),
                    candidate: candidate.is_some(),
                });
            }
            Truth::No => self.ruled_out.push(fault),
            Truth::Undetermined(absent) => {
                let why = facts.why(&absent).map(str::to_owned);
                let why =
                    why.unwrap_or_else(|| format!("the case has no fact `{absent}`"));
                let variable = absent.split('.').next().unwrap_or_default();
                self.open(fault, variable, why);
            }
        }
    }

    /// Notes that a fault stays open for want of evidence.
    fn open(&mut self, fault: &Fault, section: &str, why: String) {
        let known = self
            .not_checked
            .iter_mut()
            .find(|entry| entry.section == section && entry.why == why);
        match known {
            Some(entry) => entry.faults.push(fault.id.clone()),
            None => self.not_checked.push(NotChecked {
                section: section.to_owned(),
                why,
                faults: vec![fault.id.clone()],
            }),
        }
    }
}

/// The symptoms that a fault can produce in this case. A condition that the
/// evidence does not decide leaves its symptom possible.
fn possible_symptoms(fault: &Fault, context: &Context<'_, '_>) -> Vec<Symptom> {
    fault
        .symptoms
        .iter()
        .filter(|possible| {
            possible
                .only_if
                .as_ref()
                .is_none_or(|condition| condition.truth(context) != Truth::No)
        })
        .map(|possible| possible.symptom)
        .collect()
}

/// Root cause first, then what would stop the login next.
fn rank<'a>(
    mut holding: Vec<Holding<'a>>,
    catalogue: &Catalogue,
    observed: bool,
) -> Vec<&'a Fault> {
    if observed && !holding.iter().any(|held| held.candidate) {
        return Vec::new();
    }
    // Only what could have produced the symptom can have produced its cause.
    let consequences: Vec<&str> = holding
        .iter()
        .filter(|held| held.candidate || !observed)
        .flat_map(|held| catalogue.consequences(&held.fault.id))
        .collect();
    holding.retain(|held| !consequences.contains(&held.fault.id.as_str()));
    let later: Vec<&str> = holding
        .iter()
        .filter(|held| !held.candidate)
        .flat_map(|held| catalogue.consequences(&held.fault.id))
        .collect();
    holding.retain(|held| held.candidate || !later.contains(&held.fault.id.as_str()));
    holding.sort_by_key(|held| {
        // Candidates share one stage; what comes later is met stage by stage.
        let stage = (!held.candidate).then(|| held.symptom.stage());
        (stage, held.fault.confidence, held.fault.layer)
    });
    holding.into_iter().map(|held| held.fault).collect()
}

fn finding(fault: &Fault, case: &Case, context: &Context<'_, '_>, lang: Lang) -> Finding {
    let mut evidence: Vec<String> =
        fault.evidence.iter().flat_map(|line| line.lines(context)).collect();
    evidence.dedup();
    if evidence.is_empty() {
        evidence.push(fault.when.source().to_owned());
    }
    Finding {
        fault: fault.id.clone(),
        layer: fault.layer,
        confidence: fault.confidence,
        title: fault.title.get(lang).to_owned(),
        explanation: fault.explanation.get(lang).to_owned(),
        evidence,
        repairs: fault
            .repairs
            .iter()
            .filter_map(|repair| step(fault, repair, case, context, lang))
            .collect(),
    }
}

/// A repair with the facts of this case filled in; nothing if it does not apply
/// here or needs a fact that the case does not have.
fn step(
    fault: &Fault,
    repair: &Repair,
    case: &Case,
    context: &Context<'_, '_>,
    lang: Lang,
) -> Option<Step> {
    if repair.when.as_ref().is_some_and(|when| when.truth(context) != Truth::Yes) {
        return None;
    }
    let channel = repair.action.channel();
    if channel == Channel::Arm && case.target.resource_id.is_none() {
        return None;
    }
    let action = match &repair.action {
        RepairAction::Client(command) => {
            Action::Client { command: command.text(context)? }
        }
        RepairAction::Arm(action) => Action::Arm { action: *action },
        RepairAction::Guest { script, env } => Action::Guest {
            script: script.clone(),
            env: env
                .iter()
                .map(|(name, value)| Some((name.clone(), value.text(context)?)))
                .collect::<Option<_>>()?,
        },
    };
    Some(Step {
        fault: fault.id.clone(),
        id: repair.id.clone(),
        title: repair.title.get(lang).to_owned(),
        risk: repair.risk,
        channel,
        action,
        losses: Vec::new(),
    })
}
