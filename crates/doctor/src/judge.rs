//! Evidence in, verdict out.
//!
//! A fault brings about a state of the world, a login meets the state, and the state
//! shows a symptom. The observed symptom is the strongest evidence there is, because
//! it is what the operator wants explained:
//!
//! ```text
//!  fault ──produces──► state ──shows──► symptom ◄──observed── login, probe
//!                        │
//!                        place on the way in: near the client ··· near the shell
//!
//!  A fault holds if its rule holds and a state of it is there and not refuted. Then
//!  its symptom, beside the observed one, says what it is:
//!
//!   symptom's stage │ earlier        same                              later
//!   ────────────────┼───────────────────────────────────────────────────────────
//!   observed itself │                CANDIDATE
//!   another symptom │ passed: the    a candidate stands nearer?        LATER: would
//!                   │ login got by,  yes: masked by it, LATER          stop the login
//!                   │ RULED OUT      no: contradicted, RULED OUT       next
//!
//!  root cause = the candidate that no other candidate explains:
//!   - a residual fault only restates its state; another fault of that state explains it
//!   - `explains` names the few special relations
//!  candidates are ordered by certainty (see `weight`), then by place.
//! ```
//!
//! An NSG that drops can not cause "refused": the answer came from behind it, so that
//! fault is ruled out, and its repair with it. The same NSG above a dead SSH server at
//! "timed out" is the root, and the server waits behind it. And without a candidate
//! nothing is named: what can not have produced the symptom is not its cause, however
//! wrong it is.

mod question;
mod ranking;
mod weight;

use crate::case::Case;
use crate::catalogue::Catalogue;
use crate::facts;
use crate::fault::{Fault, Repair};
use crate::lang::Lang;
use crate::path;
use crate::remedy;
use crate::step::{Channel, Step};
use crate::symptom;
use crate::verdict::{Finding, NotChecked, RuledOut, VERSION, Verdict};
use question::Examined;
pub(crate) use question::Question;
pub(crate) use ranking::Ranking;

/// Diagnoses a case.
pub fn judge(case: &Case, catalogue: &Catalogue, lang: Lang) -> Verdict {
    let facts = facts::derive(case);
    let context = facts.context();
    let reachable = symptom::reachable(case);
    let observation = symptom::observe(case);
    let observed = observation.map(|observation| observation.symptom);
    let question = Question { case, facts: &facts, context: &context, observation, lang };
    let mut verdict = Verdict {
        version: VERSION,
        target: case.target.clone(),
        reachable,
        symptom: observed,
        path: path::walk(case, &facts, observed, lang),
        causes: Vec::new(),
        ruled_out: Vec::new(),
        not_checked: Vec::new(),
        remedies: Vec::new(),
        lang,
    };
    if reachable {
        verdict.ruled_out =
            catalogue.iter().map(|fault| ruled_out(fault, lang)).collect();
        return verdict.made_printable();
    }
    let examined = question.examine(catalogue);
    let ranking = ranking::rank(&question, &examined, catalogue);
    verdict.ruled_out =
        ranking.ruled_out.iter().map(|fault| ruled_out(fault, lang)).collect();
    verdict.not_checked = not_checked(&examined);
    verdict.causes = findings(&question, &ranking);
    verdict.remedies = remedy::remedies(&question, &ranking, catalogue);
    verdict.made_printable()
}

/// What is wrong, the root cause first.
fn findings(question: &Question, ranking: &Ranking) -> Vec<Finding> {
    ranking.causes.iter().map(|cause| finding(question, cause)).collect()
}

fn finding(question: &Question, cause: &ranking::Cause) -> Finding {
    let (fault, lang) = (cause.fault, question.lang);
    let mut evidence: Vec<String> =
        fault.evidence.iter().flat_map(|line| line.lines(question.context)).collect();
    evidence.dedup();
    if evidence.is_empty() {
        evidence.push(fault.rule());
    }
    let steps = fault.repairs.iter().filter_map(|repair| step(question, fault, repair));
    Finding {
        fault: fault.id.clone(),
        layer: fault.layer,
        confidence: cause.confidence,
        doubts: cause.doubts.clone(),
        title: fault.title.get(lang).to_owned(),
        explanation: fault.explanation.get(lang).to_owned(),
        evidence,
        repairs: steps.collect(),
    }
}

fn ruled_out(fault: &Fault, lang: Lang) -> RuledOut {
    RuledOut {
        fault: fault.id.clone(),
        layer: fault.layer,
        title: fault.title.get(lang).to_owned(),
    }
}

/// Faults that stay open, together where the same evidence is missing.
fn not_checked(examined: &[Examined]) -> Vec<NotChecked> {
    let mut all: Vec<NotChecked> = Vec::new();
    for one in examined {
        let Some(blame) = one.open() else { continue };
        let known = all
            .iter_mut()
            .find(|entry| entry.section == blame.section && entry.why == blame.why);
        match known {
            Some(entry) => entry.faults.push(one.fault.id.clone()),
            None => all.push(NotChecked {
                section: blame.section.to_owned(),
                why: blame.why.clone(),
                faults: vec![one.fault.id.clone()],
            }),
        }
    }
    all
}

/// A repair with the facts of this case filled in; nothing if it does not apply
/// here or needs a fact that the case does not have.
fn step(question: &Question, fault: &Fault, repair: &Repair) -> Option<Step> {
    let channel = repair.action.channel();
    if channel == Channel::Platform && question.case.target.resource_id.is_none() {
        return None;
    }
    let action = repair.fill_in(question.context)?;
    Some(Step {
        fault: fault.id.clone(),
        id: repair.id.clone(),
        title: repair.title.get(question.lang).to_owned(),
        risk: repair.risk,
        channel,
        losses: remedy::losses(&action, question),
        action,
    })
}
