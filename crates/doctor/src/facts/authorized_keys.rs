//! What the authorized-keys files hold: which lines are keys, and is ours among them?
//!
//! Keys are compared by their fingerprints; the guest does not tell more.

use serde::Serialize;

use super::key_options::{self, OptionProblem, Visitor};
use super::known::Known;
use crate::case::{KeyLine, KeyLines, KeyOption};

/// What the authorized-keys files hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeysFacts {
    /// All files together, in one word.
    pub state: Known<KeysState>,
    /// How many lines are keys.
    pub count: Known<i64>,
    /// Whether the client's key is among them.
    pub has_ours: Known<bool>,
    /// What the options before the client's key object to, on every line that
    /// has it.
    pub option_problem: Known<Option<OptionProblem>>,
    /// The options before the client's key, for each line that has it.
    pub our_options: Vec<String>,
    /// The lines that have it.
    pub our_lines: Vec<OurLine>,
    /// Lines that are no keys: their numbers, and what they are.
    pub bad_lines: Vec<String>,
}

/// A line with the client's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OurLine {
    /// The file.
    pub file: String,
    /// The line's number.
    pub line: i64,
    /// The options before the key.
    pub options: Vec<KeyOption>,
    /// Names of options that sshd does not know.
    pub unknown: Vec<String>,
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

/// One file, or what stands in its place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    /// There is no file.
    Missing,
    /// Something that is no regular file.
    NotAFile,
    /// The file's lines.
    Lines(&'a str, &'a KeyLines),
}

/// A line that has the client's key.
struct Ours<'a> {
    file: &'a str,
    line: u32,
    options: &'a [KeyOption],
}

/// What the lines of all files say about a client whose keys have these fingerprints.
pub(super) fn derive(files: &[Content], ours: &[&str], visitor: Visitor) -> KeysFacts {
    let read: Vec<(&str, &KeyLines)> = files
        .iter()
        .filter_map(|file| match file {
            Content::Lines(file, lines) => Some((*file, *lines)),
            _ => None,
        })
        .collect();
    let lines: Vec<&KeyLine> = read.iter().flat_map(|(_, file)| &file.lines).collect();
    let cut = read.iter().any(|(_, file)| file.cut).then_some(CUT);
    let keys = lines.iter().filter(|line| matches!(line, KeyLine::Key { .. })).count();
    let our_lines = our_lines(&read, ours);
    let nameless =
        lines.iter().any(|line| matches!(line, KeyLine::Key { fingerprint: None, .. }));
    let has_ours = if ours.is_empty() {
        Known::unknown("the client's public key is not known")
    } else if our_lines.is_empty() && nameless {
        Known::unknown("the guest has no ssh-keygen to tell its keys by")
    } else {
        settled(!our_lines.is_empty(), |has| !has, cut)
    };
    let problems: Vec<_> = our_lines
        .iter()
        .map(|ours| key_options::problem(ours.options, visitor))
        .collect();
    let problem = best(&problems);
    KeysFacts {
        state: settled(state(files, &lines), |state| *state != KeysState::Keys, cut),
        count: settled(i64::try_from(keys).unwrap_or(i64::MAX), |_| true, cut),
        option_problem: has_ours
            .as_ref()
            .and_then(|_| problem.and_then(|it| settled(it, Option::is_some, cut))),
        has_ours,
        our_options: our_lines.iter().map(|o| key_options::text(o.options)).collect(),
        our_lines: our_lines.iter().map(Ours::fact).collect(),
        bad_lines: lines.iter().filter_map(|line| bad_line(line)).collect(),
    }
}

/// One line without a problem is enough, and one that may have none leaves it open.
fn best(lines: &[Known<Option<OptionProblem>>]) -> Known<Option<OptionProblem>> {
    let fine = lines.iter().any(|line| matches!(line, Known::Is(None)));
    match lines.iter().find_map(Known::why_not) {
        Some(why) if !fine => Known::unknown(why),
        _ => Known::Is(
            lines.iter().filter_map(|line| line.known().copied()).min().flatten(),
        ),
    }
}

const CUT: &str = "the file is larger than what is read of it";

/// A fact that more lines might still change (`open`) is not known of a cut file.
fn settled<T>(fact: T, open: impl Fn(&T) -> bool, cut: Option<&str>) -> Known<T> {
    match cut {
        Some(why) if open(&fact) => Known::unknown(why),
        _ => Known::Is(fact),
    }
}

fn our_lines<'a>(files: &[(&'a str, &'a KeyLines)], ours: &[&str]) -> Vec<Ours<'a>> {
    let lines = files
        .iter()
        .flat_map(|(file, read)| read.lines.iter().map(move |line| (*file, line)));
    lines
        .filter_map(|(file, line)| match line {
            KeyLine::Key { fingerprint: Some(fingerprint), options, line, .. } => ours
                .contains(&fingerprint.as_str())
                .then_some(Ours { file, line: *line, options }),
            _ => None,
        })
        .collect()
}

impl Ours<'_> {
    fn fact(&self) -> OurLine {
        OurLine {
            file: self.file.to_owned(),
            line: self.line.into(),
            options: self.options.to_vec(),
            unknown: key_options::unknown(self.options),
        }
    }
}

fn state(files: &[Content], lines: &[&KeyLine]) -> KeysState {
    let any = |wanted: fn(&KeyLine) -> bool| lines.iter().any(|line| wanted(line));
    if any(|line| matches!(line, KeyLine::Key { .. })) {
        KeysState::Keys
    } else if !files.iter().any(|file| matches!(file, Content::Lines(..))) {
        let odd = files.iter().any(|file| matches!(file, Content::NotAFile));
        if odd { KeysState::NotAFile } else { KeysState::Missing }
    } else if lines.is_empty() {
        KeysState::Empty
    } else if any(|line| matches!(line, KeyLine::PrivateKey { .. })) {
        KeysState::PrivateKey
    } else if any(|line| matches!(line, KeyLine::Wrapped { .. })) {
        KeysState::Wrapped
    } else {
        KeysState::Garbage
    }
}

fn bad_line(line: &KeyLine) -> Option<String> {
    match line {
        KeyLine::Key { .. } => None,
        KeyLine::Wrapped { line } => {
            Some(format!("line {line}: a key that goes on in the next line"))
        }
        KeyLine::PrivateKey { line } => Some(format!("line {line}: a private key")),
        KeyLine::Other { line } => Some(format!("line {line}: not a key")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "SHA256:ours";

    fn key(fingerprint: &str) -> KeyLine {
        KeyLine::Key {
            line: 1,
            r#type: "ssh-ed25519".to_owned(),
            fingerprint: Some(fingerprint.to_owned()),
            options: Vec::new(),
        }
    }

    fn facts(lines: &[KeyLine], cut: bool) -> KeysFacts {
        let lines = KeyLines { lines: lines.to_vec(), cut };
        derive(&[Content::Lines("f", &lines)], &[OURS], Visitor::default())
    }

    #[test]
    fn a_key_is_ours_by_its_fingerprint() {
        let found =
            facts(&[KeyLine::Other { line: 1 }, key("SHA256:x"), key(OURS)], false);
        assert_eq!(found.state, Known::Is(KeysState::Keys));
        assert_eq!((found.has_ours, found.count), (Known::Is(true), Known::Is(2)));
        assert_eq!(facts(&[key("SHA256:x")], false).has_ours, Known::Is(false));
    }

    #[test]
    fn each_kind_of_nothing_has_its_word() {
        let state = |lines: &[KeyLine]| facts(lines, false).state;
        assert_eq!(state(&[]), Known::Is(KeysState::Empty));
        assert_eq!(
            state(&[KeyLine::PrivateKey { line: 1 }]),
            Known::Is(KeysState::PrivateKey)
        );
        assert_eq!(state(&[KeyLine::Wrapped { line: 1 }]), Known::Is(KeysState::Wrapped));
        assert_eq!(state(&[KeyLine::Other { line: 1 }]), Known::Is(KeysState::Garbage));
        let of = |file| derive(&[file], &[], Visitor::default()).state;
        assert_eq!(of(Content::Missing), Known::Is(KeysState::Missing));
        assert_eq!(of(Content::NotAFile), Known::Is(KeysState::NotAFile));
    }

    #[test]
    fn what_stands_after_the_cut_is_not_ruled_out() {
        assert_eq!(facts(&[key(OURS)], true).has_ours, Known::Is(true));
        assert_eq!(facts(&[key("SHA256:x")], true).has_ours, Known::unknown(CUT));
        assert_eq!(facts(&[], true).state, Known::unknown(CUT));
    }

    #[test]
    fn a_client_without_a_known_key_is_not_told_that_its_key_is_missing() {
        let lines = KeyLines { lines: vec![key(OURS)], cut: false };
        let found = derive(&[Content::Lines("f", &lines)], &[], Visitor::default());
        assert!(found.has_ours.why_not().is_some());
    }
}
