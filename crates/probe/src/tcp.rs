//! One TCP connect, with its errno kept.
//!
//! "It does not connect" has six causes that an operator treats in six ways, and
//! the errno is what tells them apart. So it is classified here, once, and its text
//! goes along.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How a connect ended, from the nearest to the farthest place that can end it.
/// The order is used: the greater of two failures says more about the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TcpOutcome {
    /// This machine would not send: a prohibit or blackhole route, a local filter,
    /// or no descriptor left.
    LocallyDenied,
    /// There is no route, here or at a router (ICMP network unreachable).
    NetworkUnreachable,
    /// A router or firewall says no (ICMP host unreachable, administratively
    /// prohibited), or nothing on the last link answers ARP.
    HostUnreachable,
    /// Nothing came back.
    TimedOut,
    /// The connection came up and was reset at once.
    Reset,
    /// RST, or ICMP port unreachable, came back.
    Refused,
    /// SYN-ACK came.
    Connected,
}

/// One connect to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tcp {
    /// The address and port that were tried.
    pub peer: SocketAddr,
    /// What happened.
    pub outcome: TcpOutcome,
    /// How long it took, milliseconds.
    pub millis: u64,
    /// This end of the connection, if there is one.
    pub local: Option<SocketAddr>,
    /// The system's text for the failure.
    pub error: Option<String>,
}

/// Connects to one address within `limit`.
pub async fn connect(peer: SocketAddr, limit: Duration) -> (Tcp, Option<TcpStream>) {
    let started = Instant::now();
    let attempt = timeout(limit, TcpStream::connect(peer)).await;
    let millis = millis_since(started);
    let failed = |outcome, error: String| Tcp {
        peer,
        outcome,
        millis,
        local: None,
        error: Some(error),
    };
    match attempt {
        Err(_elapsed) => {
            let why = format!("no answer within {:.1} s", limit.as_secs_f32());
            (failed(TcpOutcome::TimedOut, why), None)
        }
        Ok(Err(error)) => (failed(classify(&error), words(&error)), None),
        Ok(Ok(stream)) => {
            let local = stream.local_addr().ok();
            let outcome = TcpOutcome::Connected;
            (Tcp { peer, outcome, millis, local, error: None }, Some(stream))
        }
    }
}

/// Connects to each address in turn until one comes up, as ssh does.
pub async fn connect_any(
    addresses: &[IpAddr],
    port: u16,
    limit: Duration,
) -> (Vec<Tcp>, Option<TcpStream>) {
    let mut attempts = Vec::with_capacity(1);
    for &address in addresses {
        let (attempt, stream) = connect(SocketAddr::new(address, port), limit).await;
        attempts.push(attempt);
        if stream.is_some() {
            return (attempts, stream);
        }
    }
    (attempts, None)
}

/// The attempt that says most about the host; the earlier of two equals.
pub fn telling(attempts: &[Tcp]) -> Option<&Tcp> {
    attempts.iter().rev().max_by_key(|attempt| attempt.outcome)
}

fn classify(error: &io::Error) -> TcpOutcome {
    match Errno::from_io_error(error) {
        Some(Errno::CONNREFUSED) => TcpOutcome::Refused,
        Some(Errno::CONNRESET | Errno::CONNABORTED) => TcpOutcome::Reset,
        Some(Errno::TIMEDOUT) => TcpOutcome::TimedOut,
        Some(Errno::HOSTUNREACH | Errno::HOSTDOWN) => TcpOutcome::HostUnreachable,
        Some(Errno::NETUNREACH | Errno::NETDOWN) => TcpOutcome::NetworkUnreachable,
        // EACCES is a prohibit route, EPERM a filter, EINVAL a blackhole route, the
        // rest a shortage on this machine: all of them ended here.
        _ => TcpOutcome::LocallyDenied,
    }
}

/// The system's text for an errno, without the number that std adds.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

pub(crate) fn millis_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errno(errno: Errno) -> TcpOutcome {
        classify(&io::Error::from_raw_os_error(errno.raw_os_error()))
    }

    #[test]
    fn every_errno_of_a_connect_is_its_own_finding() {
        assert_eq!(errno(Errno::CONNREFUSED), TcpOutcome::Refused);
        assert_eq!(errno(Errno::CONNRESET), TcpOutcome::Reset);
        assert_eq!(errno(Errno::TIMEDOUT), TcpOutcome::TimedOut);
        assert_eq!(errno(Errno::HOSTUNREACH), TcpOutcome::HostUnreachable);
        assert_eq!(errno(Errno::NETUNREACH), TcpOutcome::NetworkUnreachable);
        assert_eq!(errno(Errno::ACCESS), TcpOutcome::LocallyDenied);
        assert_eq!(errno(Errno::PERM), TcpOutcome::LocallyDenied);
        assert_eq!(errno(Errno::INVAL), TcpOutcome::LocallyDenied);
        assert_eq!(errno(Errno::MFILE), TcpOutcome::LocallyDenied);
    }

    #[test]
    fn an_errno_is_told_in_words() {
        let refused = io::Error::from_raw_os_error(Errno::CONNREFUSED.raw_os_error());
        assert_eq!(words(&refused), "Connection refused");
    }

    fn attempt(peer: &str, outcome: TcpOutcome) -> Tcp {
        let peer = peer.parse().expect("an address of the test");
        Tcp { peer, outcome, millis: 0, local: None, error: None }
    }

    #[test]
    fn the_failure_that_came_farthest_tells_most() {
        let attempts = [
            attempt("[2001:db8::1]:22", TcpOutcome::NetworkUnreachable),
            attempt("192.0.2.1:22", TcpOutcome::Refused),
            attempt("192.0.2.2:22", TcpOutcome::TimedOut),
        ];
        assert_eq!(telling(&attempts), Some(&attempts[1]));
        assert_eq!(telling(&attempts[..1]), Some(&attempts[0]));
        assert_eq!(telling(&[]), None);
    }

    #[test]
    fn of_two_equal_failures_the_first_address_is_told() {
        let attempts = [
            attempt("192.0.2.1:22", TcpOutcome::TimedOut),
            attempt("192.0.2.2:22", TcpOutcome::TimedOut),
        ];
        assert_eq!(telling(&attempts), Some(&attempts[0]));
    }
}
