//! sudo for the users that are made or reset: one file for each user in
//! `/etc/sudoers.d`, checked by `visudo` before it is in place.

use std::path::Path;
use std::time::Duration;

use super::{Account, AccountError};
use crate::edit::{self, Attributes, EditError, Place};
use crate::process::{self, Limits};
use crate::undo::{Journal, UndoError};

const SUDOERS: &str = "/etc/sudoers";
const DIRECTORY: &str = "/etc/sudoers.d";
const LIMITS: Limits = Limits { time: Duration::from_secs(10), output: 16 << 10 };

/// sudo skips files with a dot in their name.
fn file_of(user: &str) -> String {
    format!("{DIRECTORY}/90-regain-{}", user.replace('.', "%2e"))
}

/// Lets a user run everything as root. Nothing happens where sudo is not installed.
pub(crate) fn grant_sudo(
    journal: &mut Journal,
    account: &Account,
    passwordless: bool,
) -> Result<(), AccountError> {
    let root = journal.root().to_owned();
    let Some(sudoers) = edit::read_text(&root, SUDOERS)? else { return Ok(()) };
    let rule = if passwordless { "NOPASSWD: ALL" } else { "ALL" };
    let line = format!("{} ALL=(ALL:ALL) {rule}\n", account.name);
    if let Some(reason) = refusal(&root, &line) {
        return Err(AccountError::Sudoers(reason));
    }
    if edit::kind(&root, DIRECTORY).is_none()
        && let Some(place) = Place::exact(&root, Path::new(DIRECTORY))?
    {
        journal.make_dir_at(&place, &Attributes::root(0o750))?;
    }
    if !includes_directory(&sudoers) {
        let extended = format!("{}\n#includedir {DIRECTORY}\n", sudoers.trim_end());
        journal.write(SUDOERS, extended.as_bytes(), &Attributes::root(0o440))?;
    }
    journal.write(&file_of(&account.name), line.as_bytes(), &Attributes::root(0o440))?;
    Ok(())
}

/// Takes a user's rules out of every file in `/etc/sudoers.d`.
pub(crate) fn revoke_sudo(journal: &mut Journal, user: &str) -> Result<(), UndoError> {
    journal.take_away(&file_of(user))?;
    for name in edit::names(journal.root(), DIRECTORY) {
        let path = format!("{DIRECTORY}/{name}");
        let Some(text) = edit::read_text(journal.root(), &path)? else { continue };
        let rest: String =
            text.split_inclusive('\n').filter(|line| !is_rule_of(line, user)).collect();
        if rest.len() == text.len() {
            continue;
        }
        if rest.lines().all(|line| line.trim().is_empty() || line.starts_with('#')) {
            journal.take_away(&path)?;
        } else {
            journal.write(&path, rest.as_bytes(), &Attributes::root(0o440))?;
        }
    }
    Ok(())
}

/// Whether a rule lets the user run everything without a password today.
pub(crate) fn has_passwordless_sudo(root: &Path, user: &str) -> Result<bool, EditError> {
    let mut files = vec![SUDOERS.to_owned()];
    files.extend(
        edit::names(root, DIRECTORY).iter().map(|name| format!("{DIRECTORY}/{name}")),
    );
    for file in files {
        let text = edit::read_text(root, &file)?.unwrap_or_default();
        if text.lines().any(|line| is_rule_of(line, user) && line.contains("NOPASSWD:")) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_rule_of(line: &str, user: &str) -> bool {
    line.trim_start().split([' ', '\t']).next() == Some(user)
}

fn includes_directory(sudoers: &str) -> bool {
    sudoers.lines().map(str::trim).any(|line| {
        line.strip_prefix("@includedir")
            .or_else(|| line.strip_prefix("#includedir"))
            .is_some_and(|path| path.trim().trim_end_matches('/') == DIRECTORY)
    })
}

/// What `visudo` has against a text; `None`: nothing, or there is no visudo.
fn refusal(root: &Path, text: &str) -> Option<String> {
    let argv = ["visudo", "-c", "-f", "-"];
    let checked = process::tool(root, &argv, text.as_bytes(), &LIMITS)?.ok()?;
    let reason = checked.text();
    // A broken rule elsewhere is not this text's fault and would stop every reset.
    (!checked.success() && reason.contains("stdin")).then_some(reason)
}
