//! A fault: one thing that can stop a login, as its file under `faults/` says.
//!
//! The files are knowledge, this module only reads them. [`schema`] mirrors a
//! fault's TOML word for word, [`state`] the states that faults produce, [`repair`]
//! what is done about them; a [`Fault`] is what becomes of it once every name is
//! known to exist and every expression compiles, so that judging can not fail
//! any more.

mod error;
mod expression;
mod layer;
mod reader;
mod repair;
mod schema;
mod section;
mod state;

pub use error::FaultError;
pub use expression::{Expression, ExpressionError, shell_quote};
pub(crate) use expression::{Truth, empty_context};
pub use layer::Layer;
pub use repair::{EditTemplate, Repair, RepairAction};
pub(crate) use schema::Shared;
pub(crate) use section::{blamed, is_variable, missing};
pub use state::State;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::lang::Text;
use crate::symptom::Symptom;

/// One thing that can stop a login.
#[derive(Debug)]
pub struct Fault {
    /// `layer.name`, as in `sshd.config-bad-option`.
    pub id: String,
    /// Where it sits.
    pub layer: Layer,
    /// The states of the world that it brings about.
    pub states: Vec<Arc<State>>,
    /// Whether it only restates its state, and is named only where no other fault
    /// of that state holds.
    pub residual: bool,
    /// The rule; nothing if the state says it all.
    pub when: Option<Expression>,
    /// How direct its evidence is.
    pub basis: Basis,
    /// What may speak against it.
    pub doubts: Vec<Doubt>,
    /// Other faults that are only its consequences.
    pub explains: Vec<String>,
    /// What to show: each gives a line or a list of lines.
    pub evidence: Vec<Expression>,
    /// Where the knowledge comes from.
    pub references: Vec<String>,
    /// What is wrong, in one line.
    pub title: Text,
    /// Why that stops a login.
    pub explanation: Text,
    /// What can be done, least risky first.
    pub repairs: Vec<Repair>,
    /// How a lab VM is broken in this way.
    pub inject: Option<Inject>,
    /// Why there is no [`Fault::inject`].
    pub not_injected: Option<String>,
}

impl Fault {
    /// How a login can end because of it.
    pub fn symptoms(&self) -> Vec<Symptom> {
        let shown = self.states.iter().flat_map(|state| &state.shows);
        let mut symptoms: Vec<Symptom> = shown.map(|possible| possible.symptom).collect();
        symptoms.sort_unstable();
        symptoms.dedup();
        symptoms
    }

    /// Its whole rule, for people: how its states are seen, and what it asks itself.
    pub fn rule(&self) -> String {
        let states: Vec<&str> = self
            .states
            .iter()
            .filter_map(|state| state.holds.as_ref())
            .map(Expression::source)
            .collect();
        let states = match states.as_slice() {
            [] => None,
            [one] => Some((*one).to_owned()),
            several => Some(format!("({})", several.join(" || "))),
        };
        let own = self.when.as_ref().map(|when| when.source().to_owned());
        states.into_iter().chain(own).collect::<Vec<_>>().join(" && ")
    }
}

/// A symptom that a state shows, perhaps only under a condition.
#[derive(Debug)]
pub struct PossibleSymptom {
    /// The symptom.
    pub symptom: Symptom,
    /// The condition; none means always.
    pub only_if: Option<Expression>,
}

/// What in a case may speak against a fault.
#[derive(Debug)]
pub struct Doubt {
    /// Whether it does.
    pub when: Expression,
    /// What speaks against it, in one sentence.
    pub text: Text,
}

/// How direct the evidence of a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The party that fails says so, of this very attempt or of its present state.
    Said,
    /// It follows from a configuration that is known as a whole.
    Decided,
    /// It fits, and what would decide it cannot be seen.
    Inferred,
}

impl Basis {
    /// How sure a rule is that nothing speaks against.
    pub const fn confidence(self) -> Confidence {
        match self {
            Self::Said | Self::Decided => Confidence::Certain,
            Self::Inferred => Confidence::Likely,
        }
    }
}

/// How a test breaks a lab VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inject {
    /// Where the script runs.
    pub place: Place,
    /// POSIX sh; `RG`, `VM`, `HOST`, `USER_NAME` are set, and on the host `KEY`.
    pub script: String,
    /// Diagnose this host name instead of the VM's address.
    pub host: Option<String>,
    /// Whether `regain repair` is expected to bring the login back by itself.
    pub repairable: bool,
}

/// Where an injection runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the guest, as root.
    Guest,
    /// On the host, against the cloud.
    Platform,
    /// On the host, against the client's own files.
    Client,
}

/// How sure a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Nothing in the case speaks against it, and everything that it takes is known.
    Certain,
    /// The evidence fits, and little else does.
    Likely,
    /// The evidence fits, and so might other things.
    Possible,
}

impl Confidence {
    /// One step less sure.
    pub(crate) const fn lowered(self) -> Self {
        match self {
            Self::Certain => Self::Likely,
            Self::Likely | Self::Possible => Self::Possible,
        }
    }
}
