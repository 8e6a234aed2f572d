//! VMs that are only said to run: the same states, errors and records as real
//! ones, no process behind them. For tests of the cloud with a thousand VMs,
//! and for hosts without root.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::engine::{End, Engine, ExecOutput, Power, Stop};
use crate::error::Error;
use crate::home::{self, Home};
use crate::keeper::Log;
use crate::record;
use crate::spec::{Attachment, MachineId, MachineSpec};

/// The engine that simulates. What it knows is on disk, as with real VMs.
#[derive(Debug)]
pub struct Fake {
    state: PathBuf,
    images: Vec<String>,
}

impl Fake {
    /// `state` is the lab's state directory, `images` the names of images that
    /// it pretends to have.
    pub fn new(state: &Path, images: &[&str]) -> Result<Self, Error> {
        fs::create_dir_all(state)
            .map_err(Error::io(format!("make {}", state.display())))?;
        let images = images.iter().map(|&image| image.to_owned()).collect();
        Ok(Self { state: state.to_owned(), images })
    }

    fn home(&self, id: &MachineId) -> Home {
        Home::new(&self.state, id)
    }

    fn running(&self, id: &MachineId) -> Result<MachineSpec, Error> {
        let spec = self.home(id).spec()?.ok_or_else(|| Error::NotFound(id.clone()))?;
        match self.power(id)? {
            Power::Running => Ok(spec),
            Power::Stopped => Err(Error::NotRunning(id.clone())),
        }
    }
}

impl Engine for Fake {
    fn create(&self, spec: &MachineSpec) -> Result<(), Error> {
        if !self.images.contains(&spec.image) {
            return Err(Error::UnknownImage(spec.image.clone()));
        }
        spec.check()?;
        let home = self.home(&spec.id);
        if home.exists() {
            return Err(Error::Exists(spec.id.clone()));
        }
        home.make()?;
        home.write_spec(spec)
    }

    fn start(&self, id: &MachineId) -> Result<(), Error> {
        let home = self.home(id);
        let _held = home.hold(id)?;
        let spec = home.spec()?.ok_or_else(|| Error::NotFound(id.clone()))?;
        if self.power(id)? == Power::Running {
            return Ok(());
        }
        say(
            &home,
            &format!(
                "\r\nWelcome to a fake Linux ({})!\r\n\r\n{}",
                spec.image,
                prompt(&spec)
            ),
        )?;
        record::write(&power_file(&home), &true)
    }

    fn stop(&self, id: &MachineId, how: Stop) -> Result<(), Error> {
        let home = self.home(id);
        let _held = home.hold(id)?;
        if self.power(id)? == Power::Stopped {
            return Ok(());
        }
        if how == Stop::Graceful {
            say(&home, "\r\nReached target poweroff.target - System Power Off.\r\n")?;
        }
        record::remove(&power_file(&home))
    }

    fn relocate(&self, id: &MachineId, network: &Attachment) -> Result<(), Error> {
        let home = self.home(id);
        let _held = home.hold(id)?;
        let spec = home.spec()?.ok_or_else(|| Error::NotFound(id.clone()))?;
        if self.power(id)? == Power::Running {
            return Err(Error::Running(id.clone()));
        }
        home.write_spec(&MachineSpec { network: network.clone(), ..spec })
    }

    fn delete(&self, id: &MachineId) -> Result<(), Error> {
        let home = self.home(id);
        let _held = home.hold(id)?;
        fs::remove_dir_all(home.path())
            .map_err(Error::io(format!("remove {}", home.path().display())))
    }

    fn power(&self, id: &MachineId) -> Result<Power, Error> {
        let home = self.home(id);
        if !home.exists() {
            return Err(Error::NotFound(id.clone()));
        }
        let running = power_file(&home).exists();
        Ok(if running { Power::Running } else { Power::Stopped })
    }

    fn ended(&self, id: &MachineId) -> Result<Option<End>, Error> {
        let has_run = self.home(id).console_log().exists();
        let stopped = self.power(id)? == Power::Stopped;
        Ok((has_run && stopped).then_some(End::PoweredOff))
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
        let spec = self.running(id)?;
        let (client, line) =
            UnixStream::pair().map_err(Error::io(format!("open the console of {id}")))?;
        thread::spawn(move || answer(line, &prompt(&spec)));
        Ok(client)
    }

    fn exec(
        &self,
        id: &MachineId,
        argv: &[String],
        stdin: &[u8],
        _limit: Duration,
    ) -> Result<ExecOutput, Error> {
        let spec = self.running(id)?;
        let (program, args) =
            argv.split_first().map_or(("", argv), |(program, args)| (program, args));
        let (status, stdout, stderr) = match program {
            "true" => (0, Vec::new(), String::new()),
            "false" => (1, Vec::new(), String::new()),
            "echo" => (0, format!("{}\n", args.join(" ")).into_bytes(), String::new()),
            "cat" if args.is_empty() => (0, stdin.to_vec(), String::new()),
            "hostname" => (0, format!("{}\n", spec.hostname).into_bytes(), String::new()),
            other => (
                127,
                Vec::new(),
                format!("{other}: a fake VM does not know this command\n"),
            ),
        };
        Ok(ExecOutput { status, stdout, stderr: stderr.into_bytes() })
    }
}

/// There while the VM runs.
fn power_file(home: &Home) -> PathBuf {
    home.path().join("power.json")
}

fn prompt(spec: &MachineSpec) -> String {
    format!("{} login: ", spec.hostname)
}

fn say(home: &Home, text: &str) -> Result<(), Error> {
    Log::open(&home.console_log())
        .and_then(|mut log| log.append(text.as_bytes()))
        .map_err(Error::io("write the console's log"))
}

/// A terminal that echoes, with a login prompt that nobody gets past.
fn answer(mut line: UnixStream, prompt: &str) {
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = line.read(&mut buffer) {
        let typed = &buffer[..n];
        let mut reply = typed.to_vec();
        if typed.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
            reply.extend(format!("\r\n{prompt}").bytes());
        }
        if line.write_all(&reply).is_err() {
            return;
        }
    }
}
