//! The process that holds one running VM.
//!
//! A VM dies with the terminal that it was given, so that terminal must not
//! belong to the server, which may be killed and started again. A keeper is
//! started for each power-on. It boots the VM, carries its console to a log and
//! to whoever connects, boots it again when the guest reboots, and at the end
//! undoes all that the VM was on the host:
//!
//! ```text
//! enter cgroup ─► boot ─► attend console ─┬─ reboot ─► fresh network ─► boot …
//!                                         └─ end ───► release ─► record the end
//! ```
//!
//! It talks to nobody: what it does is written in `keeper.json`, and it is
//! stopped by ending its VM.

mod console;
mod log;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::ExitStatus;

use serde::{Deserialize, Serialize};

use self::console::Console;
pub(crate) use self::log::Log;
use crate::error::Error;
use crate::fabric::Fabric;
use crate::home::Home;
use crate::nspawn::{self, boot, cgroup};
use crate::process::Process;
use crate::record;
use crate::spec::MachineSpec;

/// `keeper.json`: who holds the VM, and how it ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) keeper: Process,
    /// None between two boots.
    pub(crate) nspawn: Option<Process>,
    /// nspawn's last exit status, -1 if a signal ended it. Once it is here, the
    /// VM has stopped for good and has been released.
    pub(crate) exit: Option<i32>,
}

impl Record {
    /// The record of the VM's last power-on, if it was ever started.
    pub(crate) fn read(home: &Home) -> Result<Option<Self>, Error> {
        record::read(&home.keeper_record())
    }

    fn write(&self, home: &Home) -> Result<(), Error> {
        record::write(&home.keeper_record(), self)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.exit.is_none() && self.keeper.is_alive()
    }
}

/// Holds the VM in `directory` until it ends. Its disk is mounted and its
/// network attached. What goes wrong is also written to `keeper.log` there.
pub fn run(directory: &Path) -> Result<(), Error> {
    let outcome = hold(directory);
    if let Err(error) = &outcome {
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .open(directory.join("keeper.log"));
        // Nobody is there to be told that even this failed.
        let _ = log.and_then(|mut log| writeln!(log, "keeper: {}", chain(error)));
    }
    outcome
}

fn hold(directory: &Path) -> Result<(), Error> {
    // A signal to the server's terminal must not reach us. It fails only where
    // a shell has made us the leader of a group already.
    let _ = rustix::process::setsid();
    let directory = fs::canonicalize(directory)
        .map_err(Error::io(format!("find {}", directory.display())))?;
    let home = Home::at(directory);
    let spec = home
        .spec()?
        .ok_or_else(|| Error::Host(format!("{} is no VM", home.path().display())))?;
    let fabric = Fabric::find(home.state())?.ok_or(Error::FabricDown)?;
    cgroup::enter(&Path::new(&fabric.slot().name()).join(spec.id.as_str()))?;

    let keeper = Process::of(std::process::id())
        .map_err(Error::io("find this process in /proc"))?;
    let mut record = Record { keeper, nspawn: None, exit: None };
    let outcome = boots(&home, &spec, &fabric, &mut record);

    // Whatever happened, nothing of the VM may stay. It dies without its terminal.
    cgroup::leave()?;
    nspawn::release(&home, &spec, Some(&fabric))?;
    record.nspawn = None;
    record.exit = Some(outcome.as_ref().ok().and_then(ExitStatus::code).unwrap_or(-1));
    record.write(&home)?;
    outcome.map(drop)
}

/// Boots the VM until it does not want to be booted again.
fn boots(
    home: &Home,
    spec: &MachineSpec,
    fabric: &Fabric,
    record: &mut Record,
) -> Result<ExitStatus, Error> {
    let mut console = Console::open(home)?;
    let mut namespace = fabric.namespace(&spec.id);
    loop {
        let mut nspawn = boot::command(home, spec, fabric, &namespace);
        nspawn.stdin(console.line()?).stdout(console.line()?).stderr(console.line()?);
        // Started in the VM's namespace, because it mounts the guest's /sys
        // before it enters the one that it is told of, and /sys shows the
        // network of whoever mounts it.
        let mut child = namespace.within(|| nspawn.spawn())?.map_err(Error::io(
            "run systemd-nspawn (apt-get install systemd-container)",
        ))?;
        record.nspawn = Process::of(child.id()).ok();
        record.write(home)?;
        let status = console.attend(&mut child)?;
        record.nspawn = None;
        record.write(home)?;
        if status.code() != Some(boot::REBOOT) {
            return Ok(status);
        }
        // A reboot forgets addresses, routes and firewall rules.
        namespace = fabric.attach(&spec.id, &spec.network)?;
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
