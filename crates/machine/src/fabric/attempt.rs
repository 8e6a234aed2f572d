//! Connections that are tried from a VM's place in the network.

use std::io;
use std::net::{SocketAddrV4, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How one TCP connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It came about, after this time.
    Connected(Duration),
    /// The other side has nothing on this port.
    Refused,
    /// Nobody answered in time, or there is no way.
    Unanswered,
}

/// Opens several connections side by side, in the calling thread's namespace.
pub(crate) fn attempts(
    target: SocketAddrV4,
    times: usize,
    patience: Duration,
) -> Vec<Attempt> {
    thread::scope(|scope| {
        let tries: Vec<_> =
            (0..times).map(|_| scope.spawn(|| attempt(target, patience))).collect();
        tries.into_iter().map(|one| one.join().unwrap_or(Attempt::Unanswered)).collect()
    })
}

fn attempt(target: SocketAddrV4, patience: Duration) -> Attempt {
    let begun = Instant::now();
    match TcpStream::connect_timeout(&target.into(), patience) {
        Ok(_) => Attempt::Connected(begun.elapsed()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Attempt::Refused
        }
        Err(_) => Attempt::Unanswered,
    }
}
