//! The lines of an authorized-keys file: which are keys, and is ours among them?

use formats::authorized_keys::{Contents, Entry, Kind};
use serde::Serialize;

use super::key_options::{self, OptionProblem, Visitor};

/// What the authorized-keys files hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeysFacts {
    /// All files together, in one word.
    pub state: KeysState,
    /// How many lines are keys.
    pub count: i64,
    /// Whether the client's key is among them; absent if the client's public
    /// key is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_ours: Option<bool>,
    /// What the options before the client's key object to, on every line that
    /// has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option_problem: Option<OptionProblem>,
    /// The options before the client's key, for each line that has it.
    pub our_options: Vec<String>,
    /// Lines that are no keys, shortened.
    pub bad_lines: Vec<String>,
}

/// What the authorized-keys files hold, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeysState {
    /// There is no file.
    Missing,
    /// There is something else where the file should be.
    NotAFile,
    /// The file has no line that says anything.
    Empty,
    /// A private key was put there.
    PrivateKey,
    /// A public key was put there over several lines.
    Wrapped,
    /// There are lines, and none is a key.
    Garbage,
    /// There are keys.
    Keys,
}

/// What the lines of all files say about a client with these public keys.
/// `not_a_file` is set if something else stands where a file should be.
pub(super) fn derive(
    files: &[&[String]],
    ours: &[&str],
    not_a_file: bool,
    visitor: Visitor,
) -> KeysFacts {
    let contents = Contents::of(files.iter().copied().flatten().map(String::as_str));
    let ours: Vec<Entry> = ours.iter().filter_map(|key| Entry::parse(key).ok()).collect();
    let our_lines = || {
        contents.keys.iter().filter(|entry| ours.iter().any(|key| key.same_key(entry)))
    };
    let problems: Vec<Option<OptionProblem>> =
        our_lines().map(|entry| key_options::problem(entry, visitor)).collect();
    let state = match contents.kind() {
        Kind::Keys => KeysState::Keys,
        _ if files.is_empty() && not_a_file => KeysState::NotAFile,
        _ if files.is_empty() => KeysState::Missing,
        Kind::Empty => KeysState::Empty,
        Kind::PrivateKey => KeysState::PrivateKey,
        Kind::Wrapped => KeysState::Wrapped,
        Kind::Garbage => KeysState::Garbage,
    };
    KeysFacts {
        state,
        count: i64::try_from(contents.keys.len()).unwrap_or(i64::MAX),
        has_ours: (!ours.is_empty()).then_some(our_lines().next().is_some()),
        // One line without a problem is enough.
        option_problem: problems.iter().copied().min().flatten(),
        our_options: our_lines()
            .map(|entry| entry.options.clone().unwrap_or_default())
            .collect(),
        bad_lines: contents.others.iter().map(|line| shorten(line)).collect(),
    }
}

/// The first characters of a line; never a whole secret.
fn shorten(line: &str) -> String {
    let mut short: String = line.chars().take(40).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEJlKyCYkpMbZ4BcMvZ4N4bpZtqnRj2sNXWQhn6nX1eS";
    const OTHER: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMr1JrCYkpMbZ4BcMvZ4N4bpZtqnRj2sNXWQhn6nX1eS";

    fn facts(text: &str) -> KeysFacts {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        derive(&[lines.as_slice()], &[OURS], false, Visitor::default())
    }

    #[test]
    fn our_key_is_found_with_comment_and_options() {
        for line in [
            OURS.to_owned(),
            format!("  {OURS} me@home"),
            format!("no-pty,from=\"10.0.0.1, *.example\" {OURS} me"),
            format!("# first\n\n{OTHER}\n{OURS}"),
        ] {
            let facts = facts(&line);
            assert_eq!(
                (facts.state, facts.has_ours),
                (KeysState::Keys, Some(true)),
                "{line}"
            );
        }
    }

    #[test]
    fn other_keys_are_not_ours() {
        let facts = facts(OTHER);
        assert_eq!((facts.state, facts.has_ours), (KeysState::Keys, Some(false)));
    }

    #[test]
    fn each_kind_of_nothing_has_its_word() {
        assert_eq!(facts("").state, KeysState::Empty);
        assert_eq!(facts("# none\n\n").state, KeysState::Empty);
        assert_eq!(
            facts("-----BEGIN OPENSSH PRIVATE KEY-----").state,
            KeysState::PrivateKey
        );
        assert_eq!(
            facts(&format!("{}\n{}", &OURS[..40], &OURS[40..])).state,
            KeysState::Wrapped
        );
        assert_eq!(facts(&OURS[..60]).state, KeysState::Garbage);
        assert_eq!(facts("hello").state, KeysState::Garbage);
        let nobody = Visitor::default();
        assert_eq!(derive(&[], &[], false, nobody).state, KeysState::Missing);
        assert_eq!(derive(&[], &[], true, nobody).state, KeysState::NotAFile);
    }
}
