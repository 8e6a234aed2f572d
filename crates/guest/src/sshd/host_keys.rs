//! The server's host keys.
//!
//! Missing ones are made in milliseconds: Ed25519 and ECDSA, all that clients of the
//! last decade need. An RSA key takes up to seconds, so it is made only where the
//! configuration names one.

use std::path::Path;
use std::thread;

use super::{CONFIG, LIMITS, SshdError};
use crate::edit::{self, Place};
use crate::process;
use crate::undo::Journal;

const TYPES: [&str; 3] = ["ed25519", "ecdsa", "rsa"];
const SHARED_GROUP: &str = "ssh_keys";

fn path_of(kind: &str) -> String {
    format!("/etc/ssh/ssh_host_{kind}_key")
}

/// Whether a path is a host key or its public half.
pub(super) fn is_key(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ssh_host_"))
}

/// Makes the keys that are missing or empty.
pub(crate) fn make_missing(journal: &mut Journal) -> Result<(), SshdError> {
    let config = edit::read_text(journal.root(), CONFIG)?.unwrap_or_default();
    let mut missing = Vec::new();
    for kind in TYPES {
        let named = config.lines().any(|line| {
            line.trim_start().to_ascii_lowercase().starts_with("hostkey")
                && line.contains(&path_of(kind))
        });
        let content = edit::read(journal.root(), &path_of(kind))?;
        if (kind != "rsa" || named) && content.is_none_or(|key| key.is_empty()) {
            missing.push(kind);
        }
    }
    make(journal, &missing)
}

/// Replaces every key that `ssh-keygen` cannot read.
pub(super) fn renew(journal: &mut Journal) -> Result<(), SshdError> {
    let root = journal.root().to_owned();
    let mut unreadable = Vec::new();
    for kind in TYPES {
        if edit::kind(&root, &path_of(kind)).is_none() {
            continue;
        }
        let argv = ["ssh-keygen", "-y", "-P", "", "-f", &path_of(kind)];
        let readable = process::tool(&root, &argv, &[], &LIMITS)
            .is_some_and(|done| done.is_ok_and(|done| done.success()));
        if !readable {
            unreadable.push(kind);
        }
    }
    make(journal, &unreadable)
}

/// Takes read permission from everybody else, without which sshd ignores a key.
pub(super) fn close_permissions(journal: &mut Journal) -> Result<(), SshdError> {
    let groups = edit::read_text(journal.root(), "/etc/group")?.unwrap_or_default();
    // Red Hat's systems let this group read the keys, and their sshd knows it.
    let shared = groups
        .lines()
        .find_map(|line| line.strip_prefix(SHARED_GROUP)?.strip_prefix(':'))
        .and_then(|rest| rest.split(':').nth(1)?.parse::<u32>().ok());
    for kind in TYPES {
        let Some(place) = Place::follow(journal.root(), Path::new(&path_of(kind)))?
        else {
            continue;
        };
        let Some(opened) = place.open()? else { continue };
        let mut attributes = opened.attributes();
        let allowed = if shared == Some(attributes.gid) { 0o640 } else { 0o600 };
        attributes.mode = attributes.mode & allowed | 0o600;
        attributes.uid = 0;
        journal.set_attributes(&opened, &attributes)?;
    }
    Ok(())
}

fn make(journal: &mut Journal, kinds: &[&str]) -> Result<(), SshdError> {
    for kind in kinds {
        for path in [path_of(kind), format!("{}.pub", path_of(kind))] {
            journal.take_away(&path)?;
            journal.keep(&path)?;
        }
    }
    let root = journal.root();
    thread::scope(|scope| {
        let makers: Vec<_> =
            kinds.iter().map(|kind| scope.spawn(|| generate(root, kind))).collect();
        makers.into_iter().try_for_each(|maker| {
            maker.join().unwrap_or_else(|_| {
                let reason = "it ended unexpectedly".to_owned();
                Err(SshdError::Program { program: "ssh-keygen", reason })
            })
        })
    })
}

fn generate(root: &Path, kind: &str) -> Result<(), SshdError> {
    let path = path_of(kind);
    let argv = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", &path];
    let done = process::tool(root, &argv, &[], &LIMITS)
        .ok_or(SshdError::NotInstalled)?
        .map_err(|source| SshdError::Run { program: "ssh-keygen", source })?;
    if done.success() {
        return Ok(());
    }
    Err(SshdError::Program { program: "ssh-keygen", reason: done.text() })
}
