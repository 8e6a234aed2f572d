//! What the thing behind an open port says first.
//!
//! The probe sends its own identification at once, as ssh does: sshd holds its
//! KEXINIT back until it has the client's line, and an HTTP or TLS server says
//! nothing at all until it is spoken to, and then says what it is.

use std::io;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant as Deadline, timeout_at};

use crate::tcp::millis_since;
use crate::wire::{self, Identification, KexInit};

/// What the probe calls itself. sshd writes it into its log, so that an operator
/// who reads that log knows who knocked.
const OWN_LINE: &[u8] = b"SSH-2.0-regain_probe\r\n";

/// The lines that sshd itself sends in clear before it hangs up on a client that
/// it will not serve now.
const SSHD_REFUSALS: [&str; 2] = ["Not allowed at this time", "Exceeded MaxStartups"];

/// How much of something that is not SSH is kept, lines.
const SAMPLE_LINES: usize = 8;

/// How the greeting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum GreetingOutcome {
    /// Banner and KEXINIT came.
    Ok,
    /// Nothing came, and the connection stayed open.
    Silent,
    /// The server hung up before a banner.
    Closed,
    /// The connection was reset before a banner.
    Reset,
    /// Something spoke, and it is not an SSH server.
    NotSsh,
    /// A banner came, and no usable KEXINIT after it.
    NoKexinit,
}

/// What the server said first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Greeting {
    /// How it ended.
    pub outcome: GreetingOutcome,
    /// The identification line (`SSH-2.0-...`), if one came.
    pub banner: Option<String>,
    /// Lines before it, or the first lines of something that is not SSH.
    pub before_banner: Vec<String>,
    /// Which protocol it is instead, if that is known.
    pub protocol: Option<&'static str>,
    /// From the connect to the banner, milliseconds.
    pub banner_millis: Option<u64>,
    /// The server's algorithms.
    pub offer: Option<KexInit>,
    /// Why it ended so, where a sentence says more than the outcome.
    pub error: Option<String>,
    /// How long all of it took, milliseconds. A reset after 5 s is the mark of TCP
    /// wrappers.
    pub millis: u64,
}

/// Why reading stopped before the greeting was whole.
enum Stop {
    Elapsed,
    Closed,
    Io(io::Error),
}

/// Reads the server's greeting within `limit` and hangs up.
pub async fn greet(mut stream: TcpStream, limit: Duration) -> Greeting {
    let started = Instant::now();
    let deadline = Deadline::now() + limit;
    let mut buffer = Vec::with_capacity(2048);
    let mut greeting = Greeting {
        outcome: GreetingOutcome::Silent,
        banner: None,
        before_banner: Vec::new(),
        protocol: None,
        banner_millis: None,
        offer: None,
        error: None,
        millis: 0,
    };
    // A server that has hung up already makes this fail; reading tells how.
    let _ = stream.write_all(OWN_LINE).await;
    let ended =
        exchange(&mut stream, deadline, started, &mut buffer, &mut greeting).await;
    greeting.millis = millis_since(started);
    match ended {
        Ok(()) => greeting,
        Err(stop) => conclude(greeting, &buffer, &stop),
    }
}

/// Fills the greeting as far as the server lets it. `Ok` when it is decided.
async fn exchange(
    stream: &mut TcpStream,
    deadline: Deadline,
    started: Instant,
    buffer: &mut Vec<u8>,
    greeting: &mut Greeting,
) -> Result<(), Stop> {
    let Identification { before, line, length } = loop {
        let decided = match wire::identification(buffer) {
            Ok(Some(found)) => break found,
            Ok(None) => wire::other_protocol(buffer).map(|_| None),
            Err(error) => Some(Some(error.to_string())),
        };
        if let Some(error) = decided {
            greeting.error = error;
            not_ssh(greeting, buffer);
            return Ok(());
        }
        read(stream, deadline, buffer).await?;
    };
    greeting.banner_millis = Some(millis_since(started));
    greeting.before_banner = before;
    greeting.outcome = GreetingOutcome::NoKexinit;
    let speaks_2 = line.starts_with("SSH-2.0-") || line.starts_with("SSH-1.99-");
    greeting.banner = Some(line);
    if !speaks_2 {
        greeting.error = Some("the server does not speak SSH 2".to_owned());
        return Ok(());
    }
    buffer.drain(..length);
    loop {
        match wire::kexinit(buffer) {
            Ok(Some(offer)) => {
                greeting.outcome = GreetingOutcome::Ok;
                greeting.offer = Some(offer);
                return Ok(());
            }
            Ok(None) => read(stream, deadline, buffer).await?,
            Err(error) => {
                greeting.error = Some(error.to_string());
                return Ok(());
            }
        }
    }
}

async fn read(
    stream: &mut TcpStream,
    deadline: Deadline,
    buffer: &mut Vec<u8>,
) -> Result<(), Stop> {
    match timeout_at(deadline, stream.read_buf(buffer)).await {
        Err(_elapsed) => Err(Stop::Elapsed),
        Ok(Ok(0)) => Err(Stop::Closed),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Stop::Io(error)),
    }
}

/// Decides a greeting that broke off.
fn conclude(mut greeting: Greeting, buffer: &[u8], stop: &Stop) -> Greeting {
    greeting.error = Some(match stop {
        Stop::Elapsed => "nothing more came in time".to_owned(),
        Stop::Closed => "the server closed the connection".to_owned(),
        Stop::Io(error) => error.to_string(),
    });
    if greeting.banner.is_some() {
        return greeting;
    }
    let spoke = !buffer.is_empty();
    match stop {
        Stop::Elapsed if spoke => not_ssh(&mut greeting, buffer),
        Stop::Elapsed => {}
        Stop::Closed => {
            greeting.before_banner = sample(buffer);
            let refused = greeting.before_banner.first().is_some_and(|line| {
                SSHD_REFUSALS.iter().any(|refusal| line.starts_with(refusal))
            });
            greeting.outcome = GreetingOutcome::Closed;
            if spoke && !refused {
                not_ssh(&mut greeting, buffer);
            }
        }
        Stop::Io(_) => {
            greeting.before_banner = sample(buffer);
            greeting.outcome = GreetingOutcome::Reset;
        }
    }
    greeting
}

fn not_ssh(greeting: &mut Greeting, buffer: &[u8]) {
    greeting.outcome = GreetingOutcome::NotSsh;
    greeting.protocol = wire::other_protocol(buffer);
    greeting.before_banner = sample(buffer);
}

fn sample(buffer: &[u8]) -> Vec<String> {
    buffer
        .split(|&byte| byte == b'\n')
        .map(|line| wire::printable(line.get(..200).unwrap_or(line)))
        .filter(|line| !line.is_empty())
        .take(SAMPLE_LINES)
        .collect()
}
