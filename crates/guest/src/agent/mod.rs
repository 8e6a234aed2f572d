//! The agent: fetches the goal state, runs handlers, reports.
//!
//! ```text
//! poller thread ── Goal ──►┌──────┐── spawn ─► handler thread ─► child process
//! (long poll)              │ main │◄── Done ────────┘
//!         every 15 s, Tick │ loop │── PUT status (also at once after Goal and Done)
//!                          └──────┘
//! ```
//!
//! The main loop owns all state, the threads only send events. A handler runs as a
//! child process with a time limit, so neither a panic nor a hang can stop the agent.
//! The server may vanish at any time: the poller tries again within two seconds, and a
//! report that failed is repeated as quickly.

mod goal_state;
mod handlers;
mod http;
mod status;
mod transport;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::handler::{AGENT_DIRECTORY, HandlerError, full_text, make_private_dir};
use goal_state::{Goal, Poller};
use handlers::Handlers;
use status::Reporter;

/// How often the agent says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Pauses after a failure double from the first to the second.
const BACKOFF: (Duration, Duration) =
    (Duration::from_millis(100), Duration::from_secs(2));

/// Where the agent finds its server, and where it lives.
#[derive(Clone, Debug)]
pub struct Config {
    /// Root directory of the system, `/` except in tests.
    pub root: PathBuf,
    /// Address of the WireServer as `host[:port]`.
    pub wire_server: String,
    /// Address of the host's plugin as `host[:port]`.
    pub host_plugin: String,
    /// The program that runs handlers: `regain-guest` itself.
    pub program: PathBuf,
}

impl Config {
    /// The addresses that every VM finds its platform at.
    pub fn platform(program: PathBuf) -> Config {
        Config {
            root: PathBuf::from("/"),
            wire_server: "168.63.129.16".to_owned(),
            host_plugin: "168.63.129.16:32526".to_owned(),
            program,
        }
    }
}

/// Why the agent could not begin.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// Its directory cannot be used.
    #[error(transparent)]
    Handler(#[from] HandlerError),
    /// It cannot make its certificate.
    #[error("could not make the transport certificate")]
    Transport(#[source] crate::envelope::EnvelopeError),
}

enum Event {
    Goal(Box<Goal>),
    Done(Box<handlers::Done>),
}

/// Runs for ever. Returns only when it cannot begin.
pub fn run(config: &Config) -> Result<std::convert::Infallible, AgentError> {
    let directory = config.root.join(AGENT_DIRECTORY);
    make_private_dir(&directory)?;
    let transport = transport::load_or_make(&directory)?;
    let (send, events) = channel();
    let poller = Poller::new(config, &directory, transport);
    let to_main = send.clone();
    thread::spawn(move || {
        poller.run(|goal| to_main.send(Event::Goal(Box::new(goal))).is_ok());
    });
    let handlers = Handlers::new(config, &directory);
    serve(config, handlers, &send, &events)
}

fn serve(
    config: &Config,
    mut handlers: Handlers,
    send: &Sender<Event>,
    events: &Receiver<Event>,
) -> ! {
    let mut reporter = Reporter::new(config);
    let mut due = Instant::now();
    let mut pause = BACKOFF.0;
    loop {
        match events.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(Event::Goal(goal)) => {
                reporter.aim(&goal);
                handlers.apply(goal.config, send);
            }
            Ok(Event::Done(done)) => handlers.finish(*done, send),
            // This end holds a sender too, so the channel is never closed.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        match reporter.report(handlers.statuses()) {
            Ok(()) => {
                due = Instant::now() + HEARTBEAT;
                pause = BACKOFF.0;
            }
            Err(error) => {
                crate::log::line(&format!("status: {}", full_text(&error)));
                due = Instant::now() + pause;
                pause = (pause * 2).min(BACKOFF.1);
            }
        }
    }
}
