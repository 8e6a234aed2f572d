//! The operator's side.

use serde::{Deserialize, Serialize};

/// The client as it stood when the login was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Client {
    /// What `ssh -V` prints.
    pub ssh_version: String,
    /// The private keys that ssh would offer, in its order.
    pub identities: Vec<Identity>,
    /// The effective user id of the process that runs ssh: it refuses a key
    /// file that others can read only when this user owns it.
    #[serde(default)]
    pub uid: Option<u32>,
    /// Whether an agent answers, and how many keys it holds.
    #[serde(default)]
    pub agent_keys: Option<u32>,
    /// Why the agent did not answer, if it should have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_error: Option<String>,
    /// Why `ssh -G` told no settings, if it did not: the keys are then ssh's defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_error: Option<String>,
}

/// One private key file on the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Its path.
    pub path: String,
    /// Whether it was named by the operator (`-i`) rather than found.
    pub named: bool,
    /// Whether the file exists.
    pub exists: bool,
    /// Permission bits (octal digits, `"0644"`), if it exists.
    #[serde(default)]
    pub mode: Option<String>,
    /// The numeric owner, if it exists.
    #[serde(default)]
    pub uid: Option<u32>,
    /// The public half as one OpenSSH line (`type base64`), if it can be read
    /// without a passphrase or from the `.pub` file beside it.
    #[serde(default)]
    pub public_key: Option<String>,
    /// The public half's fingerprint (`SHA256:...`), by which the guest's keys are
    /// compared with it.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// Whether a certificate lies beside it (`PATH-cert.pub`).
    #[serde(default)]
    pub certificate: bool,
    /// What `ssh-keygen` says when the file is not a usable private key.
    #[serde(default)]
    pub error: Option<String>,
}
