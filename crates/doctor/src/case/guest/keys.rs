//! Key files: whose keys are let in, and which ones the server shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::path::PathFact;

/// The files in which sshd looks for the user's keys, and the way to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keys {
    /// The home, `.ssh`, every file, with all directories above, and the same for the
    /// path that links lead to.
    pub paths: Vec<PathFact>,
    /// File -> where its links lead, as the user sees it; only where it has links.
    #[serde(default)]
    pub resolved: BTreeMap<String, String>,
    /// What the user could read of each file that is there.
    pub files: BTreeMap<String, KeyFile>,
}

/// One file of authorized keys, read with the user's rights, as sshd reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyFile {
    /// Its lines.
    Read(KeyLines),
    /// The user cannot read it, or it is no regular file: why.
    Unread(String),
}

/// The lines of a file that say something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyLines {
    /// The lines.
    pub lines: Vec<KeyLine>,
    /// Whether the file goes on after what was read.
    #[serde(default)]
    pub cut: bool,
}

/// What one line is. Neither keys nor comments are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum KeyLine {
    /// A public key.
    Key {
        /// The line's number, from 1.
        line: u32,
        /// `ssh-ed25519`, ...
        r#type: String,
        /// `SHA256:...`; none where the guest cannot tell (no ssh-keygen).
        #[serde(default)]
        fingerprint: Option<String>,
        /// The options before it.
        #[serde(default)]
        options: Vec<KeyOption>,
    },
    /// A public key that an editor or a terminal broke over several lines.
    Wrapped {
        /// Where it begins.
        line: u32,
    },
    /// A private key.
    PrivateKey {
        /// Where it begins.
        line: u32,
    },
    /// Something else.
    Other {
        /// The line's number.
        line: u32,
    },
}

/// One option before a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyOption {
    /// Its name in lower case.
    pub name: String,
    /// Its value, of `from`, `expiry-time` and `principals` only.
    #[serde(default)]
    pub value: Option<String>,
}

/// The server's own keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostKeys {
    /// Private key files and the directories above sshd's files.
    pub files: Vec<PathFact>,
    /// Fingerprints of the public halves, `SHA256:...`.
    #[serde(default)]
    pub fingerprints: Vec<String>,
}
