//! One VM's directory, `<state>/machines/<id>`, and what lies where in it.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::lock;
use crate::record;
use crate::spec::{MachineId, MachineSpec};

/// The directory of one VM.
#[derive(Debug, Clone)]
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn new(state: &Path, id: &MachineId) -> Self {
        Self(machines(state).join(id.as_str()))
    }

    /// Where a VM is made before it gets its place. A name that no id can have.
    pub(crate) fn unfinished(state: &Path, id: &MachineId) -> Self {
        Self(machines(state).join(format!(".new-{id}")))
    }

    /// Where a VM goes before it is removed. A name that no id can have.
    pub(crate) fn doomed(state: &Path, id: &MachineId) -> Self {
        Self(machines(state).join(format!(".gone-{id}")))
    }

    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The state directory that it belongs to.
    pub(crate) fn state(&self) -> &Path {
        self.0.ancestors().nth(2).unwrap_or(Path::new("/"))
    }

    /// What the guest has written.
    pub(crate) fn upper(&self) -> PathBuf {
        self.0.join("upper")
    }

    /// The overlay's own scratch directory.
    pub(crate) fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// The guest's root, while mounted.
    pub(crate) fn merged(&self) -> PathBuf {
        self.0.join("merged")
    }

    /// What is lost when the VM leaves this host.
    pub(crate) fn temporary_disk(&self) -> PathBuf {
        self.0.join("temporary")
    }

    pub(crate) fn keeper_record(&self) -> PathBuf {
        self.0.join("keeper.json")
    }

    pub(crate) fn keeper_log(&self) -> PathBuf {
        self.0.join("keeper.log")
    }

    pub(crate) fn console_log(&self) -> PathBuf {
        self.0.join("console.log")
    }

    pub(crate) fn console_socket(&self) -> PathBuf {
        self.0.join("console.sock")
    }

    fn spec_file(&self) -> PathBuf {
        self.0.join("spec.json")
    }

    /// Makes the directory, for root only.
    pub(crate) fn make(&self) -> Result<(), Error> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .map_err(Error::io(format!("make {}", self.0.display())))
    }

    pub(crate) fn exists(&self) -> bool {
        self.spec_file().exists()
    }

    pub(crate) fn write_spec(&self, spec: &MachineSpec) -> Result<(), Error> {
        record::write(&self.spec_file(), spec)
    }

    /// What the VM was made from; none if there is no such VM.
    pub(crate) fn spec(&self) -> Result<Option<MachineSpec>, Error> {
        record::read(&self.spec_file())
    }

    /// Waits until nobody else starts, stops or deletes this VM.
    pub(crate) fn hold(&self, id: &MachineId) -> Result<fs::File, Error> {
        let absent = || Error::NotFound(id.clone());
        if !self.exists() {
            return Err(absent());
        }
        let held = lock::hold(&self.0.join("lock"))?;
        // Whoever held it before may have deleted the VM.
        if self.exists() { Ok(held) } else { Err(absent()) }
    }
}

/// Every VM of the state directory, by id.
pub(crate) fn list(state: &Path) -> Result<Vec<MachineSpec>, Error> {
    let mut specs = Vec::new();
    for home in all(state)? {
        // One that is being made or deleted has none.
        specs.extend(home.spec()?);
    }
    specs.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(specs)
}

/// Every directory that belongs to a VM.
pub(crate) fn all(state: &Path) -> Result<Vec<Home>, Error> {
    let directory = machines(state);
    let doing = || format!("read {}", directory.display());
    let entries = match fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io(doing()))?,
    };
    let mut homes = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io(doing()))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.parse::<MachineId>().is_ok()) {
            homes.push(Home(path));
        }
    }
    Ok(homes)
}

pub(crate) fn machines(state: &Path) -> PathBuf {
    state.join("machines")
}
