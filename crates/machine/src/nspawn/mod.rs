//! VMs as systemd-nspawn containers: a whole Debian with its own init, network
//! and console, booted in half a second.
//!
//! ```text
//! create   directory, overlay disk, identity and seed files
//! start    disk mounted, network attached, keeper started ──► init runs
//! stop     SIGRTMIN+4 to init; or everything killed ──► keeper ends, disk unmounted
//! delete   directory gone
//! ```
//!
//! While a VM runs, its [keeper](crate::keeper) holds it; `keeper.json` says
//! which process that is. A VM runs exactly as long as its keeper lives and has
//! not recorded an end, whatever happens to the server in between.

pub(crate) mod boot;
pub(crate) mod cgroup;
mod disk;
mod exec;
mod seed;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::command;
use crate::engine::{Engine, ExecOutput, Power, Stop};
use crate::error::Error;
use crate::fabric::Fabric;
use crate::home::{self, Home};
use crate::keeper::{self, Log};
use crate::lock;
use crate::process::Process;
use crate::record;
use crate::spec::{MachineId, MachineSpec};

/// How long a guest may take to power itself off before the plug is pulled.
const GRACE: Duration = Duration::from_secs(15);
/// How long to wait for an answer before asking again.
const AGAIN: Duration = Duration::from_millis(250);
/// How long nspawn may take until init runs.
const BOOT: Duration = Duration::from_secs(30);
/// How long killed processes may take to be gone.
const DEATH: Duration = Duration::from_secs(10);

/// The engine for real VMs. Needs root and `systemd-nspawn`.
#[derive(Debug)]
pub struct Nspawn {
    state: PathBuf,
    images: BTreeMap<String, Vec<PathBuf>>,
    keeper: PathBuf,
}

impl Nspawn {
    /// `state` is the lab's state directory. `images` gives for each image's
    /// name its read-only layers, topmost first. `keeper` is the program to run
    /// as `keeper machine-keeper DIRECTORY`, which calls [`keeper::run`].
    pub fn new(
        state: &Path,
        images: BTreeMap<String, Vec<PathBuf>>,
        keeper: &Path,
    ) -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::Host("VMs need root; run this with sudo".to_owned()));
        }
        fs::create_dir_all(state)
            .map_err(Error::io(format!("make {}", state.display())))?;
        let state = fs::canonicalize(state)
            .map_err(Error::io(format!("find {}", state.display())))?;
        Ok(Self { state, images, keeper: keeper.to_owned() })
    }

    fn home(&self, id: &MachineId) -> Home {
        Home::new(&self.state, id)
    }

    fn layers(&self, image: &str) -> Result<&[PathBuf], Error> {
        let layers = self
            .images
            .get(image)
            .ok_or_else(|| Error::UnknownImage(image.to_owned()))?;
        Ok(layers)
    }

    /// Makes disk and directory under a name that is no VM's yet.
    fn make(&self, home: &Home, spec: &MachineSpec) -> Result<(), Error> {
        home.make()?;
        disk::make(home)?;
        disk::attach(home, self.layers(&spec.image)?)?;
        let planted =
            fresh_machine_id().and_then(|id| seed::plant(&home.merged(), spec, &id));
        disk::detach(home)?;
        planted?;
        home.write_spec(spec)
    }

    fn start_held(&self, home: &Home, spec: &MachineSpec) -> Result<(), Error> {
        let fabric = Fabric::up(&self.state)?;
        // A keeper that was killed has cleaned nothing up.
        release(home, spec, Some(&fabric))?;
        disk::attach(home, self.layers(&spec.image)?)?;
        fabric.attach(&spec.id, &spec.network)?;
        let keeper = self.spawn_keeper(home)?;
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

    /// Starts the process that will hold the VM, detached from this one.
    fn spawn_keeper(&self, home: &Home) -> Result<Process, Error> {
        record::remove(&home.keeper_record())?;
        let doing = || format!("start the keeper {}", self.keeper.display());
        let log = File::create(home.keeper_log()).map_err(Error::io(doing()))?;
        let mut child = Command::new(&self.keeper)
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

    fn stop_held(&self, home: &Home, spec: &MachineSpec, how: Stop) -> Result<(), Error> {
        let Some(record) = keeper::Record::read(home)? else { return Ok(()) };
        if record.keeper.is_alive() {
            let left = match how {
                Stop::Graceful => power_off(&record)?,
                Stop::Hard => true,
            };
            if left {
                pull_the_plug(&record);
            }
        }
        if record.exit.is_none() {
            release(home, spec, Fabric::open(&self.state).ok().as_ref())?;
        }
        Ok(())
    }
}

impl Engine for Nspawn {
    fn create(&self, spec: &MachineSpec) -> Result<(), Error> {
        self.layers(&spec.image)?;
        spec.check()?;
        let _held = lock::hold(&self.state.join("machines.lock"))?;
        let home = self.home(&spec.id);
        if home.path().exists() {
            return Err(Error::Exists(spec.id.clone()));
        }
        let new = Home::unfinished(&self.state, &spec.id);
        discard(&new)?;
        if let Err(error) = self.make(&new, spec) {
            discard(&new)?;
            return Err(error);
        }
        fs::rename(new.path(), home.path())
            .map_err(Error::io(format!("make {}", home.path().display())))
    }

    fn start(&self, id: &MachineId) -> Result<(), Error> {
        let home = self.home(id);
        let _held = home.hold(id)?;
        let spec = home.spec()?.ok_or_else(|| Error::NotFound(id.clone()))?;
        if let Some(record) = keeper::Record::read(&home)? {
            if record.is_running() {
                return Ok(());
            }
            // It powered itself off and its keeper is still tidying up.
            record.keeper.wait(DEATH);
        }
        self.start_held(&home, &spec)
    }

    fn stop(&self, id: &MachineId, how: Stop) -> Result<(), Error> {
        let home = self.home(id);
        let _held = home.hold(id)?;
        let spec = home.spec()?.ok_or_else(|| Error::NotFound(id.clone()))?;
        self.stop_held(&home, &spec, how)
    }

    fn delete(&self, id: &MachineId) -> Result<(), Error> {
        let home = self.home(id);
        let _held = home.hold(id)?;
        let spec = home.spec()?.ok_or_else(|| Error::NotFound(id.clone()))?;
        self.stop_held(&home, &spec, Stop::Hard)?;
        release(&home, &spec, Fabric::open(&self.state).ok().as_ref())?;
        // Out of sight first: half a VM must never be listed.
        let doomed = Home::doomed(&self.state, id);
        discard(&doomed)?;
        fs::rename(home.path(), doomed.path())
            .map_err(Error::io(format!("remove {}", home.path().display())))?;
        discard(&doomed)
    }

    fn power(&self, id: &MachineId) -> Result<Power, Error> {
        let home = self.home(id);
        if !home.exists() {
            return Err(Error::NotFound(id.clone()));
        }
        let running =
            keeper::Record::read(&home)?.is_some_and(|record| record.is_running());
        Ok(if running { Power::Running } else { Power::Stopped })
    }

    fn list(&self) -> Result<Vec<MachineSpec>, Error> {
        home::list(&self.state)
    }

    fn console_log(&self, id: &MachineId) -> Result<Vec<u8>, Error> {
        let home = self.home(id);
        if !home.exists() {
            return Err(Error::NotFound(id.clone()));
        }
        Log::read(&home.console_log())
    }

    fn console(&self, id: &MachineId) -> Result<UnixStream, Error> {
        if self.power(id)? == Power::Stopped {
            return Err(Error::NotRunning(id.clone()));
        }
        let home = self.home(id);
        let doing = || format!("open the console of {id}");
        let directory = File::open(home.path()).map_err(Error::io(doing()))?;
        // The directory's path may be longer than a socket's address can be.
        let path = format!("/proc/self/fd/{}/console.sock", directory.as_raw_fd());
        UnixStream::connect(path).map_err(Error::io(doing()))
    }

    fn exec(
        &self,
        id: &MachineId,
        argv: &[String],
        stdin: &[u8],
        limit: Duration,
    ) -> Result<ExecOutput, Error> {
        if self.power(id)? == Power::Stopped {
            return Err(Error::NotRunning(id.clone()));
        }
        let began = Instant::now();
        let home = self.home(id);
        // Between two boots there is no init for a moment.
        let leader = until(limit, || leader(&home))
            .ok_or_else(|| Error::NotRunning(id.clone()))?;
        exec::run(&leader, argv, stdin, limit.saturating_sub(began.elapsed()))
    }
}

/// The init of a VM that runs.
fn leader(home: &Home) -> Option<Process> {
    boot::leader(keeper::Record::read(home).ok()??.nspawn.as_ref()?)
}

/// Asks for something every few milliseconds until it is there.
fn until<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
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

/// Asks init to power off. True if the VM still runs after the grace period.
///
/// An init that has only just begun loses the signal, so it is said again.
fn power_off(record: &keeper::Record) -> Result<bool, Error> {
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline {
        if let Some(leader) = record.nspawn.as_ref().and_then(boot::leader) {
            let pid = leader.pid().to_string();
            // A real-time signal, which has no name in safe Rust.
            match command::succeed("kill", &["-s", "RTMIN+4", &pid], b"") {
                // The VM was quicker.
                Err(_) if !leader.is_alive() => {}
                outcome => drop(outcome?),
            }
        }
        if record.keeper.wait(AGAIN) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Kills init, and so everything in the guest; whatever still lives afterwards is
/// in the VM's cgroup.
fn pull_the_plug(record: &keeper::Record) {
    if let Some(leader) = record.nspawn.as_ref().and_then(boot::leader) {
        leader.signal(Signal::KILL);
        if record.keeper.wait(DEATH) {
            return;
        }
    }
    record.keeper.signal(Signal::KILL);
    record.keeper.wait(DEATH);
}

/// Ends and undoes all that a running VM is on the host, whatever is left of it.
pub(crate) fn release(
    home: &Home,
    spec: &MachineSpec,
    fabric: Option<&Fabric>,
) -> Result<(), Error> {
    if let Some(fabric) = fabric {
        let group = Path::new(&fabric.slot().name()).join(spec.id.as_str());
        if !cgroup::remove(&group)? {
            return Err(Error::Unstoppable(spec.id.clone()));
        }
        fabric.detach(&spec.id, &spec.network)?;
        forget(&boot::name(fabric, &spec.id));
    }
    disk::detach(home)?;
    record::remove(&home.console_socket())
}

/// Removes what nspawns that were killed left in /run, by the start of their
/// names. It is empty and would be used again, so a failure does no harm.
pub(crate) fn forget(prefix: &str) {
    let Ok(entries) = fs::read_dir("/run/systemd/nspawn/propagate") else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Unmounts and removes the directory of a VM that is no VM.
fn discard(home: &Home) -> Result<(), Error> {
    disk::detach(home)?;
    disk::remove(home)
}

/// 128 random bits, as machine-id(5) wants them.
fn fresh_machine_id() -> Result<String, Error> {
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid")
        .map_err(Error::io("take a random machine id from the kernel"))?;
    Ok(uuid.chars().filter(char::is_ascii_hexdigit).collect())
}

/// What explains a failed boot: the end of the console and of the keeper's log.
fn last_words(home: &Home) -> String {
    let mut text = Log::read(&home.console_log()).unwrap_or_default();
    text.extend(fs::read(home.keeper_log()).unwrap_or_default());
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
