//! systemd's units, as `systemctl show` tells them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::case::word::words;

/// The units of the SSH server and of programs that own packet filter rules. Empty
/// where there is no systemd.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Units {
    /// Units by name (`ssh.service`, `sshd.service`, `ssh.socket`, ...), those that exist.
    pub units: BTreeMap<String, UnitState>,
}

/// One unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnitState {
    /// Whether it runs.
    pub active: ActiveState,
    /// Whether it starts at boot.
    pub enabled: EnabledState,
    /// systemd's `SubState`.
    #[serde(default)]
    pub sub: String,
    /// systemd's `Result` of the last run.
    #[serde(default)]
    pub result: String,
}

words! {
    /// systemd's `ActiveState`.
    pub enum ActiveState {
        /// It runs.
        Active = "active",
        /// It runs and reads its configuration again.
        Reloading = "reloading",
        /// It does not run.
        Inactive = "inactive",
        /// Its last run ended in failure.
        Failed = "failed",
        /// It is being started.
        Activating = "activating",
        /// It is being stopped.
        Deactivating = "deactivating",
    }
}

words! {
    /// systemd's `UnitFileState`, or `masked` for a unit that is.
    pub enum EnabledState {
        /// It starts at boot.
        Enabled = "enabled",
        /// It starts until the next boot.
        EnabledRuntime = "enabled-runtime",
        /// It does not start at boot.
        Disabled = "disabled",
        /// Nothing can start it.
        Masked = "masked",
        /// Nothing can start it until the next boot.
        MaskedRuntime = "masked-runtime",
        /// Other units start it.
        Static = "static",
        /// It is enabled through another unit.
        Indirect = "indirect",
        /// A generator made it.
        Generated = "generated",
        /// It is another unit's second name.
        Alias = "alias",
    }
}
