//! How sure a finding is, and why it is not surer.
//!
//! A fault's file says how direct its evidence is ([`crate::fault::Basis`]); the case
//! can only take from that:
//!
//! - what speaks against it (`doubts` of the fault and of its state) lowers it by one
//!   step each;
//! - what is not known and would have to be (a doubt nobody could check, a condition
//!   of the symptom, a rival that is met earlier on the way in or that would explain
//!   this one, a second witness of how the login ended) leaves it at most likely.
//!
//! So less evidence never makes a finding certain.

use super::question::{Examined, Question};
use super::ranking::Holding;
use crate::catalogue::Catalogue;
use crate::fault::{Confidence, Doubt, Fault, Truth};
use crate::lang::Lang;
use crate::symptom::Symptom;

/// Faults that stay open.
pub(super) struct Rivals<'a> {
    open: Vec<&'a Examined<'a>>,
    catalogue: &'a Catalogue,
}

impl<'a> Rivals<'a> {
    pub(super) fn new(examined: &'a [Examined<'a>], catalogue: &'a Catalogue) -> Self {
        let open = examined.iter().filter(|one| one.open().is_some()).collect();
        Self { open, catalogue }
    }

    /// Those without whose exclusion a fault is not certainly the cause.
    fn of(&self, held: &Holding) -> Vec<&'a Fault> {
        let earlier = |one: &Examined, observed: Symptom| {
            held.candidate
                && one.place(observed).is_some_and(|place| place < held.place())
        };
        let restated = |one: &Examined| {
            held.fault().residual
                && !one.fault.residual
                && one.standings.iter().any(|its| its.state.place == held.place())
        };
        let explains = |one: &Examined| {
            let id = held.fault().id.as_str();
            self.catalogue.consequences(&one.fault.id).contains(&id)
        };
        self.open
            .iter()
            .filter(|one| earlier(one, held.symptom) || restated(one) || explains(one))
            .map(|one| one.fault)
            .collect()
    }
}

/// How sure it is that a fault is what it was found to be.
pub(super) fn weigh(
    question: &Question,
    held: &Holding,
    rivals: &Rivals,
) -> (Confidence, Vec<String>) {
    let lang = question.lang;
    let mut confidence = held.fault().basis.confidence();
    let mut doubts = Vec::new();
    let mut unknown = Vec::new();
    for doubt in held.fault().doubts.iter().chain(&held.standing.state.doubts) {
        match doubt.when.truth(question.context) {
            Truth::No => {}
            Truth::Yes => {
                confidence = confidence.lowered();
                doubts.push(doubt.text.get(lang).to_owned());
            }
            Truth::Undetermined(fact) => {
                unknown.push(unchecked(doubt, &question.blame(&fact).why, lang));
            }
        }
    }
    for fact in held.standing.absent(held.symptom) {
        let why = question.blame(fact).why;
        unknown.push(lang.pick(
            format!("`{fact}` is not known: {why}"),
            format!("`{fact}` が不明: {why}"),
        ));
    }
    let open = rivals.of(held);
    if !open.is_empty() {
        unknown.push(unexcluded(&open, lang));
    }
    unknown.extend(witnesses(question).map(str::to_owned));
    if !unknown.is_empty() {
        confidence = confidence.max(Confidence::Likely);
    }
    doubts.append(&mut unknown);
    doubts.dedup();
    (confidence, doubts)
}

fn unchecked(doubt: &Doubt, why: &str, lang: Lang) -> String {
    let text = doubt.text.get(lang);
    lang.pick(
        format!("it was not checked whether {text} ({why})"),
        format!("次の点は未確認: {text} ({why})"),
    )
}

fn unexcluded(open: &[&Fault], lang: Lang) -> String {
    let ids: Vec<&str> = open.iter().map(|fault| fault.id.as_str()).collect();
    let ids = ids.join(", ");
    lang.pick(
        format!("these could be the cause as well and were not checked: {ids}"),
        format!("次の障害も原因になりうるが未確認: {ids}"),
    )
}

/// What is not sure about how the login ended.
fn witnesses(question: &Question) -> Option<&'static str> {
    match question.observation {
        None => Some(question.lang.pick(
            "how a login ends is not known",
            "ログインがどう終わるかが分かっていない",
        )),
        Some(observation) if !observation.agreed => Some(question.lang.pick(
            "ssh and the probe do not both tell how the login ended",
            "ssh とプローブの双方がログインの終わり方を示していない",
        )),
        Some(_) => None,
    }
}
