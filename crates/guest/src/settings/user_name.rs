//! User names that are safe in `/etc/passwd`, in sudoers and as part of a path.

use std::fmt;

/// A checked user name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName(String);

/// What is wrong with a user name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUserName {
    /// No character at all.
    #[error("it is empty")]
    Empty,
    /// More than 32 bytes.
    #[error("{0:?} is longer than 32 characters")]
    TooLong(String),
    /// A character outside `[A-Za-z0-9_.-]`, or a first one outside `[A-Za-z0-9_]`.
    #[error(
        "{0:?} may only hold letters, digits, '_', '.' and '-', and must begin with a \
         letter, a digit or '_'"
    )]
    Character(String),
    /// Only digits: tools take it for a uid.
    #[error("{0:?} consists of digits only")]
    Number(String),
}

impl UserName {
    /// Checks a name by the rule of shadow's `useradd`, upper case and dots allowed.
    pub fn parse(name: &str) -> Result<UserName, InvalidUserName> {
        if name.is_empty() {
            return Err(InvalidUserName::Empty);
        }
        if name.len() > 32 {
            return Err(InvalidUserName::TooLong(name.to_owned()));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.starts_with(['-', '.']) || !name.chars().all(allowed) {
            return Err(InvalidUserName::Character(name.to_owned()));
        }
        if name.chars().all(|c| c.is_ascii_digit()) {
            return Err(InvalidUserName::Number(name.to_owned()));
        }
        Ok(UserName(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_names_pass() {
        for name in ["azureuser", "Ann", "_svc", "a.b-c_d9", "9lives"] {
            assert!(UserName::parse(name).is_ok(), "{name}");
        }
        let long = "a".repeat(33);
        for name in [
            "", "-rf", ".", "..", "a/b", "a:b", "a b", "a\nb", "12", "größe", "ALL,x",
            &long,
        ] {
            assert!(UserName::parse(name).is_err(), "{name:?}");
        }
    }
}
