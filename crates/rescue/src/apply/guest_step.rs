//! A step in the guest: its edits as one script, and what comes back.

use std::time::Duration;

use doctor::{Edit, Step, printable};

use crate::apply::ApplyError;
use crate::channel::Ran;
use crate::edit::{self, Unfit};
use crate::journal::{Journal, StepState, Undo};
use crate::request::Request;

/// How long a step in the guest may take. Making host keys on a slow guest without
/// entropy is the longest that is known.
const PATIENCE: Duration = Duration::from_secs(90);

/// Carries out a step's edits; gives its number and what it said.
pub(crate) async fn run(
    request: &Request,
    step: &Step,
    edits: &[Edit],
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let guest = request.guest()?.within(PATIENCE);
    // What no script can carry is known before anything is begun.
    edit::dry_run(edits)?;
    let number = journal.begin(step, Undo::Guest)?;
    let undo = format!("{}/{number}", journal.id);
    let text = edit::script(&undo, edits)?;
    let ran = guest.run(&text).await?;
    match read(&ran) {
        Ok(said) => Ok((number, said)),
        Err(error) => {
            if matches!(&error, ApplyError::Script { remains, .. } if remains.is_empty())
            {
                journal.mark(number, StepState::Undone)?;
            }
            Err(error)
        }
    }
}

/// What a step's edits would change, as the lines of unified diffs and of commands.
/// Nothing is changed in the guest.
pub(crate) async fn preview(
    request: &Request,
    edits: &[Edit],
) -> Result<Vec<String>, ApplyError> {
    let guest = request.guest()?.within(PATIENCE);
    let ran = guest.run(&edit::dry_run(edits)?).await?;
    read(&ran)?;
    let lines = ran.stdout.lines().filter_map(|line| line.strip_prefix("diff "));
    Ok(lines.map(printable).collect())
}

impl From<Unfit> for ApplyError {
    fn from(why: Unfit) -> Self {
        Self::Impossible(why.to_string())
    }
}

/// What a script said, or how it failed.
pub(super) fn read(ran: &Ran) -> Result<Vec<String>, ApplyError> {
    let said: Vec<String> = ran
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("say "))
        .map(printable)
        .collect();
    if ran.exit == 0 {
        return Ok(said);
    }
    let words: Vec<&str> =
        said.iter().map(String::as_str).chain(ran.stderr.lines()).collect();
    let why = match ran.exit {
        124 | 137 => "it did not finish in time".to_owned(),
        _ if words.is_empty() => "it said nothing".to_owned(),
        _ => printable(&words.join("; ")),
    };
    Err(ApplyError::Script { exit: ran.exit, why, remains: remains(&ran.stdout) })
}

/// What an undo script could not bring back.
pub(crate) fn remains(stdout: &str) -> Vec<String> {
    let lines = stdout.lines().filter_map(|line| line.strip_prefix("remains "));
    lines.map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_script_tells_its_words_and_what_remains() {
        let ran = Ran {
            exit: 1,
            stdout: "say no luck\nrollback\nrestored /a\nremains /b: busy\n".to_owned(),
            stderr: "mv: no\n".to_owned(),
        };
        let Err(ApplyError::Script { exit: 1, why, remains }) = read(&ran) else {
            panic!("a failure is a failure");
        };
        assert_eq!(why, "no luck; mv: no");
        assert_eq!(remains, ["/b: busy"]);
    }
}
