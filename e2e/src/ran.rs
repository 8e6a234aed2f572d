//! What a program said, and how it ended.

use std::process::{Command, Stdio};

use serde_json::Value;

/// A finished program.
#[derive(Debug)]
pub struct Ran {
    /// Exit status; -1 if a signal ended it.
    pub exit: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Run a command without a terminal and keep what it says.
    ///
    /// # Panics
    /// If the program cannot be started.
    pub fn of(mut command: Command) -> Self {
        let output = command.stdin(Stdio::null()).output().expect("the program starts");
        Self {
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, but it must have succeeded.
    ///
    /// # Panics
    /// With everything that the program said, if it did not.
    pub fn ok(self) -> Self {
        assert_eq!(self.exit, 0, "{self:#?}");
        self
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}
