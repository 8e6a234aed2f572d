//! The guest as a whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The operating system and its clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct System {
    /// `PRETTY_NAME` of os-release; none if there is no such file.
    #[serde(default)]
    pub os: Option<String>,
    /// Seconds since boot.
    #[serde(default)]
    pub uptime: Option<u64>,
    /// The guest's clock, seconds since 1970-01-01 in UTC.
    #[serde(default)]
    pub clock: Option<i64>,
    /// The channel that carried the guest's answers (`run-command`, `ssh`, ...).
    #[serde(default)]
    pub channel: String,
}

/// Local file systems: the root, and those that are full by four fifths or more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disks {
    /// Mount point -> per cent of blocks used.
    pub used: BTreeMap<String, u8>,
    /// Mount point -> per cent of inodes used.
    pub inodes_used: BTreeMap<String, u8>,
    /// Mount points that are read-only although fstab does not ask for it.
    pub read_only: Vec<String>,
}
