//! One step of a repair, ready to be carried out.
//!
//! A step is made from a fault's file and the facts of one case, so nothing in
//! it has to be looked up any more: `rescue` runs it as it stands.

use serde::{Deserialize, Serialize};

use crate::edit::Edit;
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
    /// Edits in the guest, as root, with an undo journal.
    Guest,
    /// A request to the platform.
    Platform,
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
    /// The guest is changed, all of it or nothing.
    Guest {
        /// The changes, in their order.
        edits: Vec<Edit>,
    },
    /// The platform is asked for this.
    Platform {
        /// The request.
        action: PlatformAction,
    },
}

impl Action {
    /// The way that it takes.
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Client { .. } => Channel::Client,
            Self::Guest { .. } => Channel::Guest,
            Self::Platform { .. } => Channel::Platform,
        }
    }
}

/// A request to the platform, for the VM of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlatformAction {
    /// Start the VM.
    StartVm,
    /// Allow TCP to the SSH port from the client's address, above the deciding
    /// deny, for a limited time.
    AllowSsh,
    /// Restart the VM.
    RestartVm,
    /// Move the VM to another host.
    RedeployVm,
    /// Replace the SSH server's configuration by a stock one.
    ResetSsh,
    /// Set the client's own public key for the user.
    ResetCredentials,
}

impl PlatformAction {
    /// Its name, as in a fault's file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StartVm => "start-vm",
            Self::AllowSsh => "allow-ssh",
            Self::RestartVm => "restart-vm",
            Self::RedeployVm => "redeploy-vm",
            Self::ResetSsh => "reset-ssh",
            Self::ResetCredentials => "reset-credentials",
        }
    }

    /// What it can cost at least.
    pub const fn least_risk(self) -> Risk {
        match self {
            Self::StartVm | Self::AllowSsh => Risk::Open,
            Self::ResetCredentials => Risk::Credential,
            Self::ResetSsh => Risk::Reset,
            Self::RestartVm => Risk::Reboot,
            Self::RedeployVm => Risk::Redeploy,
        }
    }
}
