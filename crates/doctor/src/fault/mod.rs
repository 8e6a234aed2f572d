//! A fault: one thing that can stop a login, as its file under `faults/` says.
//!
//! The file is knowledge, this module only reads it. [`schema`] mirrors the
//! TOML word for word; [`Fault`] is what becomes of it once every name in it is
//! known to exist and every expression compiles, so that judging can not fail
//! any more.

mod expression;
mod schema;

pub use expression::{Expression, ExpressionError};
pub(crate) use expression::{Truth, empty_context};
pub use schema::FaultError;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::lang::Text;
use crate::risk::Risk;
use crate::step::{ArmAction, Channel};
use crate::symptom::Symptom;

/// One thing that can stop a login.
#[derive(Debug)]
pub struct Fault {
    /// `layer.name`, as in `sshd.config-bad-option`.
    pub id: String,
    /// Where on the way in it sits.
    pub layer: Layer,
    /// How a login fails because of it.
    pub symptoms: Vec<PossibleSymptom>,
    /// The rule.
    pub when: Expression,
    /// How sure the rule is when it holds.
    pub confidence: Confidence,
    /// Faults that are only its consequences.
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

/// A symptom that a fault produces, perhaps only under a condition.
#[derive(Debug)]
pub struct PossibleSymptom {
    /// The symptom.
    pub symptom: Symptom,
    /// The condition; none means always.
    pub only_if: Option<Expression>,
}

/// A step that repairs a fault, before the facts of a case are filled in.
#[derive(Debug)]
pub struct Repair {
    /// Its name, unique within the fault.
    pub id: String,
    /// What it does.
    pub title: Text,
    /// What it can cost.
    pub risk: Risk,
    /// The way that it takes, and what it does there.
    pub action: RepairAction,
    /// The step is offered only if this holds.
    pub when: Option<Expression>,
}

/// What a [`Repair`] does.
#[derive(Debug)]
pub enum RepairAction {
    /// A script in the guest, with values in its environment.
    Guest {
        /// POSIX sh, run after the edit prelude.
        script: String,
        /// Variable name and the expression of its value.
        env: Vec<(String, Expression)>,
    },
    /// A request to the cloud.
    Arm(ArmAction),
    /// An expression that gives the line to type.
    Client(Expression),
}

impl RepairAction {
    /// The way that the step takes.
    pub fn channel(&self) -> Channel {
        match self {
            Self::Guest { .. } => Channel::Guest,
            Self::Arm(_) => Channel::Arm,
            Self::Client(_) => Channel::Client,
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

/// Where on the way in a fault sits. The order is that of the way in: among
/// faults that explain a symptom equally well, the first to be met comes first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The operator's side.
    Client,
    /// Name resolution.
    Name,
    /// The cloud's network.
    Network,
    /// The VM as the platform sees it.
    Platform,
    /// The way from power-on to a running system.
    Boot,
    /// The guest's packet filter.
    Firewall,
    /// The SSH server.
    Sshd,
    /// Authentication and the account.
    Auth,
    /// The session.
    Session,
}

impl Layer {
    /// The first part of the ids of this layer's faults.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Name => "name",
            Self::Network => "net",
            Self::Platform => "plat",
            Self::Boot => "boot",
            Self::Firewall => "gfw",
            Self::Sshd => "sshd",
            Self::Auth => "auth",
            Self::Session => "sess",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Name => "name",
            Self::Network => "network",
            Self::Platform => "platform",
            Self::Boot => "boot",
            Self::Firewall => "firewall",
            Self::Sshd => "sshd",
            Self::Auth => "auth",
            Self::Session => "session",
        })
    }
}

/// How sure a rule is when it holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The evidence leaves no other reading.
    Certain,
    /// The evidence fits, and little else does.
    Likely,
    /// The evidence fits, and so might other things.
    Possible,
}
