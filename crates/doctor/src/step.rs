//! One step of a repair, ready to be carried out.
//!
//! A step is made from a fault's file and the facts of one case, so nothing in
//! it has to be looked up any more: `rescue` runs it as it stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::risk::Risk;

/// One step that may repair the login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The fault that it repairs; [`LAST_RESORT`] for steps that belong to none.
    pub fault: String,
    /// Its name, unique within the fault.
    pub id: String,
    /// What it does, in the verdict's language.
    pub title: String,
    /// What it can cost.
    pub risk: Risk,
    /// The way that it takes.
    pub channel: Channel,
    /// What is done.
    pub action: Action,
    /// What it would take away or turn on besides, a sentence each. Where there is
    /// any, the operator is asked, whatever class of risk was allowed.
    pub losses: Vec<String>,
}

/// [`Step::fault`] of the platform's general remedies.
pub const LAST_RESORT: &str = "last-resort";

/// The way that a step takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A script in the guest, as root, with an undo journal.
    Guest,
    /// A request to the cloud.
    Arm,
    /// A command that the operator types.
    Client,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
pub enum Action {
    /// The operator types this line.
    Client {
        /// One line for a POSIX shell.
        command: String,
    },
    /// The guest runs this script after the edit prelude.
    Guest {
        /// POSIX sh.
        script: String,
        /// Values that it finds in its environment.
        env: BTreeMap<String, String>,
    },
    /// The cloud is asked for this.
    Arm {
        /// The request.
        action: ArmAction,
    },
}

/// A request to the cloud, for the VM of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmAction {
    /// Start the VM.
    StartVm,
    /// Allow TCP to the SSH port from the client's address, above the deciding
    /// deny, for a limited time.
    AllowSsh,
    /// Restart the VM.
    RestartVm,
    /// Move the VM to another host.
    RedeployVm,
    /// VMAccess `reset_ssh`: a stock sshd configuration.
    ResetSsh,
    /// VMAccess `username` and `ssh_key`: the client's own public key.
    ResetCredentials,
}
