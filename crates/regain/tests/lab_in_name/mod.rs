//! A lab of machines in name only, for tests of the command.

use serde_json::Value;
use snapbox::cmd::{Command, cargo_bin};
use tempfile::TempDir;

/// A running lab, taken down at the end of its test.
pub(crate) struct Lab {
    state: TempDir,
}

impl Lab {
    /// A lab of machines in name only, with one VM.
    pub(crate) fn up() -> Self {
        let lab = Self { state: tempfile::tempdir().unwrap() };
        lab.regain(&["lab", "up", "--engine", "fake"]).assert().success();
        lab
    }

    /// `regain`, knowing of this lab.
    pub(crate) fn regain(&self, line: &[&str]) -> Command {
        ["REGAIN_ENDPOINT", "REGAIN_CLOUD", "LC_ALL"]
            .into_iter()
            .fold(Command::new(cargo_bin!("regain")), Command::env_remove)
            .env("LANG", "C.UTF-8")
            .env("REGAIN_STATE", self.state.path().join("lab"))
            .args(line)
    }

    /// The JSON that a command prints.
    pub(crate) fn json(&self, line: &[&str]) -> Value {
        let output = self.regain(line).assert().success().get_output().clone();
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.regain(&["lab", "down"]).assert().success();
    }
}
