//! A step in the guest: prelude, values, script.

use std::collections::BTreeMap;
use std::time::Duration;

use doctor::Step;

use crate::apply::ApplyError;
use crate::channel::{Ran, with_variables};
use crate::journal::{Journal, StepState, Undo};
use crate::request::Request;

const PRELUDE: &str = include_str!("../guest/prelude.sh");
const UNDO: &str = include_str!("../guest/undo.sh");

/// How long a step in the guest may take. Making host keys on a slow guest without
/// entropy is the longest that is known.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs a step's script; gives its number and what it said.
pub(crate) async fn run(
    request: &Request,
    step: &Step,
    script: &str,
    env: &BTreeMap<String, String>,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let guest = request.guest()?.within(PATIENCE);
    let number = journal.begin(step, Undo::Guest)?;
    let text = assemble(&journal.id, number, script, env)?;
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

/// What a step's script would change: the script itself, because it has no way to
/// only say so.
pub(crate) async fn preview(
    _request: &Request,
    script: &str,
    _env: &BTreeMap<String, String>,
) -> Result<Vec<String>, ApplyError> {
    Ok(script.lines().map(|line| format!("$ {line}")).collect())
}

/// The whole text: which undo it belongs to, the prelude, the values, the script.
pub(crate) fn assemble(
    id: &str,
    number: u32,
    script: &str,
    env: &BTreeMap<String, String>,
) -> Result<String, ApplyError> {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_uppercase())
            && name
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    if let Some(name) = env.keys().find(|name| !is_name(name)) {
        let why = format!("`{name}` is no name for a value of a script");
        return Err(ApplyError::Impossible(why));
    }
    let variables: Vec<(&str, &str)> =
        env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let prelude = PRELUDE.replace("@UNDO@", UNDO.trim_end());
    let undo = format!("{id}/{number}");
    let script = with_variables(&variables, script);
    Ok(with_variables(&[("REGAIN_UNDO", &undo)], &format!("{prelude}\n{script}")))
}

/// What a script said, or how it failed.
fn read(ran: &Ran) -> Result<Vec<String>, ApplyError> {
    let said: Vec<String> = ran
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("say "))
        .map(str::to_owned)
        .collect();
    if ran.exit == 0 {
        return Ok(said);
    }
    let words: Vec<&str> =
        said.iter().map(String::as_str).chain(ran.stderr.lines()).collect();
    let why = match ran.exit {
        124 | 137 => "it did not finish in time".to_owned(),
        _ if words.is_empty() => "it said nothing".to_owned(),
        _ => words.join("; "),
    };
    Err(ApplyError::Script { exit: ran.exit, why, remains: remains(&ran.stdout) })
}

/// What an undo script could not bring back.
pub(crate) fn remains(stdout: &str) -> Vec<String> {
    let lines = stdout.lines().filter_map(|line| line.strip_prefix("remains "));
    lines.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_sh_would_not_take_is_refused() {
        for name in ["a-b", "1A", "", "X;reboot", "path"] {
            let env = BTreeMap::from([(name.to_owned(), String::new())]);
            assert!(assemble("id", 1, ":", &env).is_err(), "{name}");
        }
    }

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
