//! sudo for the users that are made: one file for each user in `/etc/sudoers.d`,
//! checked by `visudo` before it is in place.
//!
//! Whoever is already named in a rule keeps what that rule says: sudo takes the last
//! rule that matches, so a file of ours beside `NOPASSWD: /usr/bin/apt` would turn it
//! into `ALL`.

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
    let line = format!("{} ALL=(ALL:ALL) {rule}\n", subject(account));
    if let Some(reason) = refusal(&root, &line) {
        return Err(AccountError::Sudoers(reason));
    }
    if edit::kind(&root, DIRECTORY).is_none()
        && let Some(place) = Place::exact(&root, Path::new(DIRECTORY))?
    {
        journal.make_dir_at(&place, &Attributes::root(0o750))?;
    }
    let file = file_of(&account.name);
    if !includes(&sudoers, &file) {
        // Not the directory: whatever else lies in it has not been in force.
        let extended = format!("{}\n#include {file}\n", sudoers.trim_end());
        journal.write(SUDOERS, extended.as_bytes(), &Attributes::root(0o440))?;
    }
    journal.write(&file, line.as_bytes(), &Attributes::root(0o440))?;
    Ok(())
}

/// Takes a user's rules out of every file in `/etc/sudoers.d`.
pub(crate) fn revoke_sudo(journal: &mut Journal, user: &str) -> Result<(), UndoError> {
    journal.take_away(&file_of(user))?;
    for path in drop_ins(journal.root()) {
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

/// Whether somebody has already said what this user may do.
pub(crate) fn is_in_sudoers(root: &Path, account: &Account) -> Result<bool, EditError> {
    for path in std::iter::once(SUDOERS.to_owned()).chain(drop_ins(root)) {
        let text = edit::read_text(root, &path)?.unwrap_or_default();
        if text.replace("\\\n", " ").lines().any(|line| names(line, account)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn drop_ins(root: &Path) -> Vec<String> {
    edit::names(root, DIRECTORY)
        .iter()
        .map(|name| format!("{DIRECTORY}/{name}"))
        .collect()
}

/// The user as sudoers has only one reading of it: a name in capitals would be that
/// of an alias, and `ALL` everybody's.
fn subject(account: &Account) -> String {
    let alias = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if account.name.chars().all(alias) {
        format!("#{}", account.uid)
    } else {
        account.name.clone()
    }
}

fn is_rule_of(line: &str, user: &str) -> bool {
    line.trim_start().split([' ', '\t']).next() == Some(user)
}

/// Whether a rule is about the user, or an alias has the user as a member.
fn names(line: &str, account: &Account) -> bool {
    let number = format!("#{}", account.uid);
    let line = line.trim();
    if line.starts_with('#') && !line.starts_with(&number) {
        return false;
    }
    let list = match line.split_once(char::is_whitespace) {
        Some(("User_Alias", members)) => members,
        // `ann, bob HOST = ...`: a list goes on after a comma only.
        Some(_) => users(line),
        None => "",
    };
    let mut words = list.split(|c: char| c.is_whitespace() || matches!(c, ',' | '='));
    words.any(|word| word == account.name || word == number)
}

/// The list that a rule begins with.
fn users(rule: &str) -> &str {
    let mut end = 0;
    for word in rule.split_inclusive(char::is_whitespace) {
        let listed = word.trim_end();
        let goes_on = rule[end + word.len()..].trim_start().starts_with(',');
        end += word.len();
        if !listed.is_empty() && !listed.ends_with(',') && !goes_on {
            break;
        }
    }
    &rule[..end]
}

/// Whether sudo reads a file of the directory.
fn includes(sudoers: &str, file: &str) -> bool {
    sudoers.lines().any(|line| {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("@includedir" | "#includedir"), Some(path)) => {
                path.trim_end_matches('/') == DIRECTORY
            }
            (Some("@include" | "#include"), Some(path)) => path == file,
            _ => false,
        }
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
