//! The same three questions, of fifty thousand hosts.
//!
//! One driver task starts a probe per target, as many at a time and as many a
//! second as [`Pace`] allows, and results come out of a channel as they are found.
//! A receiver that is dropped ends the run: no new probe starts, and those under
//! way are aborted.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Limits, Names, WayIn, way_in};

/// Descriptors that the rest of the process needs beside the probes.
const SPARE_DESCRIPTORS: u64 = 64;

/// One host to probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// How hard the fleet is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Probes under way at a time.
    pub concurrency: usize,
    /// Probes started a second; none for as fast as they go.
    pub per_second: Option<u32>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { concurrency: 1024, per_second: None }
    }
}

/// One target's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The target.
    #[serde(flatten)]
    pub target: Target,
    /// What was seen.
    #[serde(flatten)]
    pub way_in: WayIn,
}

/// Probes every target; results arrive in the order in which they are found.
///
/// Must be called inside a tokio runtime. A process that probes many at once should
/// have called [`raise_open_files`]; the concurrency is cut to what is allowed.
pub fn fleet(
    names: Arc<Names>,
    targets: impl IntoIterator<Item = Target, IntoIter: Send> + Send + 'static,
    limits: Limits,
    pace: Pace,
) -> mpsc::Receiver<Found> {
    let (sender, receiver) = mpsc::channel(256);
    let concurrency = pace.concurrency.clamp(1, affordable());
    tokio::spawn(drive(names, targets, limits, Pace { concurrency, ..pace }, sender));
    receiver
}

async fn drive(
    names: Arc<Names>,
    targets: impl IntoIterator<Item = Target, IntoIter: Send> + Send,
    limits: Limits,
    pace: Pace,
    sender: mpsc::Sender<Found>,
) {
    let permits = Arc::new(Semaphore::new(pace.concurrency));
    let mut ticks = pace.per_second.filter(|&rate| rate > 0).map(|rate| {
        let mut ticks = interval(Duration::from_secs(1) / rate);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks
    });
    let mut probes = JoinSet::new();
    for target in targets {
        if let Some(ticks) = &mut ticks {
            ticks.tick().await;
        }
        let permit = tokio::select! {
            // `acquire` fails only on a closed semaphore, and nobody closes this one.
            permit = Arc::clone(&permits).acquire_owned() => permit,
            () = sender.closed() => return,
        };
        let (names, sender) = (Arc::clone(&names), sender.clone());
        probes.spawn(async move {
            let _permit = permit;
            let way_in = way_in(&names, &target.host, target.port, &limits).await;
            // The receiver is gone: nobody waits for this result.
            let _ = sender.send(Found { target, way_in }).await;
        });
        // Finished tasks leave the set here, or it would grow with the fleet.
        while probes.try_join_next().is_some() {}
    }
    tokio::select! {
        () = async { while probes.join_next().await.is_some() {} } => {}
        () = sender.closed() => {}
    }
}

/// Raises the soft limit of open files to the hard one and returns what it is now.
pub fn raise_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Where it is not allowed, the old limit stands, and `fleet` keeps to it.
    let _ = setrlimit(Resource::Nofile, raised);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// How many sockets this process can afford.
fn affordable() -> usize {
    let open = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(open.saturating_sub(SPARE_DESCRIPTORS)).unwrap_or(usize::MAX).max(1)
}
