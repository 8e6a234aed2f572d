//! The trait that every kind of VM satisfies.
//!
//! A VM is created once, started and stopped many times, and deleted. Every
//! call names the VM by its id and finds the truth on disk and in the kernel,
//! so an engine value holds no state that a restart of the server could lose.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::error::Error;
use crate::spec::{Attachment, MachineId, MachineSpec};

/// Whether a VM runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Its init is alive.
    Running,
    /// It is not; its disk is kept.
    Stopped,
}

/// How a VM's run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Its init powered it off, whoever asked for that.
    PoweredOff,
    /// It broke off: killed, or its init died.
    BrokenOff,
}

/// How to stop a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ask its init to power off; after a bounded wait, pull the plug.
    Graceful,
    /// Pull the plug.
    Hard,
}

/// What a command in the guest left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecOutput {
    /// Its exit status; 128 + N if signal N ended it, as a shell says it.
    pub status: i32,
    /// Its standard output, at most 16 MiB of it.
    pub stdout: Vec<u8>,
    /// Its standard error, at most 16 MiB of it.
    pub stderr: Vec<u8>,
}

/// A way to run VMs. Calls block; calls on different VMs run side by side.
pub trait Engine: Send + Sync {
    /// Makes the VM's disk from its image and writes its seed files. It does
    /// not run yet. Either all of it exists afterwards, or nothing does.
    fn create(&self, spec: &MachineSpec) -> Result<(), Error>;

    /// Powers the VM on and returns once its init runs. A running VM is left alone.
    fn start(&self, id: &MachineId) -> Result<(), Error>;

    /// Powers the VM off and returns once nothing of it runs. A stopped VM is
    /// left alone.
    fn stop(&self, id: &MachineId, how: Stop) -> Result<(), Error>;

    /// Takes the stopped VM off its host, as a move to another one does: what is on
    /// its temporary disk is lost. From its next start on it hangs in the network as
    /// `network` says. Doing so twice is doing it once.
    fn relocate(&self, id: &MachineId, network: &Attachment) -> Result<(), Error>;

    /// Removes the VM and its disk, pulling the plug first if it runs.
    fn delete(&self, id: &MachineId) -> Result<(), Error>;

    /// Whether the VM runs. A guest can power itself off at any time.
    fn power(&self, id: &MachineId) -> Result<Power, Error>;

    /// How the stopped VM's last run ended; none if it never ran, or runs.
    fn ended(&self, id: &MachineId) -> Result<Option<End>, Error>;

    /// Every VM of this state directory, by id, without seed files.
    fn list(&self) -> Result<Vec<MachineSpec>, Error>;

    /// What the VM wrote to its serial console, over all its boots, oldest
    /// first; only the last one to two MiB are kept.
    fn console_log(&self, id: &MachineId) -> Result<Vec<u8>, Error>;

    /// The running VM's serial console, both ways, from now on. Several may
    /// be open at once.
    fn console(&self, id: &MachineId) -> Result<UnixStream, Error>;

    /// Runs `argv` as root in the running guest, beside every channel that the
    /// guest knows of, for at most `limit`.
    fn exec(
        &self,
        id: &MachineId,
        argv: &[String],
        stdin: &[u8],
        limit: Duration,
    ) -> Result<ExecOutput, Error>;
}
