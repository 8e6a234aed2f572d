//! The layers between an operator and a shell.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a fault sits, from the operator to the session.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// The operator's side.
    Client,
    /// Name resolution.
    Name,
    /// The cloud's network.
    Network,
    /// The VM as the platform sees it.
    Platform,
    /// The way from power-on to a running system.
    Boot,
    /// The guest's packet filter.
    Firewall,
    /// The SSH server.
    Sshd,
    /// Authentication and the account.
    Auth,
    /// The session.
    Session,
}

impl Layer {
    /// The first part of the ids of this layer's faults.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Name => "name",
            Self::Network => "net",
            Self::Platform => "plat",
            Self::Boot => "boot",
            Self::Firewall => "gfw",
            Self::Sshd => "sshd",
            Self::Auth => "auth",
            Self::Session => "sess",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Client => "client",
            Self::Name => "name",
            Self::Network => "network",
            Self::Platform => "platform",
            Self::Boot => "boot",
            Self::Firewall => "firewall",
            Self::Sshd => "sshd",
            Self::Auth => "auth",
            Self::Session => "session",
        })
    }
}
