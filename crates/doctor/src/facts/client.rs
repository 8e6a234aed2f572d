//! The operator's side: would ssh use the key file that it was given?

use serde::Serialize;

use super::way_in::{KeyFile, LoginFacts};
use crate::case::{Case, Client, Identity, LoginStage};

/// The operator's side.
#[derive(Debug, Clone, Serialize)]
pub struct ClientFacts {
    /// What `ssh -V` prints.
    pub ssh_version: String,
    /// The key that matters: the named one, else the first that exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityFacts>,
    /// Every key that ssh would offer.
    pub identities: Vec<IdentityFacts>,
    /// Key files that ssh ignores because others can read them: by its own words
    /// if it came to authentication, else by their modes.
    pub open_key_files: Vec<KeyFile>,
    /// How many keys an agent holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_keys: Option<i64>,
}

/// One private key file.
#[derive(Debug, Clone, Serialize)]
pub struct IdentityFacts {
    /// Its path.
    pub path: String,
    /// Whether the operator named it.
    pub named: bool,
    /// Whether it exists.
    pub exists: bool,
    /// Permission bits, octal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Whether ssh ignores it because others can read it (authfile.c: any of
    /// `mode & 077`, if ssh's own user owns the file).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_open: Option<bool>,
    /// The public half, `type base64`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// The public half's fingerprint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Whether a certificate lies beside it (`PATH-cert.pub`).
    pub certificate: bool,
    /// Why it is no usable key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

pub(super) fn derive(
    client: &Client,
    case: &Case,
    login: Option<&LoginFacts>,
) -> ClientFacts {
    let identities: Vec<IdentityFacts> =
        client.identities.iter().map(|key| identity(key, client.uid)).collect();
    let target = case.target.identity.as_deref();
    let chosen = identities
        .iter()
        .find(|key| Some(key.path.as_str()) == target)
        .or_else(|| identities.iter().find(|key| key.named))
        .or_else(|| identities.iter().find(|key| key.exists));
    ClientFacts {
        ssh_version: client.ssh_version.clone(),
        open_key_files: open_key_files(&identities, chosen, login),
        identity: chosen.cloned(),
        identities,
        agent_keys: client.agent_keys.map(i64::from),
    }
}

fn identity(key: &Identity, uid: Option<u32>) -> IdentityFacts {
    IdentityFacts {
        path: key.path.clone(),
        named: key.named,
        exists: key.exists,
        mode: key.mode.clone(),
        too_open: too_open(key, uid),
        public_key: key.public_key.clone(),
        fingerprint: key.fingerprint.clone(),
        certificate: key.certificate,
        error: key.error.clone(),
    }
}

fn too_open(key: &Identity, uid: Option<u32>) -> Option<bool> {
    if !key.exists {
        return Some(false);
    }
    let mode = u32::from_str_radix(key.mode.as_deref()?, 8).ok()?;
    if mode & 0o077 == 0 {
        return Some(false);
    }
    Some(key.uid? == uid?)
}

/// ssh says when it ignores a key file, but only once it comes to authentication.
/// A file that it ignores does not matter if it offered another key and the
/// operator did not name this one.
fn open_key_files(
    identities: &[IdentityFacts],
    chosen: Option<&IdentityFacts>,
    login: Option<&LoginFacts>,
) -> Vec<KeyFile> {
    let chosen = chosen.map(|key| key.path.as_str());
    let tried = login.filter(|login| login.stage >= LoginStage::Authentication);
    if let Some(login) = tried {
        let matters = |file: &&KeyFile| {
            login.offered.is_empty() || Some(file.path.as_str()) == chosen
        };
        return login.refused_key_files.iter().filter(matters).cloned().collect();
    }
    identities
        .iter()
        .filter(|key| key.too_open == Some(true) && Some(key.path.as_str()) == chosen)
        .map(|key| KeyFile {
            path: key.path.clone(),
            mode: key.mode.clone().unwrap_or_default(),
        })
        .collect()
}
