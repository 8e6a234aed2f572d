//! What a server is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::Weather;

/// Where a server keeps its state and what it makes machines with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The state directory: database, keys, machines. One server at a time.
    pub state: PathBuf,
    /// A loopback address and port; port 0 takes any free one.
    pub listen: SocketAddr,
    /// What runs the virtual machines.
    pub engine: EngineKind,
    /// Where images are kept between labs.
    pub cache: PathBuf,
    /// The static `regain-guest` binary that goes into every image.
    pub guest_binary: PathBuf,
    /// The executable whose `machine-keeper` subcommand holds one machine.
    pub keeper: PathBuf,
    /// In which ways it behaves as Azure does; none for what the state directory says.
    pub weather: Option<Weather>,
}

/// What runs the virtual machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// systemd-nspawn on this host, behind a real network. Needs root.
    Nspawn,
    /// Machines that exist in name only, each with a simulated agent: for tests
    /// of what speaks to the server.
    Fake,
}

/// How many requests a principal may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At once, after a rest.
    pub burst: u32,
    /// In the long run.
    pub per_second: u32,
}

/// How long the server waits for what, and how much it takes.
#[derive(Clone, Debug)]
pub struct Limits {
    /// An operation that ends within this is answered synchronously.
    pub synchronous: Duration,
    /// A request waits this long for another writer of the same resource, then
    /// it is refused as a conflict.
    pub queue: Duration,
    /// A new machine's agent must report within this.
    pub first_report: Duration,
    /// An agent must fetch new extension settings within this.
    pub pickup: Duration,
    /// The same for an agent that is known to be gone: its machine's init may be
    /// starting it again.
    pub pickup_when_lost: Duration,
    /// An extension must end within this.
    pub extension: Duration,
    /// A run command must end within this (Azure's 90 minutes).
    pub run_command: Duration,
    /// An agent that was silent for this is not ready.
    pub stale: Duration,
    /// Between two looks at every machine's health.
    pub health: Duration,
    /// A principal's GET and HEAD; more are answered 429. The defaults are far
    /// beyond Azure's: they stop a client that runs wild, not a busy one.
    pub reads: Rate,
    /// The same for PUT, PATCH and POST.
    pub writes: Rate,
    /// The same for DELETE.
    pub deletes: Rate,
    /// A token is valid for this.
    pub token: Duration,
    /// How long a simulated agent takes for anything it is told.
    pub simulated_work: Duration,
    /// A client must have sent its request, headers and body, within this.
    pub slow_client: Duration,
    /// A list has at most so many items on a page.
    pub page: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            synchronous: Duration::from_secs(1),
            queue: Duration::from_secs(20),
            first_report: Duration::from_secs(15),
            pickup: Duration::from_secs(20),
            pickup_when_lost: Duration::from_secs(5),
            extension: Duration::from_secs(90),
            run_command: Duration::from_secs(90 * 60),
            stale: Duration::from_secs(30),
            health: Duration::from_secs(15),
            reads: Rate { burst: 1_000_000, per_second: 100_000 },
            writes: Rate { burst: 1_000_000, per_second: 100_000 },
            deletes: Rate { burst: 1_000_000, per_second: 100_000 },
            token: Duration::from_secs(8 * 60 * 60),
            simulated_work: Duration::ZERO,
            slow_client: Duration::from_secs(60),
            page: 1000,
        }
    }
}
