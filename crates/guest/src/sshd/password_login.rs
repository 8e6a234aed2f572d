//! Letting one user log in with a password where sshd forbids it.
//!
//! Microsoft's handler turns PasswordAuthentication on for the whole VM. A Match block
//! for the one user has the same use and does not open every other account to
//! guessing. Values in a matching block win over all global ones, so the block works
//! wherever it stands.

use std::path::Path;

use super::config::{CONFIG, DROP_INS};
use super::{BINARY, LIMITS, SshdError, refusal};
use crate::edit::{self, Attributes};
use crate::process;
use crate::settings::UserName;
use crate::undo::Journal;

/// Makes sure that `user` may log in with a password. Gives whether the configuration
/// was changed, so that sshd has to be restarted.
pub(crate) fn allow(journal: &mut Journal, user: &UserName) -> Result<bool, SshdError> {
    let root = journal.root().to_owned();
    // Without an answer sshd has worse problems than this one.
    if permitted(&root, user) != Some(false) {
        return Ok(false);
    }
    let block = format!("Match User {user}\n    PasswordAuthentication yes\n");
    let new = Attributes::root(0o644);
    if edit::kind(&root, DROP_INS).is_some() {
        let path = format!("{DROP_INS}/00-regain-{user}.conf");
        let text =
            format!("# Written by regain when the password of {user} was set.\n{block}");
        journal.write(&path, text.as_bytes(), &new)?;
        if permitted(&root, user) == Some(true) {
            return checked(&root);
        }
        journal.take_away(&path)?;
    }
    // No Include line: the block goes to the end, which is where Match blocks belong.
    let main = edit::read_text(&root, CONFIG)?.unwrap_or_default();
    let text = format!("{}\n{block}", main.trim_end());
    journal.write(CONFIG, text.as_bytes(), &new)?;
    checked(&root)
}

fn checked(root: &Path) -> Result<bool, SshdError> {
    match refusal(root)? {
        None => Ok(true),
        Some(reason) => Err(SshdError::Refused(reason)),
    }
}

/// What sshd would do for this user; `None`: it does not say.
fn permitted(root: &Path, user: &UserName) -> Option<bool> {
    let connection = format!("user={user},host=localhost,addr=127.0.0.1");
    let argv = [BINARY, "-T", "-C", &connection];
    let done = process::tool(root, &argv, &[], &LIMITS)?.ok()?;
    let text = String::from_utf8_lossy(&done.stdout).to_ascii_lowercase();
    let value =
        text.lines().find_map(|line| line.strip_prefix("passwordauthentication "));
    value.filter(|_| done.success()).map(|value| value.trim() == "yes")
}
