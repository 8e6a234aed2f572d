//! sshd's processes.

use serde::{Deserialize, Serialize};

/// Every process named `sshd`, `sshd-session` or `sshd-auth`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Processes {
    /// The processes.
    pub processes: Vec<Process>,
}

/// One process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The kernel's state letter (`S` sleeping, `T` stopped, `D` in I/O, ...).
    pub state: String,
    /// Its command line, as far as its words are sshd's own options.
    #[serde(default)]
    pub command: String,
}
