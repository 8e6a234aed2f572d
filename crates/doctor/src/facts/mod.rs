//! What follows from a case, typed: the vocabulary of the rules under `faults/`.
//!
//! A case holds what systems said; a fact is what that means for a login. Each
//! variable of the rules is one row of the table below. A fact that the evidence does
//! not settle is [`Known::Unknown`] with the reason, and a rule that reads it is then
//! *undetermined*: this module never guesses, and no default stands in for what was
//! not seen.
//!
//! Numbers are `i64` throughout, because CEL's literals are.

mod account;
mod authorized_keys;
mod boot;
mod client;
mod context;
mod expiry;
mod firewall;
mod host_keys;
mod key_files;
mod key_options;
mod key_path;
mod known;
mod listening;
mod network;
mod settings;
mod sshd;
mod units;
mod user_lists;
mod way_in;

pub use account::{AccountFacts, ShellKind};
pub use authorized_keys::{KeysFacts, KeysState, OurLine};
pub use boot::BootFacts;
pub use client::{ClientFacts, IdentityFacts};
pub use firewall::{BlockerFacts, FirewallFacts, FirewallVerdict};
pub use host_keys::HostKeyFacts;
pub use key_options::OptionProblem;
pub use key_path::{PathProblem, PathReason};
pub use known::Known;
pub use listening::ListenerFacts;
pub use network::{NetworkFacts, PlatformFacts};
pub use sshd::{BadLine, ConfigLine, Privsep, SshdFacts};
pub use units::UnitFacts;
pub use way_in::{GreetingFacts, KeyFile, LoginFacts, NameFacts, TcpFacts};

use std::collections::BTreeMap;

use cel::Context;
use serde::Serialize;

use self::context::Variables;
use self::settings::Resolved;
use crate::case::{Case, SectionName};
use crate::symptom::{self, Symptom};

/// Declares every variable of the rules once: its name, its type, and for one that
/// comes from a single section, which.
macro_rules! variables {
    (
        of one section { $($(#[$doc:meta])* $one:ident: $one_facts:ty = $section:ident,)* }
        of several { $($(#[$several_doc:meta])* $several:ident: $facts:ty,)* }
    ) => {
        /// Everything that a rule can ask about.
        #[derive(Debug, Clone)]
        pub struct Facts {
            $($(#[$doc])* pub $one: Option<$one_facts>,)*
            $($(#[$several_doc])* pub $several: $facts,)*
            variables: Variables,
        }

        impl Facts {
            /// Makes them variables of the rules, and keeps why others are not.
            fn bind(&mut self, case: &Case) {
                let mut variables = Variables::default();
                $(match &self.$one {
                    Some(facts) => variables.bind(stringify!($one), facts),
                    None => variables.lack(
                        stringify!($one),
                        case.why_not(SectionName::$section).unwrap_or_default(),
                    ),
                })*
                $(variables.bind(stringify!($several), &self.$several);)*
                self.variables = variables;
            }
        }
    };
}

variables! {
    of one section {
        /// The operator's side.
        client: ClientFacts = Client,
        /// Name resolution.
        name: NameFacts = Name,
        /// The TCP connect.
        tcp: TcpFacts = Tcp,
        /// What the server said first.
        greeting: GreetingFacts = Greeting,
        /// The login itself.
        login: LoginFacts = Login,
        /// What the cloud's network decides.
        network: NetworkFacts = NetworkPath,
        /// The VM as the platform sees it.
        platform: PlatformFacts = Platform,
        /// The serial console's log.
        boot: BootFacts = BootLog,
    }
    of several {
        /// What is diagnosed.
        target: TargetFacts,
        /// How the login ended, if it did not work.
        symptom: Option<Symptom>,
        /// The guest's packet filter.
        firewall: FirewallFacts,
        /// The SSH server.
        sshd: SshdFacts,
        /// The account that logs in.
        account: AccountFacts,
        /// The guest as a whole.
        guest: GuestFacts,
    }
}

/// What is diagnosed.
#[derive(Debug, Clone, Serialize)]
pub struct TargetFacts {
    /// The login name.
    pub user: String,
    /// The host as the operator gave it.
    pub host: String,
    /// The SSH port that the client connects to.
    pub port: i64,
    /// The port at which the guest is reached; another one behind a load balancer.
    pub guest_port: i64,
    /// Whether a cloud knows the VM.
    pub has_vm: bool,
    /// The VM's resource id, if a cloud knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
}

/// The guest as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct GuestFacts {
    /// The operating system's name.
    pub os: Known<String>,
    /// Mount points whose blocks are used up.
    pub full_disks: Known<Vec<String>>,
    /// Mount points whose inodes are used up.
    pub full_inodes: Known<Vec<String>>,
    /// Mount points that are read-only and should not be.
    pub read_only: Known<Vec<String>>,
    /// Mount point to per cent of blocks used.
    pub disk_used: Known<BTreeMap<String, i64>>,
    /// Seconds since boot.
    pub uptime: Known<i64>,
}

/// Derives the facts of a case.
pub fn derive(case: &Case) -> Facts {
    let login = case.login.collected().map(way_in::login);
    let client = case
        .client
        .collected()
        .map(|client| client::derive(client, case, login.as_ref()));
    let resolved = Resolved::of(case);
    let mut facts = Facts {
        target: TargetFacts {
            user: case.target.user.clone(),
            host: case.target.host.clone(),
            port: case.target.port.into(),
            guest_port: case.guest_port().into(),
            has_vm: case.target.resource_id.is_some(),
            resource_id: case.target.resource_id.clone(),
        },
        symptom: symptom::observed(case),
        name: case.name.collected().map(way_in::name),
        tcp: case.tcp.collected().map(way_in::tcp),
        greeting: case.greeting.collected().map(way_in::greeting),
        network: case.network.collected().map(network::network),
        platform: case.platform.collected().map(network::platform),
        boot: case.boot.collected().map(boot::derive),
        firewall: firewall::derive(case),
        sshd: sshd::derive(case, &resolved),
        account: account::derive(case, &resolved, client.as_ref()),
        guest: guest(case),
        login,
        client,
        variables: Variables::default(),
    };
    facts.bind(case);
    facts
}

fn guest(case: &Case) -> GuestFacts {
    let (system, disks) = (case.system.known(), case.disks.known());
    let full = |used: &BTreeMap<String, u8>| -> Vec<String> {
        let full = used.iter().filter(|(_, percent)| **percent >= 100);
        full.map(|(mount, _)| mount.clone()).collect()
    };
    GuestFacts {
        os: system.as_ref().and_then(|system| {
            Known::or(system.os.clone(), "the guest has no os-release")
        }),
        full_disks: disks.as_ref().map(|disks| full(&disks.used)),
        full_inodes: disks.as_ref().map(|disks| full(&disks.inodes_used)),
        read_only: disks.as_ref().map(|disks| disks.read_only.clone()),
        disk_used: disks.map(|disks| {
            disks.used.iter().map(|(m, p)| (m.clone(), (*p).into())).collect()
        }),
        uptime: system.and_then(|system| {
            let seconds = system.uptime.and_then(|seconds| i64::try_from(seconds).ok());
            Known::or(seconds, "the guest's uptime was not read")
        }),
    }
}

impl Facts {
    /// The facts as variables of a rule.
    pub(crate) fn context(&self) -> Context<'static, 'static> {
        self.variables.context()
    }

    /// Why a field (`account.expired`) is not known; nothing if it is, or if no
    /// evidence could ever settle it.
    pub fn why(&self, field: &str) -> Option<&str> {
        let mut path = field;
        loop {
            if let Some(why) = self.variables.reasons.get(path) {
                return Some(why);
            }
            path = path.rsplit_once('.')?.0;
        }
    }
}
