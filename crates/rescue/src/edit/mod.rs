//! Typed edits as one script for the guest's own shell.
//!
//! A guest need not have any program of ours, so an edit is carried out by POSIX sh:
//! one function per verb (`src/guest/verbs/`), on what they all stand on
//! (`src/guest/README.md`). [`script`] puts together only what the edits at hand use,
//! [`dry_run`] the same for showing what would change.

mod call;
mod parts;
#[cfg(test)]
mod tests;

use doctor::Edit;

pub use call::Unfit;

/// The script that carries out `edits`, and records what it changes under `undo`
/// (`ID/STEP`).
///
/// # Errors
/// An argument that no script can carry safely: see [`Unfit`].
pub fn script(undo: &str, edits: &[Edit]) -> Result<String, Unfit> {
    let calls = calls(edits)?;
    Ok(parts::assemble(&format!("REGAIN_UNDO={}\n", quote(undo)), &calls))
}

/// The script that changes nothing and says, in lines that begin with `diff `, what
/// `edits` would change.
///
/// # Errors
/// As [`script`].
pub fn dry_run(edits: &[Edit]) -> Result<String, Unfit> {
    let calls = calls(edits)?;
    Ok(parts::assemble("REGAIN_DRY=1\n", &calls))
}

/// What somebody else is about to change.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Keep<'a> {
    /// sshd's configuration.
    Sshd,
    /// An account with its keys.
    Account(&'a str),
}

/// The script that records it under `undo`, so that it can come back whatever is
/// there then.
pub(crate) fn keep(undo: &str, what: Keep<'_>) -> String {
    let call = match what {
        Keep::Sshd => "keep_sshd".to_owned(),
        Keep::Account(user) => format!("keep_account {}", quote(user)),
    };
    parts::assemble(&format!("REGAIN_UNDO={}\n", quote(undo)), &[("keep", call)])
}

fn calls(edits: &[Edit]) -> Result<Vec<(&'static str, String)>, Unfit> {
    let mut all = Vec::new();
    for edit in edits {
        all.extend(call::of(edit)?.into_iter().map(|line| (edit.verb(), line)));
    }
    Ok(all)
}

/// Any text as one word for sh.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
