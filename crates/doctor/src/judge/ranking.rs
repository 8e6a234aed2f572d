//! From faults that hold to causes in their order.

use crate::catalogue::Catalogue;
use crate::fault::{Confidence, Fault, State, Truth};
use crate::symptom::Symptom;

use super::question::{Examined, Question, Standing};
use super::weight::{self, Rivals};

/// A fault that is wrong and not contradicted.
pub(crate) struct Cause<'a> {
    pub(crate) fault: &'a Fault,
    /// The state by which it stops this login.
    pub(crate) state: &'a State,
    pub(crate) confidence: Confidence,
    /// Why it is not surer.
    pub(crate) doubts: Vec<String>,
}

/// The catalogue, sorted by what the case says of each fault.
pub(crate) struct Ranking<'a> {
    /// The root cause first, then what would stop the login next.
    pub(crate) causes: Vec<Cause<'a>>,
    /// What the evidence excludes.
    pub(crate) ruled_out: Vec<&'a Fault>,
    /// Whether some fault that could show the observed symptom stays open.
    pub(crate) open: bool,
}

/// A fault whose rule holds.
pub(super) struct Holding<'a> {
    pub(super) examined: &'a Examined<'a>,
    /// The state by which it stops this login, and the symptom of that.
    pub(super) standing: &'a Standing<'a>,
    pub(super) symptom: Symptom,
    pub(super) candidate: bool,
}

impl<'a> Holding<'a> {
    /// How a fault stops this login: as was observed, if it can, else as soon as
    /// it can.
    fn of(examined: &'a Examined<'a>, observed: Option<Symptom>) -> Option<Self> {
        if examined.truth != Truth::Yes {
            return None;
        }
        let ways = examined
            .standings
            .iter()
            .filter(|standing| standing.truth == Truth::Yes)
            .flat_map(|standing| {
                standing.shows.iter().map(move |(symptom, _)| (standing, *symptom))
            });
        let (standing, symptom) = ways.min_by_key(|(standing, symptom)| {
            let other = Some(*symptom) != observed;
            (other, symptom.stage(), standing.state.place, *symptom)
        })?;
        let candidate = Some(symptom) == observed;
        Some(Self { examined, standing, symptom, candidate })
    }

    pub(super) fn fault(&self) -> &'a Fault {
        self.examined.fault
    }

    pub(super) fn place(&self) -> usize {
        self.standing.state.place
    }

    /// Whether it produces a state that another fault produces here, too.
    fn shares_state(&self, other: &Self) -> bool {
        self.states().any(|state| other.states().any(|its| its == state))
    }

    fn states(&self) -> impl Iterator<Item = &'a str> {
        let there = |standing: &&Standing| standing.truth == Truth::Yes;
        self.examined.standings.iter().filter(there).map(|one| one.state.id.as_str())
    }
}

/// Root cause first, then what would stop the login next.
pub(super) fn rank<'a>(
    question: &Question,
    examined: &'a [Examined<'a>],
    catalogue: &Catalogue,
) -> Ranking<'a> {
    let observed = question.observed();
    let mut ruled_out: Vec<&Fault> = examined
        .iter()
        .filter(|one| one.truth == Truth::No)
        .map(|one| one.fault)
        .collect();
    let mut holding: Vec<Holding> =
        examined.iter().filter_map(|one| Holding::of(one, observed)).collect();
    // Without an observation nothing is contradicted.
    if let Some(observed) = observed {
        let nearest =
            holding.iter().filter(|held| held.candidate).map(Holding::place).min();
        holding.retain(|held| {
            let another = !held.candidate && held.symptom.stage() == observed.stage();
            let contradicted = another && nearest.is_none_or(|near| near >= held.place());
            if contradicted {
                ruled_out.push(held.fault());
            }
            !contradicted
        });
        if nearest.is_none() {
            holding.clear();
        }
    }
    let explained = explained(&holding, catalogue);
    let rivals = Rivals::new(examined, catalogue);
    let mut causes: Vec<(Holding, Confidence, Vec<String>)> = holding
        .into_iter()
        .zip(explained)
        .filter(|(_, explained)| !explained)
        .map(|(held, _)| {
            let (confidence, doubts) = weight::weigh(question, &held, &rivals);
            (held, confidence, doubts)
        })
        .collect();
    causes.sort_by_key(|(held, confidence, _)| order(held, *confidence));
    let could = |one: &Examined| observed.is_none_or(|observed| one.could_show(observed));
    Ranking {
        ruled_out,
        open: examined.iter().any(|one| one.open().is_some() && could(one)),
        causes: causes
            .into_iter()
            .map(|(held, confidence, doubts)| Cause {
                fault: held.fault(),
                state: held.standing.state,
                confidence,
                doubts,
            })
            .collect(),
    }
}

/// Candidates by certainty and then by their place; what comes later as it is met.
fn order<'a>(
    held: &Holding<'a>,
    confidence: Confidence,
) -> (Option<(crate::symptom::Stage, usize)>, Confidence, usize, &'a str) {
    let later = (!held.candidate).then(|| (held.symptom.stage(), held.place()));
    (later, confidence, held.place(), held.fault().id.as_str())
}

/// Which of them are only consequences. Only what could have produced the symptom can
/// have produced its cause.
fn explained(holding: &[Holding], catalogue: &Catalogue) -> Vec<bool> {
    let explains = |one: &Holding, other: &Holding| {
        let restated = other.fault().residual && !one.fault().residual;
        (one.candidate || !other.candidate)
            && one.fault().id != other.fault().id
            && ((restated && one.shares_state(other))
                || catalogue
                    .consequences(&one.fault().id)
                    .contains(&other.fault().id.as_str()))
    };
    holding.iter().map(|other| holding.iter().any(|one| explains(one, other))).collect()
}
