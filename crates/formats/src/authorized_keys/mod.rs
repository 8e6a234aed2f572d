//! `authorized_keys`: `[options] type base64 [comment]`, a key a line.
//!
//! sshd(8), AUTHORIZED_KEYS FILE FORMAT, read as auth2-pubkeyfile.c does: first the
//! line is tried as a key, then as options with a key behind them. Keys themselves
//! are the crate `ssh-key`'s; what stands in front of them is not: its reader knows
//! neither `\"` nor which options sshd knows, and one unknown option voids a line.

mod key;
mod options;

use std::fmt;

pub use key::{Damage, PublicKey};
pub use options::{Options, admits, is_option};

/// A line that is a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What stands in front of the key, as it stands there.
    pub options: Option<String>,
    /// The key.
    pub key: PublicKey,
    /// What follows it.
    pub comment: String,
}

/// Why a line is no key. Never holds the line, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineError {
    /// Nowhere in it stands a key type.
    Unknown,
    /// A type that no current server reads: its name, and why.
    Refused(&'static str, &'static str),
    /// A type without a key behind it.
    TypeOnly(&'static str),
    /// Characters lost or changed: the type, and what does not fit.
    Damaged(&'static str, String),
    /// A quote in front of the key is not closed.
    OpenQuote,
}

impl Entry {
    /// Reads one line.
    ///
    /// # Errors
    ///
    /// Says why the line is no key; comments and empty lines are [`LineError::Unknown`].
    pub fn parse(line: &str) -> Result<Self, LineError> {
        let line = line.trim_matches([' ', '\t', '\r', '\n']);
        if let Some(read) = key::typed(line) {
            return read.map(|(key, comment)| Self { options: None, key, comment });
        }
        let (options, rest) = options::split(line).ok_or(match line.contains('=') {
            true => LineError::OpenQuote,
            false => LineError::Unknown,
        })?;
        // A word that cannot be an option means: no options at all.
        if !options.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(LineError::Unknown);
        }
        let (key, comment) = key::typed(rest).ok_or(LineError::Unknown)??;
        Ok(Self { options: Some(options.to_owned()), key, comment })
    }

    /// Whether both are the same key, whatever their options and comments.
    pub fn same_key(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// The options, taken apart; none if sshd does not take them.
    pub fn options(&self) -> Option<Options> {
        Options::parse(self.options.as_deref().unwrap_or_default())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(options) = &self.options {
            write!(f, "{options} ")?;
        }
        write!(f, "{}", self.key)?;
        if !self.comment.is_empty() {
            write!(f, " {}", self.comment)?;
        }
        Ok(())
    }
}

/// What a file holds, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No line says anything.
    Empty,
    /// There are keys.
    Keys,
    /// A private key was put there.
    PrivateKey,
    /// A public key was put there over several lines.
    Wrapped,
    /// There are lines, and none is a key.
    Garbage,
}

/// What the lines of a file are.
#[derive(Debug, Clone)]
pub struct Contents<'a> {
    /// Those that are keys.
    pub keys: Vec<Entry>,
    /// Those that should be, without space around them.
    pub others: Vec<&'a str>,
}

/// A key of 16,384 bits, wrapped at 64 columns, has fewer lines.
const LONGEST_WRAP: usize = 64;

impl<'a> Contents<'a> {
    /// Reads the lines of one or several files.
    pub fn of(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut contents = Self { keys: Vec::new(), others: Vec::new() };
        for line in lines {
            let line = line.trim_matches([' ', '\t', '\r', '\n']);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match Entry::parse(line) {
                Ok(entry) => contents.keys.push(entry),
                Err(_) => contents.others.push(line),
            }
        }
        contents
    }

    /// All of it in one word.
    pub fn kind(&self) -> Kind {
        let private =
            |line: &&str| line.starts_with("-----BEGIN") && line.contains("PRIVATE");
        if !self.keys.is_empty() {
            Kind::Keys
        } else if self.others.is_empty() {
            Kind::Empty
        } else if self.others.iter().any(private) {
            Kind::PrivateKey
        } else if self.is_wrapped() {
            Kind::Wrapped
        } else {
            Kind::Garbage
        }
    }

    /// Whether lines put together are a key.
    fn is_wrapped(&self) -> bool {
        let begins = |line: &&str| {
            let first = line.split([' ', '\t']).next().unwrap_or_default();
            key::is_type(first)
        };
        let Some(start) = self.others.iter().position(begins) else { return false };
        let lines = &self.others[start..self.others.len().min(start + LONGEST_WRAP)];
        (2..=lines.len()).any(|count| Entry::parse(&lines[..count].concat()).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEJlKyCYkpMbZ4BcMvZ4N4bpZtqnRj2sNXWQhn6nX1eS";

    fn kind(text: &str) -> Kind {
        Contents::of(text.lines()).kind()
    }

    #[test]
    fn a_key_is_found_with_comment_and_options() {
        for line in [
            OURS.to_owned(),
            format!("  {OURS} me@home\r"),
            format!("no-pty,from=\"10.0.0.1, *.example\" {OURS} me"),
            format!("command=\"echo \\\"a b\\\"\" {OURS}"),
        ] {
            let entry = Entry::parse(&line).expect("it is a key");
            assert!(entry.same_key(&Entry::parse(OURS).expect("it is a key")), "{line}");
            assert_eq!(entry.to_string(), line.trim(), "{line}");
        }
    }

    #[test]
    fn a_key_is_known_by_its_fingerprint() {
        let entry = Entry::parse(OURS).expect("it is a key");
        assert_eq!(
            entry.key.fingerprint(),
            "SHA256:pNy7n8mXFcRquD3opzfLX6fBY+LtIV/hu31FGHFHnz4"
        );
    }

    #[test]
    fn each_kind_of_nothing_has_its_word() {
        assert_eq!(kind(""), Kind::Empty);
        assert_eq!(kind("# none\n\n"), Kind::Empty);
        assert_eq!(kind(&format!("# mine\n{OURS}")), Kind::Keys);
        assert_eq!(kind("-----BEGIN OPENSSH PRIVATE KEY-----"), Kind::PrivateKey);
        assert_eq!(kind(&format!("{}\n{}", &OURS[..40], &OURS[40..])), Kind::Wrapped);
        assert_eq!(kind(&OURS[..60]), Kind::Garbage);
        assert_eq!(kind("hello"), Kind::Garbage);
    }

    #[test]
    fn why_a_line_is_no_key() {
        assert_eq!(Entry::parse("hello world"), Err(LineError::Unknown));
        assert_eq!(Entry::parse("ssh-rsa"), Err(LineError::TypeOnly("ssh-rsa")));
        assert_eq!(Entry::parse("from=\"a b"), Err(LineError::OpenQuote));
        let lie = OURS.replacen("ssh-ed25519", "ssh-rsa", 1);
        assert!(matches!(Entry::parse(&lie), Err(LineError::Damaged("ssh-rsa", _))));
    }
}
