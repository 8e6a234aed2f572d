//! The clients that people have: Microsoft's, unpatched, and our own.
//!
//! `scripts/setup clients` installs them; one that is not there is an error that
//! says so, never a reason to skip.

use std::path::{Path, PathBuf};

use crate::regain;

/// A program that speaks ARM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Client {
    /// `azure-cli` from PyPI.
    Az,
    /// The classic `azure-cli` from npm.
    Classic,
    /// The Python SDKs; a line is Python.
    Python,
    /// `regain` itself.
    Regain,
}

impl Client {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Az, Self::Classic, Self::Python, Self::Regain];

    /// As the table names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Az => "az",
            Self::Classic => "classic",
            Self::Python => "python",
            Self::Regain => "regain",
        }
    }

    /// What is typed before its arguments.
    pub fn prompt(self) -> &'static str {
        match self {
            Self::Az => "az",
            Self::Classic => "azure",
            Self::Python => ">>>",
            Self::Regain => "regain",
        }
    }

    /// The client of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|client| client.name() == name)
    }

    /// The program.
    pub fn program(self) -> PathBuf {
        let installed = Path::new(
            &std::env::var_os("REGAIN_CACHE").unwrap_or("/var/cache/regain".into()),
        )
        .join("clients");
        match self {
            Self::Az => installed.join("az/bin/az"),
            Self::Classic => installed.join("classic/node_modules/.bin/azure"),
            Self::Python => installed.join("python/bin/python"),
            Self::Regain => regain(),
        }
    }

    /// The program, or what to do to get it.
    ///
    /// # Errors
    /// If it is not installed.
    pub fn installed(self) -> Result<PathBuf, String> {
        let program = self.program();
        if program.exists() {
            return Ok(program);
        }
        Err(format!(
            "the client '{}' is not installed ({} is missing): run `scripts/setup clients`",
            self.name(),
            program.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::Client;

    #[test]
    fn every_client_is_found_by_the_name_that_the_table_shows() {
        for client in Client::ALL {
            assert_eq!(Client::named(client.name()), Some(client));
        }
        assert_eq!(Client::named("portal"), None);
    }
}
