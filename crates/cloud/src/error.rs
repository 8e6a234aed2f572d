//! Why a server could not start, or had to stop.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why [`crate::serve`] returned without having been asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server is for this host only; its certificate says so, too.
    #[error("{0} is not a loopback address; listen on 127.0.0.1")]
    NotLoopback(SocketAddr),
    /// The port is taken, or the address is not this host's.
    #[error(
        "cannot listen on {address}; if another program has this port, choose another one"
    )]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Another server works on the same state directory.
    #[error(
        "another server already uses {state}; stop it, or choose another state directory"
    )]
    Locked {
        /// The state directory.
        state: PathBuf,
    },
    /// A file of the state directory could not be read or written.
    #[error("cannot {doing} {path}")]
    State {
        /// What was being done.
        doing: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A file of the state directory is not what this server writes.
    #[error("{path} is damaged; remove the state directory to start anew")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A certificate could not be made.
    #[error("cannot make the server's certificate")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database could not be opened or read.
    #[error("cannot use the state directory's database")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Virtual machines cannot be run here.
    #[error("cannot prepare this host for virtual machines")]
    Machine(#[source] machine::Error),
    /// The system would not say when to stop.
    #[error("cannot listen for signals")]
    Signal(#[source] io::Error),
    /// The listener failed.
    #[error("the server stopped listening")]
    Serve(#[source] io::Error),
}
