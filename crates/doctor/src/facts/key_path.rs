//! The files above a key, as sshd's `StrictModes` sees them.
//!
//! misc.c, `safe_path`: the file must belong to root or to the user and must not
//! be writable by group or others; the same holds for each directory above it,
//! up to the home directory or, for a file outside of it, up to the root. And
//! because sshd opens the file as the user, the user must be able to reach it.
//!
//! Debian's and Ubuntu's sshd let the group write if it is a group of the owner
//! alone. Who else is in a group the case does not tell, so that for the user's
//! own group on such a system sshd's journal decides.

use serde::Serialize;

use crate::case::{Account, PathFact, PathKind};

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

/// How this system's sshd looks at modes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strictness<'a> {
    /// Whether it looks at them at all.
    pub(super) modes: bool,
    /// Whether it may let the user's own group write.
    pub(super) lenient: bool,
    /// The last lines of its journal.
    pub(super) journal: &'a [String],
}

impl Strictness<'_> {
    /// Whether it refuses a path that others may write.
    fn refuses(self, fact: &PathFact, mode: u32, account: &Account) -> bool {
        if mode & 0o022 == 0 {
            return false;
        }
        let only_own_group =
            mode & 0o002 == 0 && fact.gid.is_some() && fact.gid == account.gid;
        !(self.lenient && only_own_group) || self.says_so(&fact.path)
    }

    /// `Authentication refused: bad ownership or modes for directory PATH`
    fn says_so(self, path: &str) -> bool {
        self.journal.iter().any(|line| {
            let refused = line.split_once("bad ownership or modes for ");
            refused
                .is_some_and(|(_, what)| what.trim_end().ends_with(&format!(" {path}")))
        })
    }
}

/// The way to one authorized-keys file. All paths are behind their links.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) file: &'a str,
    pub(super) home: &'a str,
    pub(super) paths: &'a [PathFact],
    pub(super) account: &'a Account,
}

impl Way<'_> {
    /// What is wrong on it. Above the home directory, and everywhere without
    /// `StrictModes`, modes do not matter, but the user must still get through.
    pub(super) fn problems(&self, strictness: Strictness) -> Vec<PathProblem> {
        let mut found = Vec::new();
        let mut checked = Some(self.file);
        let mut strict = strictness.modes;
        while let Some(path) = checked {
            let fact = self.paths.iter().find(|fact| fact.path == path);
            if let Some(fact) = fact.filter(|fact| fact.kind != PathKind::Missing) {
                let strictness = strict.then_some(strictness);
                found.extend(problem(fact, path == self.file, strictness, self.account));
            }
            strict &= path != self.home;
            checked = parent(path);
        }
        found
    }
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
    strictness: Option<Strictness>,
    account: &Account,
) -> Option<PathProblem> {
    let uid = account.uid?;
    let owner = fact.uid?;
    let digits = fact.mode.clone()?;
    let mode = fact.bits()?;
    // A symbolic link has no mode of its own.
    if fact.kind == PathKind::Symlink {
        return None;
    }
    let reason = if strictness.is_some() && owner != 0 && owner != uid {
        PathReason::WrongOwner
    } else if strictness.is_some_and(|strictness| strictness.refuses(fact, mode, account))
    {
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
    match (fact.gid, &account.gids) {
        (Some(gid), Some(gids)) => !(if gids.contains(&gid) { group } else { others }),
        _ => !group && !others,
    }
}
