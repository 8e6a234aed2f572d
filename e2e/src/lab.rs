//! One local cloud for one test.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::{Ran, Vm, regain};

/// A running lab with one VM, `lab/vm1`. Dropping it removes everything.
pub struct Lab {
    directory: TempDir,
}

impl Lab {
    /// Start a cloud with one real VM.
    ///
    /// # Panics
    /// If it does not come up, with what `regain lab up` said.
    pub fn up() -> Self {
        let lab = Self::down();
        lab.regain(&["lab", "up"]).ok();
        lab
    }

    /// The same, behaving from then on as these words say (`docs/azure.md`).
    ///
    /// # Panics
    /// If it does not come up.
    pub fn in_weather(words: &str) -> Self {
        let lab = Self::down();
        lab.regain(&["lab", "up", "--weather", words]).ok();
        lab
    }

    /// A state directory in which nothing runs yet.
    ///
    /// # Panics
    /// If no temporary directory can be made.
    pub fn down() -> Self {
        Self {
            directory: TempDir::with_prefix("regain-e2e-")
                .expect("a temporary directory"),
        }
    }

    /// The lab's state directory.
    pub fn state(&self) -> PathBuf {
        self.directory.path().join("lab")
    }

    /// A home directory of the operator's own: no keys, no known hosts.
    pub fn home(&self) -> &Path {
        self.directory.path()
    }

    /// A `regain` command that finds this lab by itself.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(regain());
        command
            .args(arguments)
            .env("REGAIN_STATE", self.state())
            .env("HOME", self.home())
            .env("LANG", "C.UTF-8")
            .env_remove("REGAIN_ENDPOINT");
        command
    }

    /// Run `regain` in this lab.
    pub fn regain(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// Run one line of words, as they are typed; none of them is quoted.
    pub fn say(&self, line: &str) -> Ran {
        self.regain(&words(line))
    }

    /// `regain lab status`, as JSON.
    pub fn status(&self) -> Value {
        self.regain(&["lab", "status", "-o", "json"]).ok().json()
    }

    /// The VM that `lab up` makes.
    pub fn vm(&self) -> Vm<'_> {
        Vm::new(self, "vm1")
    }

    /// The server's process id.
    ///
    /// # Panics
    /// If no server runs.
    pub fn server_pid(&self) -> u32 {
        let text = std::fs::read_to_string(self.state().join("server.json"))
            .expect("a running server leaves server.json");
        let server: Value = serde_json::from_str(&text).expect("server.json is JSON");
        u32::try_from(server["pid"].as_u64().expect("a pid")).expect("a pid fits")
    }

    /// End the server as a crash would.
    ///
    /// # Panics
    /// If no server runs.
    pub fn kill_server(&self) {
        let pid = self.server_pid().to_string();
        Ran::of({
            let mut kill = Command::new("kill");
            kill.args(["-KILL", &pid]);
            kill
        })
        .ok();
    }
}

/// The words of a line.
pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

impl Drop for Lab {
    fn drop(&mut self) {
        let ran = self.regain(&["lab", "down"]);
        if ran.exit != 0 && !std::thread::panicking() {
            panic!("the lab does not go down: {ran:#?}");
        }
    }
}
