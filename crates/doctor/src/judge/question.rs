//! Asks every rule of the catalogue about one case.
//!
//! States first, once each, then the faults that produce them. What comes out is
//! three-valued: a fault holds, it does not, or the case does not say, and then what
//! is missing and which section of the case is to blame.

use std::collections::BTreeMap;

use cel::Context;

use crate::case::Case;
use crate::catalogue::Catalogue;
use crate::facts::Facts;
use crate::fault::{self, Fault, State, Truth};
use crate::lang::Lang;
use crate::symptom::{Observation, Symptom};

/// One case, and everything that answers questions about it.
pub(crate) struct Question<'a> {
    pub(crate) case: &'a Case,
    pub(crate) facts: &'a Facts,
    pub(crate) context: &'a Context<'static, 'static>,
    pub(crate) observation: Option<Observation>,
    pub(crate) lang: Lang,
}

/// What a case says of one state.
#[derive(Clone)]
pub(super) struct Standing<'a> {
    pub(super) state: &'a State,
    /// Whether it is there.
    pub(super) truth: Truth,
    /// Whether it was refuted; never yes where [`Standing::truth`] is.
    refuted: Truth,
    /// What it can show here and the login has not got past, and whether that is
    /// certain.
    pub(super) shows: Vec<(Symptom, Truth)>,
}

/// What a case says of one fault.
pub(super) struct Examined<'a> {
    pub(super) fault: &'a Fault,
    /// Whether it holds.
    pub(super) truth: Truth,
    /// Its states that are not excluded and can stop this login.
    pub(super) standings: Vec<Standing<'a>>,
    /// Who is to blame where it stays open.
    blame: Option<Blame>,
}

/// The section without which a question has no answer, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blame {
    pub(crate) section: &'static str,
    pub(crate) why: String,
}

impl Examined<'_> {
    /// Why the fault stays open, if it does.
    pub(super) fn open(&self) -> Option<&Blame> {
        self.blame.as_ref()
    }

    /// Whether it could show a symptom.
    pub(super) fn could_show(&self, symptom: Symptom) -> bool {
        self.standings
            .iter()
            .any(|standing| standing.shows.iter().any(|(shown, _)| *shown == symptom))
    }

    /// The place of its first state that could show a symptom.
    pub(super) fn place(&self, symptom: Symptom) -> Option<usize> {
        self.standings
            .iter()
            .filter(|standing| standing.shows.iter().any(|(shown, _)| *shown == symptom))
            .map(|standing| standing.state.place)
            .min()
    }
}

impl Standing<'_> {
    /// What is not known and would be needed to be certain that it shows a symptom.
    pub(super) fn absent(&self, symptom: Symptom) -> Vec<&str> {
        let shown = self.shows.iter().filter(|(shown, _)| *shown == symptom);
        let answers = shown.map(|(_, certain)| certain).chain([&self.refuted]);
        answers
            .filter_map(|answer| match answer {
                Truth::Undetermined(fact) => Some(fact.as_str()),
                Truth::Yes | Truth::No => None,
            })
            .collect()
    }
}

impl<'a> Question<'a> {
    pub(crate) fn observed(&self) -> Option<Symptom> {
        self.observation.map(|observation| observation.symptom)
    }

    /// Every fault of the catalogue.
    pub(super) fn examine(&self, catalogue: &'a Catalogue) -> Vec<Examined<'a>> {
        let standings: BTreeMap<&str, Standing> = catalogue
            .states()
            .into_iter()
            .map(|state| (state.id.as_str(), self.standing(state)))
            .collect();
        catalogue.iter().map(|fault| self.examined(fault, &standings)).collect()
    }

    fn standing(&self, state: &'a State) -> Standing<'a> {
        let ask = |expression: &Option<fault::Expression>, default| {
            expression.as_ref().map_or(default, |asked| asked.truth(self.context))
        };
        let refuted = ask(&state.refuted_by, Truth::No);
        // That nothing refutes it is not yet a reason to doubt it.
        let stands = if refuted == Truth::Yes { Truth::No } else { Truth::Yes };
        let passed = |symptom: Symptom| {
            self.observed().is_some_and(|observed| symptom.stage() < observed.stage())
        };
        let shows = state
            .shows
            .iter()
            .filter(|possible| !passed(possible.symptom))
            .map(|possible| (possible.symptom, ask(&possible.only_if, Truth::Yes)))
            .filter(|(_, shown)| *shown != Truth::No)
            .collect();
        Standing {
            state,
            truth: ask(&state.holds, Truth::Yes).and(stands),
            refuted,
            shows,
        }
    }

    fn examined(
        &self,
        fault: &'a Fault,
        standings: &BTreeMap<&str, Standing<'a>>,
    ) -> Examined<'a> {
        let standings: Vec<Standing> = fault
            .states
            .iter()
            .filter_map(|state| standings.get(state.id.as_str()))
            .filter(|standing| standing.truth != Truth::No && !standing.shows.is_empty())
            .cloned()
            .collect();
        let states = standings
            .iter()
            .fold(Truth::No, |any, standing| any.or(standing.truth.clone()));
        // A rule is not asked about a state that is not there.
        let truth = match (&fault.when, states) {
            (_, Truth::No) => Truth::No,
            (None, states) => states,
            (Some(when), states) => when.truth(self.context).and(states),
        };
        let blame = match &truth {
            Truth::Undetermined(fact) => Some(self.blame(fact)),
            Truth::Yes | Truth::No => None,
        };
        Examined { fault, truth, standings, blame }
    }

    /// The section to blame for a fact that is not there, and the reason as far as
    /// the case tells one; else what is absent.
    pub(super) fn blame(&self, fact: &str) -> Blame {
        let variable = fact.split('.').next().unwrap_or_default();
        if !fault::is_variable(variable) {
            return Blame { section: fault::blamed(variable), why: fact.to_owned() };
        }
        let mut missing = fault::missing(variable, self.case);
        let (section, why) = match self.facts.why(fact) {
            Some(why) => {
                let guilty = missing.find(|(_, its)| *its == why);
                (guilty.map(|(section, _)| section), Some(why))
            }
            None => missing.next().unzip(),
        };
        Blame {
            section: section.unwrap_or_else(|| fault::blamed(variable)),
            why: why
                .map_or_else(|| format!("the case has no fact `{fact}`"), str::to_owned),
        }
    }
}
