//! Turns a VM on and off. The caller holds the VM's lock.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::release::release;
use super::{boot, disk};
use crate::command;
use crate::engine::Stop;
use crate::error::Error;
use crate::fabric::Fabric;
use crate::home::Home;
use crate::keeper::{Log, Record};
use crate::process::Process;
use crate::record;
use crate::spec::MachineSpec;
use crate::temporary_disk;

/// How long a guest may take to power itself off before the plug is pulled.
const GRACE: Duration = Duration::from_secs(15);
/// How long to wait for it before asking again.
const AGAIN: Duration = Duration::from_millis(250);
/// How long nspawn may take until init runs.
const BOOT: Duration = Duration::from_secs(30);
/// How long killed processes may take to be gone.
const DEATH: Duration = Duration::from_secs(10);

/// Powers a VM on, unless it runs, and waits for its init. `keeper` is the
/// program that is to hold it.
pub(super) fn on(
    home: &Home,
    spec: &MachineSpec,
    layers: &[PathBuf],
    keeper: &Path,
) -> Result<(), Error> {
    if let Some(record) = Record::read(home)? {
        if record.is_running() {
            return Ok(());
        }
        // It powered itself off and its keeper is still tidying up.
        record.keeper.wait(DEATH);
    }
    let fabric = Fabric::up(home.state())?;
    // A keeper that was killed has cleaned nothing up.
    release(home, spec, Some(&fabric))?;
    temporary_disk::make(home)?;
    disk::attach(home, layers)?;
    fabric.attach(&spec.id, &spec.network)?;
    let keeper = spawn_keeper(home, keeper)?;
    let booted = until(BOOT, || match leader(home) {
        Some(_) => Some(true),
        None => (!keeper.is_alive()).then_some(false),
    });
    if booted == Some(true) {
        return Ok(());
    }
    keeper.signal(Signal::KILL);
    keeper.wait(DEATH);
    release(home, spec, Some(&fabric))?;
    Err(Error::DidNotBoot { id: spec.id.clone(), console: last_words(home) })
}

/// Powers a VM off, unless it is off, and waits until nothing of it runs.
pub(super) fn off(home: &Home, spec: &MachineSpec, how: Stop) -> Result<(), Error> {
    let Some(record) = Record::read(home)? else { return Ok(()) };
    if record.keeper.is_alive() && (how == Stop::Hard || !ask(home, &record.keeper)?) {
        pull_the_plug(home, &record.keeper);
    }
    // The keeper has written a last record only if it has released everything.
    if Record::read(home)?.is_some_and(|record| record.exit.is_some()) {
        return Ok(());
    }
    release(home, spec, Fabric::find(home.state())?.as_ref())
}

/// The init of a VM that runs; none between two boots.
pub(super) fn leader(home: &Home) -> Option<Process> {
    boot::leader(Record::read(home).ok()??.nspawn.as_ref()?)
}

/// Asks for something every few milliseconds until it is there.
pub(super) fn until<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(Duration::from_millis(4));
    }
}

/// Starts the process that will hold the VM, detached from this one.
fn spawn_keeper(home: &Home, program: &Path) -> Result<Process, Error> {
    record::remove(&home.keeper_record())?;
    let doing = || format!("start the keeper {}", program.display());
    let log = File::create(home.keeper_log()).map_err(Error::io(doing()))?;
    let mut child = Command::new(program)
        .arg("machine-keeper")
        .arg(home.path())
        .env_clear()
        .env("PATH", boot::PATH)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(Error::io(doing()))?)
        .stderr(log)
        .spawn()
        .map_err(Error::io(doing()))?;
    let process = Process::of(child.id()).map_err(Error::io(doing()))?;
    // Somebody has to take note of its end, or it stays a zombie.
    thread::spawn(move || child.wait());
    Ok(process)
}

/// Asks init to power off; false if the VM still runs after the grace period.
///
/// An init that has only just begun loses the signal, and a guest that is
/// rebooting gets another init, so it is said again and again.
fn ask(home: &Home, keeper: &Process) -> Result<bool, Error> {
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline {
        if let Some(leader) = leader(home) {
            let pid = leader.pid().to_string();
            // A real-time signal, which has no name in safe Rust.
            match command::succeed("kill", &["-s", "RTMIN+4", &pid], b"") {
                // The VM was quicker.
                Err(_) if !leader.is_alive() => {}
                outcome => drop(outcome?),
            }
        }
        if keeper.wait(AGAIN) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Kills init, and so everything in the guest; whatever still lives afterwards is
/// in the VM's cgroup.
fn pull_the_plug(home: &Home, keeper: &Process) {
    if let Some(leader) = leader(home) {
        leader.signal(Signal::KILL);
        if keeper.wait(DEATH) {
            return;
        }
    }
    keeper.signal(Signal::KILL);
    keeper.wait(DEATH);
}

/// What explains a failed boot: the end of the console and of the keeper's log.
fn last_words(home: &Home) -> String {
    let mut text = Log::read(&home.console_log()).unwrap_or_default();
    text.extend(fs::read(home.keeper_log()).unwrap_or_default());
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
