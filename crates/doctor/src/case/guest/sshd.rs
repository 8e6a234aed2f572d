//! The SSH server's program: what it says of its configuration, of its settings, and
//! in its journal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one command in the guest said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommandOutput {
    /// Exit status; none if it did not end in time.
    pub exit: Option<i32>,
    /// Standard output.
    #[serde(default)]
    pub stdout: String,
    /// Standard error.
    #[serde(default)]
    pub stderr: String,
}

/// The SSH server's program and the account that it lives by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sshd {
    /// The sshd binary, if there is one.
    #[serde(default)]
    pub binary: Option<String>,
    /// `sshd -t`; none if there is no binary to ask.
    #[serde(default)]
    pub test: Option<CommandOutput>,
    /// Whether the name service finds the account `sshd` of privilege separation.
    #[serde(default)]
    pub privsep: NameService,
    /// Whether `/etc/passwd` has it.
    #[serde(default)]
    pub privsep_line: Option<bool>,
}

/// What `getent` answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NameService {
    /// It found the entry.
    Found,
    /// It says that there is none.
    NotFound,
    /// It did not answer in time, or failed.
    Failed,
    /// Nobody asked it, or there is none to ask.
    #[default]
    NotAsked,
}

/// `sshd -T -C user=U,host=H,addr=A`: the settings as sshd resolves them for the
/// login. Only those that decide about logins, and none whose value can be secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Keyword in lower case -> values in order.
    pub values: BTreeMap<String, Vec<String>>,
    /// The client's address that sshd was asked about; none if it is not known and
    /// some address was made up, so that what a `Match Address` says is not known.
    #[serde(default)]
    pub address: Option<String>,
}

/// sshd's journal in this boot.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Journal {
    /// Messages of known shapes in their order, of equal ones the last. Other people's names are
    /// `(another user)`.
    pub lines: Vec<String>,
    /// Whether these are all that there are.
    pub whole: bool,
}
