//! The files above a key, as sshd's `StrictModes` sees them.
//!
//! misc.c, `safe_path`: the file must belong to root or to the user and must not
//! be writable by group or others; the same holds for each directory above it,
//! up to the home directory or, for a file outside of it, up to the root. And
//! because sshd opens the file as the user, the user must be able to reach it.

use serde::Serialize;

use crate::case::{Account, PathFact};

/// Something above or at a key file that makes sshd refuse it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathProblem {
    /// The path.
    pub path: String,
    /// `file` for an authorized-keys file, `directory` for what is above it.
    pub kind: &'static str,
    /// What is wrong.
    pub reason: PathReason,
    /// Permission bits, octal digits.
    pub mode: String,
    /// The owner.
    pub uid: i64,
    /// Mode and owner in one line.
    pub text: String,
}

/// What is wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathReason {
    /// Group or others may write.
    Writable,
    /// Neither root nor the user owns it.
    WrongOwner,
    /// The user can not read or enter it.
    Unreadable,
}

/// What is wrong on the way to one authorized-keys file.
pub(super) fn problems(file: &str, account: &Account) -> Vec<PathProblem> {
    let home = account.home.as_deref().map(|home| home.trim_end_matches('/'));
    let fact = |path: &str| account.key_path.iter().find(|fact| fact.path == path);
    let mut found = Vec::new();
    let mut checked = Some(file);
    let mut strict = true;
    while let Some(path) = checked {
        if let Some(fact) = fact(path).filter(|fact| fact.kind != "missing") {
            found.extend(problem(fact, path == file, strict, account));
        }
        // Above the home directory sshd no longer looks at modes, but the user
        // must still get through.
        strict &= Some(path) != home;
        checked = parent(path);
    }
    found
}

fn parent(path: &str) -> Option<&str> {
    let (parent, name) = path.rsplit_once('/')?;
    match (parent, name) {
        ("", "") => None,
        ("", _) => Some("/"),
        _ => Some(parent),
    }
}

fn problem(
    fact: &PathFact,
    is_file: bool,
    strict: bool,
    account: &Account,
) -> Option<PathProblem> {
    let uid = account.uid?;
    let owner = fact.uid?;
    let digits = fact.mode.clone()?;
    let mode = u32::from_str_radix(&digits, 8).ok()?;
    // A symbolic link has no mode of its own.
    if fact.kind == "symlink" {
        return None;
    }
    let reason = if strict && owner != 0 && owner != uid {
        PathReason::WrongOwner
    } else if strict && mode & 0o022 != 0 {
        PathReason::Writable
    } else if unreadable(fact, mode, is_file, account) {
        PathReason::Unreadable
    } else {
        return None;
    };
    let wrong = match reason {
        PathReason::WrongOwner => {
            format!("owned by uid {owner}, not by {} or root", account.user)
        }
        PathReason::Writable => "writable by group or others".to_owned(),
        PathReason::Unreadable => format!("not accessible to {}", account.user),
    };
    Some(PathProblem {
        path: fact.path.clone(),
        kind: if is_file { "file" } else { "directory" },
        reason,
        text: format!("{}: mode {digits}, {wrong}", fact.path),
        mode: digits,
        uid: owner.into(),
    })
}

/// Whether the user's own bits for this path lack what sshd needs: reading a
/// file, entering a directory. Said only where the user's class is certain.
fn unreadable(fact: &PathFact, mode: u32, is_file: bool, account: &Account) -> bool {
    let (Some(uid), Some(owner)) = (account.uid, fact.uid) else { return false };
    let needed = if is_file { 0o4 } else { 0o1 };
    if uid == 0 {
        return false;
    }
    let group = mode >> 3 & needed != 0;
    let others = mode & needed != 0;
    if owner == uid {
        return mode >> 6 & needed == 0;
    }
    match fact.gid {
        Some(gid) if !account.gids.is_empty() => {
            !(if account.gids.contains(&gid) { group } else { others })
        }
        _ => !group && !others,
    }
}
