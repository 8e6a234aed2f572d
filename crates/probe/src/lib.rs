//! The way in to an SSH server, as a client sees it: name, TCP, greeting.
//!
//! Three questions, each asked only if the one before was answered:
//!
//! 1. [`Names::resolve`]: which addresses has this name, and who says so?
//! 2. [`connect_any`]: does TCP come up, and if not, with which errno?
//! 3. [`greet`]: is the thing that answers an SSH server, and what does it offer?
//!
//! [`way_in`] asks all three of one host, [`fleet`] of fifty thousand. Nothing here
//! authenticates: the server's identification line and its KEXINIT come in clear
//! (RFC 4253 sections 4.2 and 7.1), and after those the probe hangs up.
//!
//! A failure is a result and not an error: a time-out, a reset before the banner
//! and an HTTP server on port 22 are three different findings, so that each keeps
//! its own variant all the way up.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod fleet;
mod greeting;
mod name;
mod tcp;
pub mod wire;

pub use fleet::{Found, Pace, Target, fleet, raise_open_files};
pub use greeting::{Greeting, GreetingOutcome, greet};
pub use name::{Name, Names, Resolution};
pub use tcp::{Tcp, TcpOutcome, connect, connect_any, telling};

use std::time::Duration;

use serde::Serialize;

/// How long each question may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// All of name resolution, over every name server.
    pub name: Duration,
    /// One TCP connect; a host with several addresses gets this for each.
    pub connect: Duration,
    /// From the established connection to the end of the server's KEXINIT.
    ///
    /// A server behind TCP wrappers resets a client it does not like after 5 s, so
    /// that less than 6 s cannot tell such a server from a silent one.
    pub greeting: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            name: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            greeting: Duration::from_secs(6),
        }
    }
}

/// What was seen of one way in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WayIn {
    /// The host's name and its addresses.
    pub name: Name,
    /// One connect per address that was tried, in order; the last one is the one
    /// that came up, if any did. Empty when the name has no address.
    pub tcp: Vec<Tcp>,
    /// What the server said, if TCP came up.
    pub greeting: Option<Greeting>,
}

impl WayIn {
    /// The connect that says most: the one that came up, else the failure that came
    /// farthest. A host whose IPv6 address has no route here and whose IPv4 address
    /// refuses is a host that refuses.
    pub fn telling_connect(&self) -> Option<&Tcp> {
        telling(&self.tcp)
    }
}

/// Asks all three questions of one host.
pub async fn way_in(names: &Names, host: &str, port: u16, limits: &Limits) -> WayIn {
    let name = names.resolve(host, limits.name).await;
    let (tcp, stream) = connect_any(name.addresses(), port, limits.connect).await;
    let greeting = match stream {
        Some(stream) => Some(greet(stream, limits.greeting).await),
        None => None,
    };
    WayIn { name, tcp, greeting }
}
