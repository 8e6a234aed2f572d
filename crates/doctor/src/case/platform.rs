//! The VM as the platform sees it.

use serde::{Deserialize, Serialize};

use super::word::words;

/// The VM's state in ARM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    /// The VM's name.
    pub vm: String,
    /// Its resource group.
    pub resource_group: String,
    /// Whether it runs.
    #[serde(default)]
    pub power: Option<PowerState>,
    /// `provisioningState` of the VM.
    #[serde(default)]
    pub provisioning: Option<String>,
    /// The region, as in `westeurope`.
    #[serde(default)]
    pub location: Option<String>,
    /// What the disk holds, `Linux` or `Windows`, as the platform says.
    #[serde(default)]
    pub os: Option<String>,
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
    /// Whether the VM was made to have none.
    #[serde(default)]
    pub absent: bool,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
}

/// The serial console's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootLog {
    /// The log's last 64 KiB without terminal escapes: the lines of firmware, boot
    /// loader, kernel and systemd. What other programs print there is left out.
    pub text: String,
    /// How many bytes the whole log has.
    pub total_bytes: u64,
}

words! {
    /// The power state of a VM.
    pub enum PowerState {
        /// It runs.
        Running = "running",
        /// It is on its way up.
        Starting = "starting",
        /// It is on its way down.
        Stopping = "stopping",
        /// It does not run.
        Stopped = "stopped",
        /// It does not run, and has no host.
        Deallocated = "deallocated",
        /// It gives up its host.
        Deallocating = "deallocating",
    }
}
