//! The VM as the platform sees it.

use serde::{Deserialize, Serialize};

/// The VM's state in ARM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    /// The VM's name.
    pub vm: String,
    /// Its resource group.
    pub resource_group: String,
    /// `running`, `stopped`, `deallocated`, `starting`, `stopping`, `deallocating`.
    #[serde(default)]
    pub power: Option<String>,
    /// `provisioningState` of the VM.
    #[serde(default)]
    pub provisioning: Option<String>,
    /// The guest agent.
    pub agent: Agent,
}

/// What the platform knows of the guest agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// `Ready`, `Not Ready`, or nothing if it never reported.
    #[serde(default)]
    pub status: Option<String>,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
}

/// The serial console's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootLog {
    /// The log's last 64 KiB, terminal escapes removed.
    pub text: String,
    /// How many bytes the whole log has.
    pub total_bytes: u64,
}
