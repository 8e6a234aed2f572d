//! The case file: typed evidence, one section per layer.
//!
//! A collector fills it, the judge reads it. It is one JSON document with a
//! version, so that a diagnosis can be made again later, elsewhere and offline.
//! It is redacted when it is made: no private key, password or token ever
//! enters a section.
//!
//! Evidence is kept close to what the system said (the text of `sshd -t`, the
//! JSON of `nft -j list ruleset`), because a better judge must be able to read
//! an old case. What is derived from it lives in [`crate::facts`].

mod client;
mod guest;
mod network;
mod platform;
mod section;
mod way_in;

pub use client::{Client, Identity};
pub use guest::{
    Account, CommandOutput, Firewall, Guest, Listener, PathFact, Process, Sshd, UnitState,
};
pub use network::{Decider, Inbound, NetworkPath};
pub use platform::{Agent, BootLog, Platform};
pub use section::Section;
pub use way_in::{Greeting, Login, LoginStage, Name, Resolution, Tcp, TcpOutcome};

use serde::{Deserialize, Serialize};

/// The version that this build writes and reads.
pub const VERSION: u32 = 1;

/// Everything that was seen of one way in to one VM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// [`VERSION`] of the build that wrote it.
    pub version: u32,
    /// What was diagnosed.
    pub target: Target,
    /// When, RFC 3339 in UTC. Data, not a clock reading of this crate.
    pub collected_at: String,
    /// The operator's side: key file, its permissions, ssh's version.
    #[serde(default)]
    pub client: Section<Client>,
    /// Name resolution of the host.
    #[serde(default)]
    pub name: Section<Name>,
    /// TCP connect to the SSH port.
    #[serde(default)]
    pub tcp: Section<Tcp>,
    /// What the server said first: banner and KEXINIT.
    #[serde(default)]
    pub greeting: Section<Greeting>,
    /// A real login by the system's ssh.
    #[serde(default)]
    pub login: Section<Login>,
    /// What the cloud's network decides for this flow.
    #[serde(default)]
    pub network: Section<NetworkPath>,
    /// The VM as the platform sees it: power, provisioning, agent.
    #[serde(default)]
    pub platform: Section<Platform>,
    /// The serial console's log.
    #[serde(default)]
    pub boot: Section<BootLog>,
    /// The guest's packet filter.
    #[serde(default)]
    pub firewall: Section<Firewall>,
    /// The SSH server in the guest.
    #[serde(default)]
    pub sshd: Section<Sshd>,
    /// The account that logs in, and the files of its keys.
    #[serde(default)]
    pub account: Section<Account>,
    /// The guest as a whole: disk, load, clock.
    #[serde(default)]
    pub guest: Section<Guest>,
}

/// What is diagnosed: an account on a host, and the VM behind it if known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The login name.
    pub user: String,
    /// The host as the operator typed it, or the VM's public address.
    pub host: String,
    /// The SSH port, 22 unless said otherwise.
    pub port: u16,
    /// The VM's ARM resource id, where a cloud knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The private key file that was offered, as a path on the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
}

impl Case {
    /// A case in which nothing has been tried yet.
    pub fn new(target: Target, collected_at: String) -> Self {
        Self {
            version: VERSION,
            target,
            collected_at,
            client: Section::default(),
            name: Section::default(),
            tcp: Section::default(),
            greeting: Section::default(),
            login: Section::default(),
            network: Section::default(),
            platform: Section::default(),
            boot: Section::default(),
            firewall: Section::default(),
            sshd: Section::default(),
            account: Section::default(),
            guest: Section::default(),
        }
    }
}
