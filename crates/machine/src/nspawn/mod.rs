//! VMs as systemd-nspawn containers: a whole Debian with its own init, network
//! and console, booted in half a second.
//!
//! ```text
//! create   directory, overlay disk, identity and seed files
//! start    disk mounted, network attached, keeper started ──► init runs
//! stop     SIGRTMIN+4 to init; or everything killed ──► keeper ends, disk unmounted
//! relocate temporary disk lost, another place in the network
//! delete   directory gone
//! ```
//!
//! While a VM runs, its [`keeper`] holds it; `keeper.json` says
//! which process that is. A VM runs exactly as long as its keeper lives and has
//! not recorded an end, whatever happens to the server in between.

pub(crate) mod boot;
pub(crate) mod cgroup;
mod disk;
mod exec;
mod power;
mod release;
mod seed;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) use self::release::{forget, release, unlock};
use crate::engine::{End, Engine, ExecOutput, Power, Stop};
use crate::error::Error;
use crate::fabric::Fabric;
use crate::home::{self, Home};
use crate::keeper::{self, Log};
use crate::lock;
use crate::spec::{Attachment, MachineId, MachineSpec};
use crate::temporary_disk;

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
        power::on(&home, &spec, self.layers(&spec.image)?, &self.keeper)
    }

    fn stop(&self, id: &MachineId, how: Stop) -> Result<(), Error> {
        let home = self.home(id);
        let _held = home.hold(id)?;
        let spec = home.spec()?.ok_or_else(|| Error::NotFound(id.clone()))?;
        power::off(&home, &spec, how)
    }

    fn relocate(&self, id: &MachineId, network: &Attachment) -> Result<(), Error> {
        let home = self.home(id);
        let _held = home.hold(id)?;
        let spec = home.spec()?.ok_or_else(|| Error::NotFound(id.clone()))?;
        if self.power(id)? == Power::Running {
            return Err(Error::Running(id.clone()));
        }
        // A keeper that was killed may have left it connected where it was.
        release(&home, &spec, Fabric::find(&self.state)?.as_ref())?;
        temporary_disk::lose(&home)?;
        home.write_spec(&MachineSpec { network: network.clone(), ..spec })
    }

    fn delete(&self, id: &MachineId) -> Result<(), Error> {
        let home = self.home(id);
        let _held = home.hold(id)?;
        let spec = home.spec()?.ok_or_else(|| Error::NotFound(id.clone()))?;
        power::off(&home, &spec, Stop::Hard)?;
        release(&home, &spec, Fabric::find(&self.state)?.as_ref())?;
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

    fn ended(&self, id: &MachineId) -> Result<Option<End>, Error> {
        let home = self.home(id);
        if !home.exists() {
            return Err(Error::NotFound(id.clone()));
        }
        Ok(match keeper::Record::read(&home)? {
            None => None,
            Some(record) if record.is_running() => None,
            Some(record) if record.exit == Some(0) => Some(End::PoweredOff),
            Some(_) => Some(End::BrokenOff),
        })
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
        let leader = power::until(limit, || match power::leader(&home) {
            Some(leader) => Some(Ok(leader)),
            None => match self.power(id) {
                Ok(Power::Running) => None,
                Ok(Power::Stopped) => Some(Err(Error::NotRunning(id.clone()))),
                Err(error) => Some(Err(error)),
            },
        });
        let leader = leader.unwrap_or_else(|| Err(Error::NotRunning(id.clone())))?;
        exec::run(&leader, argv, stdin, limit.saturating_sub(began.elapsed()))
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
