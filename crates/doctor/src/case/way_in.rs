//! The way in, as an SSH client sees it: name, TCP, greeting, login.

use serde::{Deserialize, Serialize};

/// The host's name and what it resolved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Name {
    /// The name asked for; an address literal is its own answer.
    pub name: String,
    /// What the resolver said.
    pub resolution: Resolution,
}

/// The resolver's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Resolution {
    /// The host was given as an address.
    Literal {
        /// That address.
        addresses: Vec<String>,
    },
    /// The name has addresses.
    Resolved {
        /// IPv4 and IPv6 addresses in the resolver's order.
        addresses: Vec<String>,
    },
    /// The name does not exist (RFC 8020: nor does anything below it).
    NxDomain {
        /// Who said so: `hosts file`, a resolver's address, or `RFC 6761`.
        server: String,
    },
    /// The name exists and has no address.
    NoAddress {
        /// Who said so.
        server: String,
    },
    /// No resolver answered.
    Unanswered {
        /// The resolver's error.
        error: String,
    },
}

/// One TCP connect to the SSH port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tcp {
    /// The address that was tried.
    pub address: String,
    /// The port that was tried.
    pub port: u16,
    /// What happened.
    pub outcome: TcpOutcome,
    /// How long it took, milliseconds.
    pub millis: u64,
    /// The local address of the connection, if there was one.
    #[serde(default)]
    pub local_address: Option<String>,
    /// The system's error text, if it failed.
    #[serde(default)]
    pub error: Option<String>,
}

/// How a connect ended. Each is a different finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TcpOutcome {
    /// SYN-ACK came.
    Connected,
    /// Nothing came back.
    TimedOut,
    /// RST, or ICMP port unreachable, came back.
    Refused,
    /// ICMP host unreachable or administratively prohibited.
    HostUnreachable,
    /// No route, or ICMP network unreachable.
    NetworkUnreachable,
    /// The client itself forbade it (prohibit route, local filter).
    LocallyDenied,
    /// The connection came up and was reset at once.
    Reset,
}

/// What the server said first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Greeting {
    /// The identification line (`SSH-2.0-...`), if one came.
    #[serde(default)]
    pub banner: Option<String>,
    /// Lines before it, or the first bytes of something that is not SSH.
    #[serde(default)]
    pub before_banner: Vec<String>,
    /// How the exchange ended.
    pub outcome: GreetingOutcome,
    /// Time from connect to the banner, milliseconds.
    #[serde(default)]
    pub banner_millis: Option<u64>,
    /// Key exchange methods that the server offers (RFC 4253 section 7.1).
    #[serde(default)]
    pub kex: Vec<String>,
    /// Host key algorithms that the server offers.
    #[serde(default)]
    pub host_key_algorithms: Vec<String>,
    /// Ciphers, server to client.
    #[serde(default)]
    pub ciphers: Vec<String>,
    /// MACs, server to client.
    #[serde(default)]
    pub macs: Vec<String>,
}

/// How the first exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum GreetingOutcome {
    /// Banner and KEXINIT came.
    Ok,
    /// Nothing came.
    Silent,
    /// The server hung up.
    Closed,
    /// The connection was reset.
    Reset,
    /// Something came that is not SSH.
    NotSsh,
    /// A banner came, and then nothing.
    NoKexinit,
}

/// A real login by the system's ssh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// How far it came.
    pub stage: LoginStage,
    /// ssh's exit status; 255 is ssh's own failure.
    pub exit: Option<i32>,
    /// ssh's own words, without its debug lines.
    pub stderr: Vec<String>,
    /// What the remote command printed, where it should have printed a token.
    #[serde(default)]
    pub stdout: Vec<String>,
    /// Authentication methods the server still offered (`publickey`, ...).
    #[serde(default)]
    pub methods: Vec<String>,
    /// Fingerprints of the keys that ssh really offered.
    #[serde(default)]
    pub offered: Vec<String>,
    /// The server accepted the key (`Server accepts key`, `Authenticated to`).
    #[serde(default)]
    pub key_accepted: bool,
    /// The server's host key fingerprint, as ssh prints it.
    #[serde(default)]
    pub host_key: Option<String>,
    /// How long it took, milliseconds.
    pub millis: u64,
}

/// The stage at which a login ended. Their order is the order of the way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LoginStage {
    /// The name did not resolve.
    Name,
    /// TCP did not connect.
    Connect,
    /// No usable banner came.
    Banner,
    /// Key exchange failed.
    KeyExchange,
    /// The host key was not accepted by the client.
    HostKey,
    /// The server did not let the user in.
    Authentication,
    /// The user was let in and the session did not stand.
    Session,
    /// The login works.
    LoggedIn,
}
