//! The files of sshd's configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The files that sshd reads. Comments are blank lines, and values that can be secret
/// are `(hidden)`; lines keep their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Path -> text.
    pub files: BTreeMap<String, String>,
    /// Files that were not read, path -> why: not regular files, larger than any
    /// configuration, or in a place that others than root may change.
    #[serde(default)]
    pub skipped: BTreeMap<String, String>,
}
