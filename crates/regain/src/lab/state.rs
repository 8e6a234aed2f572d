//! A lab's state directory: who serves it, and how to sign in there.

use std::env;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use arm::Secret;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::args::{Engine, Global};
use crate::failure::Failure;
use crate::session::ServicePrincipal;

const DEFAULT: &str = "/var/lib/regain/lab";

/// A state directory, which may not exist.
#[derive(Debug, Clone)]
pub(crate) struct LabState {
    dir: PathBuf,
}

/// The server of a lab (`server.json`, written by the server).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Server {
    /// Its process.
    pub(crate) pid: i32,
    /// Its address.
    pub(crate) endpoint: String,
}

/// What `lab up` was told (`lab.json`). It also marks the directory as a lab's,
/// so that `lab down` never removes somebody else's.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    /// What runs the VMs: `nspawn` or `fake`.
    pub(crate) engine: String,
}

/// What `credentials.json` says of this host's managed identity.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HostIdentity {
    identity_header: Secret,
}

impl LabState {
    /// The directory of `--state`, `REGAIN_STATE`, or the default.
    pub(crate) fn of(global: &Global) -> Self {
        let named = global.state.clone().or_else(|| {
            env::var_os("REGAIN_STATE").filter(|dir| !dir.is_empty()).map(PathBuf::from)
        });
        let dir = named.unwrap_or_else(|| PathBuf::from(DEFAULT));
        // Programs that are started in other directories must find it too.
        Self { dir: std::path::absolute(&dir).unwrap_or(dir) }
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The lab's own certificate authority.
    pub(crate) fn ca(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// Where the keys of the VMs that the lab made are.
    pub(crate) fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// What sessions keep of what they have learned of the lab.
    pub(crate) fn session(&self) -> PathBuf {
        self.dir.join("session.json")
    }

    /// What the server wrote while it ran in the background.
    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("server.log")
    }

    /// The server, if it runs.
    pub(crate) fn server(&self) -> Result<Option<Server>, Failure> {
        let server: Option<Server> = self.read("server.json")?;
        Ok(server.filter(|server| is_server(server.pid)))
    }

    /// Where a server that was killed listened. A new one should listen there
    /// again: shells have its address in their environment.
    pub(crate) fn last_address(&self) -> Result<Option<SocketAddr>, Failure> {
        let server: Option<Server> = self.read("server.json")?;
        Ok(server.and_then(|server| server.endpoint.rsplit_once("//")?.1.parse().ok()))
    }

    /// How to sign in.
    pub(crate) fn credentials(&self) -> Result<ServicePrincipal, Failure> {
        self.read("credentials.json")?.ok_or_else(|| self.is_down())
    }

    /// The secret of this host's managed identity.
    pub(crate) fn identity_header(&self) -> Result<Secret, Failure> {
        let host: Option<HostIdentity> = self.read("credentials.json")?;
        host.map(|host| host.identity_header).ok_or_else(|| self.is_down())
    }

    /// What `lab up` was told, if this directory is a lab's.
    pub(crate) fn settings(&self) -> Result<Option<Settings>, Failure> {
        self.read("lab.json")
    }

    /// Marks the directory as a lab's; it is made if need be.
    pub(crate) fn claim(&self, engine: Engine) -> Result<(), Failure> {
        let engine = match engine {
            Engine::Nspawn => "nspawn",
            Engine::Fake => "fake",
        };
        let settings = Settings { engine: engine.to_owned() };
        let write = || {
            fs::create_dir_all(&self.dir)?;
            fs::write(self.dir.join("lab.json"), serde_json::to_vec(&settings)?)
        };
        write().map_err(|source| {
            Failure::new(format!("cannot write to {}", self.dir.display()))
                .because(source)
                .next("choose another directory with --state")
        })
    }

    /// Whether the directory is a lab's, whole or in parts.
    pub(crate) fn is_lab(&self) -> bool {
        ["lab.json", "server.json", "credentials.json", "machines"]
            .iter()
            .any(|name| self.dir.join(name).exists())
    }

    /// The failure of every command that needs a running lab.
    pub(crate) fn is_down(&self) -> Failure {
        Failure::new(format!("no lab is running in {}", self.dir.display()))
            .next("start one with `regain lab up`, or name another with --state")
    }

    fn read<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Failure> {
        let path = self.dir.join(name);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Failure::new(format!("cannot read {}", path.display()))
                    .because(error)
                    .next("run as the user that started the lab, usually root"));
            }
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            Failure::new(format!("{} is damaged", path.display())).because(error).next(
                "`regain lab down` removes the lab; `regain lab up` makes a new one",
            )
        })
    }
}

/// Whether the process is a lab's server: its number may have gone to another
/// process after a crash.
fn is_server(pid: i32) -> bool {
    let Some(process) = Pid::from_raw(pid) else { return false };
    // The server may be another user's; then its command line is still there.
    let alive = match test_kill_process(process) {
        Ok(()) => true,
        Err(error) => error == rustix::io::Errno::PERM,
    };
    alive
        && fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == b"serve"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lab(dir: &Path) -> LabState {
        LabState { dir: dir.to_owned() }
    }

    #[test]
    fn an_empty_directory_is_no_lab() {
        let dir = tempfile::tempdir().unwrap();
        assert!(lab(dir.path()).server().unwrap().is_none());
        assert!(lab(dir.path()).settings().unwrap().is_none());
        assert_eq!(lab(dir.path()).credentials().unwrap_err().exit_code(), 1);
    }

    #[test]
    fn a_server_that_was_killed_does_not_run() {
        let dir = tempfile::tempdir().unwrap();
        // This process is alive and no server.
        let pid = std::process::id();
        let text = format!(r#"{{"pid":{pid},"endpoint":"https://127.0.0.1:1"}}"#);
        fs::write(dir.path().join("server.json"), text).unwrap();
        assert!(lab(dir.path()).server().unwrap().is_none());
        let last = lab(dir.path()).last_address().unwrap();
        assert_eq!(last, Some("127.0.0.1:1".parse().unwrap()));
    }

    #[test]
    fn a_damaged_file_is_named_with_the_next_step() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("server.json"), "{").unwrap();
        let failure = lab(dir.path()).server().unwrap_err();
        assert!(failure.chain().contains("server.json is damaged"));
        assert!(failure.next_step().unwrap().contains("regain lab down"));
    }
}
