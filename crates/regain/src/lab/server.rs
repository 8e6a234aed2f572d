//! A lab's server in the background: started, waited for, ended.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::LabState;
use super::state::Server;
use crate::args::Engine;
use crate::failure::Failure;

/// A server binds a port and opens a database: more than this is a hang.
const START: Duration = Duration::from_secs(30);
/// A server ends its requests and closes its database.
const STOP: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// What the server is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options<'a> {
    pub(crate) engine: Engine,
    pub(crate) listen: SocketAddr,
    pub(crate) cache: &'a Path,
}

/// Starts a server that outlives this process, and waits until it listens.
pub(crate) async fn start(
    lab: &LabState,
    options: Options<'_>,
) -> Result<Server, Failure> {
    let mut child = spawn(lab, options)?;
    let pid = i32::try_from(child.id()).unwrap_or(-1);
    let deadline = Instant::now() + START;
    loop {
        if let Some(server) = lab.server()?.filter(|server| server.pid == pid) {
            return Ok(server);
        }
        let ended = child.try_wait().map_err(|error| {
            Failure::new("cannot watch the lab's server").because(error)
        })?;
        if let Some(status) = ended {
            return Err(Failure::new(format!(
                "the lab's server ended at once ({status}): {}",
                last_words(lab)
            )));
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Err(Failure::new(format!(
                "the lab's server did not listen within {} s",
                START.as_secs()
            ))
            .next("try again; `regain serve` in the foreground shows what it does"));
        }
        tokio::time::sleep(POLL).await;
    }
}

fn spawn(lab: &LabState, options: Options<'_>) -> Result<Child, Failure> {
    let cannot = |error: std::io::Error| {
        Failure::new("cannot start the lab's server").because(error)
    };
    let program = std::env::current_exe().map_err(cannot)?;
    let log =
        File::options().create(true).append(true).open(lab.log()).map_err(cannot)?;
    let engine = match options.engine {
        Engine::Nspawn => "nspawn",
        Engine::Fake => "fake",
    };
    Command::new(program)
        .arg("serve")
        .arg("--state")
        .arg(lab.dir())
        .args(["--engine", engine, "--listen", &options.listen.to_string()])
        .arg("--cache")
        .arg(options.cache)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(cannot)?)
        .stderr(log)
        .current_dir("/")
        // Not in this terminal's foreground: Ctrl-C is for this command.
        .process_group(0)
        .spawn()
        .map_err(cannot)
}

/// Asks the server to end; kills it if it does not. Whether there was one.
pub(crate) async fn stop(lab: &LabState) -> Result<bool, Failure> {
    let Some(server) = lab.server()? else { return Ok(false) };
    let Some(pid) = Pid::from_raw(server.pid) else { return Ok(false) };
    for signal in [Signal::TERM, Signal::KILL] {
        let _ = kill_process(pid, signal);
        let deadline = Instant::now() + STOP;
        while Instant::now() < deadline {
            if test_kill_process(pid).is_err() || is_zombie(server.pid) {
                return Ok(true);
            }
            tokio::time::sleep(POLL).await;
        }
    }
    Err(Failure::new(format!(
        "the lab's server (process {}) cannot be ended",
        server.pid
    )))
}

/// A dead child that nobody has waited for: in a container without an init,
/// nobody ever does.
fn is_zombie(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
    })
}

/// The last lines of the server's log that say something.
fn last_words(lab: &LabState) -> String {
    let text = fs::read_to_string(lab.log()).unwrap_or_default();
    let lines: Vec<&str> =
        text.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
    if lines.is_empty() {
        return "it said nothing".to_owned();
    }
    lines.into_iter().rev().map(str::trim).collect::<Vec<_>>().join("; ")
}
