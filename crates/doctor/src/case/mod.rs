//! The case file: typed evidence, one section per question.
//!
//! A collector fills it, the judge reads it. It is one JSON document with a
//! version, so that a diagnosis can be made again later, elsewhere and offline.
//! It is redacted by construction: what can be secret is not collected, so that
//! there is nothing to remove.
//!
//! A section is declared once, as a row of the table below. From it come the
//! case's field, its name in the file and in messages, and who it is asked of. A
//! new one is: its type in a file here, what follows from it in [`crate::facts`],
//! its collector in `rescue`, and its row.
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
mod word;

pub use client::{Client, Identity};
pub use guest::{
    Account, ActiveState, Addresses, CommandOutput, Config, Disks, EnabledState,
    HostKeys, Iptables, Journal, KeyFile, KeyLine, KeyLines, KeyOption, Keys, Listener,
    Listeners, NameService, Nft, PasswordKind, PathFact, PathKind, Process, Processes,
    Settings, Shadow, Sshd, System, UnitState, Units,
};
pub use network::{Decider, Front, Inbound, NetworkPath, NextHop};
pub use platform::{Agent, BootLog, Platform, PowerState};
pub use section::Section;
pub use way_in::{
    Greeting, GreetingOutcome, Login, LoginStage, Name, Resolution, Tcp, TcpOutcome,
};

use serde::{Deserialize, Serialize};

/// The version that this build writes and reads.
pub const VERSION: u32 = 2;

/// Declares every section once: its field, its name, its type, and who is asked.
macro_rules! sections {
    ($($(#[$doc:meta])* $field:ident = $name:literal: $kind:ident from $side:ident;)*) => {
        /// Everything that was seen of one way in to one VM.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Case {
            /// [`VERSION`] of the build that wrote it.
            pub version: u32,
            /// What was diagnosed.
            pub target: Target,
            /// When, RFC 3339 in UTC. Data, not a clock reading of this crate.
            #[serde(rename = "collectedAt")]
            pub collected_at: String,
            $($(#[$doc])* #[serde(default, rename = $name)] pub $field: Section<$kind>,)*
        }

        impl Case {
            /// A case in which nothing has been tried yet.
            pub fn new(target: Target, collected_at: String) -> Self {
                Self { version: VERSION, target, collected_at, $($field: Section::default(),)* }
            }

            /// Why a section is empty; nothing if it was collected.
            pub fn why_not(&self, section: SectionName) -> Option<&str> {
                match section { $(SectionName::$kind => self.$field.why_not(),)* }
            }
        }

        /// A section of the case file.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SectionName {
            $(#[doc = concat!("[`Case::", stringify!($field), "`].")] $kind,)*
        }

        /// Every section, in the case file's order.
        pub const SECTIONS: &[SectionName] = &[$(SectionName::$kind,)*];

        impl SectionName {
            /// Its name, as in the case file.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// Who is asked for it.
            pub const fn side(self) -> Side {
                match self { $(Self::$kind => Side::$side,)* }
            }
        }
    };
}

/// Who is asked for a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The machine on which regain runs, and the wire as it sees it.
    Client,
    /// The cloud or hypervisor.
    Platform,
    /// The VM itself.
    Guest,
}

sections! {
    /// The operator's side: key file, its permissions, ssh's version.
    client = "client": Client from Client;
    /// Name resolution of the host.
    name = "name": Name from Client;
    /// TCP connect to the SSH port.
    tcp = "tcp": Tcp from Client;
    /// What the server said first: banner and KEXINIT.
    greeting = "greeting": Greeting from Client;
    /// A real login by the system's ssh.
    login = "login": Login from Client;
    /// What the cloud's network decides for this flow.
    network = "network": NetworkPath from Platform;
    /// The VM as the platform sees it: power, provisioning, agent.
    platform = "platform": Platform from Platform;
    /// The serial console's log.
    boot = "boot": BootLog from Platform;
    /// The operating system, its uptime and its clock.
    system = "system": System from Guest;
    /// Full and read-only file systems.
    disks = "disks": Disks from Guest;
    /// systemd's units.
    units = "units": Units from Guest;
    /// sshd's program, and what it says of its configuration.
    sshd = "sshd": Sshd from Guest;
    /// The settings as sshd resolves them for this login.
    settings = "settings": Settings from Guest;
    /// The files of sshd's configuration.
    config = "config": Config from Guest;
    /// Listening sockets.
    listeners = "listeners": Listeners from Guest;
    /// sshd's processes.
    processes = "processes": Processes from Guest;
    /// sshd's host keys.
    host_keys = "hostKeys": HostKeys from Guest;
    /// sshd's journal in this boot.
    journal = "journal": Journal from Guest;
    /// Interfaces and their addresses.
    addresses = "addresses": Addresses from Guest;
    /// The packet filter, as nft lists it.
    nft = "nft": Nft from Guest;
    /// The packet filter, as iptables lists it.
    iptables = "iptables": Iptables from Guest;
    /// The account that logs in.
    account = "account": Account from Guest;
    /// The files of its keys, and the way to them.
    keys = "keys": Keys from Guest;
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
    /// The port at which the guest is reached: the one that was named, unless a load
    /// balancer translates it.
    pub fn guest_port(&self) -> u16 {
        let front = self.network.collected().and_then(|path| path.front.as_ref());
        match front {
            Some(front) if front.port == self.target.port => front.back_port,
            _ => self.target.port,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_has_a_name_of_its_own_and_is_empty_in_a_new_case() {
        let target = Target {
            user: "u".to_owned(),
            host: "h".to_owned(),
            port: 22,
            resource_id: None,
            identity: None,
        };
        let case = Case::new(target, "2026-11-22T12:00:00Z".to_owned());
        let document = serde_json::to_value(&case).expect("a case is JSON");
        for section in SECTIONS {
            assert!(document[section.as_str()]["notTried"].is_string(), "{section:?}");
            assert!(case.why_not(*section).is_some());
        }
        assert_eq!(document.as_object().expect("an object").len(), SECTIONS.len() + 3);
    }
}
