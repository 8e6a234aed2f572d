//! What can go wrong with a VM or with the fabric.

use std::fmt::Display;
use std::io;
use std::net::Ipv4Addr;

use crate::command::CommandError;
use crate::spec::MachineId;

/// An engine's or the fabric's failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such VM in this state directory.
    #[error("there is no machine {0}")]
    NotFound(MachineId),
    /// Its id is taken.
    #[error("machine {0} exists already")]
    Exists(MachineId),
    /// It would have to run for this.
    #[error("machine {0} is not running")]
    NotRunning(MachineId),
    /// It would have to be stopped for this.
    #[error("machine {0} is running")]
    Running(MachineId),
    /// The engine was given no such image.
    #[error("there is no image {0:?}")]
    UnknownImage(String),
    /// A seed file's path is not an absolute path to a file.
    #[error(
        "{0:?} cannot be a file in the guest: an absolute path without `..` is needed"
    )]
    SeedPath(std::path::PathBuf),
    /// The VM's init never ran, or ended at once.
    #[error("machine {id} did not boot; its console ends with:\n{console}")]
    DidNotBoot {
        /// Which VM.
        id: MachineId,
        /// The last lines that the VM, or nspawn, wrote.
        console: String,
    },
    /// Even killing it did not end it.
    #[error("machine {0} cannot be stopped: its processes do not die")]
    Unstoppable(MachineId),
    /// The host is not ready for this; the text says what to do.
    #[error("{0}")]
    Host(String),
    /// Every slot of 127.64.0.0/16 is taken by a lab whose state directory exists.
    #[error("all 64 labs that fit on one host are up; take one down first")]
    NoSlot,
    /// The fabric is not up.
    #[error("the lab's network is down; bring it up first")]
    FabricDown,
    /// No such virtual network in the applied topology.
    #[error("there is no virtual network {0:?} in the fabric")]
    UnknownVnet(String),
    /// A public address outside of the lab's range.
    #[error("the public address {address} is outside of this lab's range {range}")]
    PublicAddress {
        /// The address.
        address: Ipv4Addr,
        /// Where it must be.
        range: ipnet::Ipv4Net,
    },
    /// A program of the host failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The system refused something.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A record in the state directory is not what this program writes.
    #[error("cannot understand {path}")]
    Record {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Error {
    /// For `map_err`: names what was being done when the system refused.
    pub(crate) fn io<E: Into<io::Error>>(doing: impl Display) -> impl FnOnce(E) -> Self {
        move |source| Self::Io { doing: doing.to_string(), source: source.into() }
    }
}
