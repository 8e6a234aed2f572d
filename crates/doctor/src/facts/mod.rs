//! What follows from a case, typed: the vocabulary of the rules under `faults/`.
//!
//! A case holds what systems said; a fact is what that means for a login. Each
//! section of the case that was collected becomes one variable of the rules'
//! context, under the section's name and with this module's field names. A fact
//! that the evidence does not settle is left out, and a rule that reads it is
//! then *undetermined*: this module never guesses.
//!
//! Numbers are `i64` throughout, because CEL's literals are.

mod account;
mod authorized_keys;
mod boot;
mod client;
mod firewall;
mod host_keys;
mod key_options;
mod key_path;
mod listening;
mod network;
mod sshd;
mod way_in;

pub use account::{AccountFacts, ShellKind};
pub use authorized_keys::{KeysFacts, KeysState};
pub use boot::BootFacts;
pub use client::{ClientFacts, IdentityFacts};
pub use firewall::{BlockerFacts, FirewallFacts, FirewallVerdict};
pub use host_keys::HostKeyFacts;
pub use key_options::OptionProblem;
pub use key_path::{PathProblem, PathReason};
pub use listening::ListenerFacts;
pub use network::{NetworkFacts, PlatformFacts};
pub use sshd::{BadLine, ConfigLine, SshdFacts, UnitFacts};
pub use way_in::{GreetingFacts, KeyFile, LoginFacts, NameFacts, TcpFacts};

use std::collections::BTreeMap;

use cel::Context;
use serde::Serialize;

use crate::case::Case;
use crate::fault::empty_context;
use crate::symptom::{self, Symptom};

/// Everything that a rule can ask about.
#[derive(Debug, Clone, Serialize)]
pub struct Facts {
    /// What is diagnosed.
    pub target: TargetFacts,
    /// How the login ended, if it did not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symptom: Option<Symptom>,
    /// The operator's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientFacts>,
    /// Name resolution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<NameFacts>,
    /// The TCP connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpFacts>,
    /// What the server said first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<GreetingFacts>,
    /// The login itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<LoginFacts>,
    /// What the cloud's network decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkFacts>,
    /// The VM as the platform sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<PlatformFacts>,
    /// The serial console's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<BootFacts>,
    /// The guest's packet filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall: Option<FirewallFacts>,
    /// The SSH server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sshd: Option<SshdFacts>,
    /// The account that logs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountFacts>,
    /// The guest as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guest: Option<GuestFacts>,
}

/// What is diagnosed.
#[derive(Debug, Clone, Serialize)]
pub struct TargetFacts {
    /// The login name.
    pub user: String,
    /// The host as the operator gave it.
    pub host: String,
    /// The SSH port.
    pub port: i64,
    /// Whether a cloud knows the VM.
    pub has_vm: bool,
}

/// The guest as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct GuestFacts {
    /// The operating system's name.
    pub os: String,
    /// Mount points whose blocks are used up.
    pub full_disks: Vec<String>,
    /// Mount points whose inodes are used up.
    pub full_inodes: Vec<String>,
    /// Mount points that are read-only and should not be.
    pub read_only: Vec<String>,
    /// Mount point to per cent of blocks used.
    pub disk_used: BTreeMap<String, i64>,
    /// Seconds since boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime: Option<i64>,
}

/// Derives the facts of a case.
pub fn derive(case: &Case) -> Facts {
    let sshd = case.sshd.collected().map(|sshd| sshd::derive(sshd, case));
    let login = case.login.collected().map(way_in::login);
    let client = case
        .client
        .collected()
        .map(|client| client::derive(client, case, login.as_ref()));
    Facts {
        target: TargetFacts {
            user: case.target.user.clone(),
            host: case.target.host.clone(),
            port: case.target.port.into(),
            has_vm: case.target.resource_id.is_some(),
        },
        symptom: symptom::observed(case),
        name: case.name.collected().map(way_in::name),
        tcp: case.tcp.collected().map(way_in::tcp),
        greeting: case.greeting.collected().map(way_in::greeting),
        network: case.network.collected().map(network::network),
        platform: case.platform.collected().map(network::platform),
        boot: case.boot.collected().map(boot::derive),
        firewall: case
            .firewall
            .collected()
            .map(|firewall| firewall::derive(firewall, case)),
        account: case.account.collected().map(|account| {
            account::derive(account, case, client.as_ref(), sshd.as_ref())
        }),
        guest: case.guest.collected().map(guest),
        login,
        sshd,
        client,
    }
}

fn guest(guest: &crate::case::Guest) -> GuestFacts {
    let full = |used: &BTreeMap<String, u8>| -> Vec<String> {
        used.iter()
            .filter(|(_, percent)| **percent >= 100)
            .map(|(mount, _)| mount.clone())
            .collect()
    };
    GuestFacts {
        os: guest.os.clone(),
        full_disks: full(&guest.disk_used),
        full_inodes: full(&guest.inodes_used),
        read_only: guest.read_only.clone(),
        disk_used: guest
            .disk_used
            .iter()
            .map(|(m, p)| (m.clone(), (*p).into()))
            .collect(),
        uptime: guest.uptime.and_then(|seconds| i64::try_from(seconds).ok()),
    }
}

impl Facts {
    /// The facts as variables of a rule.
    pub(crate) fn context(&self) -> Context<'static, 'static> {
        let mut context = empty_context();
        macro_rules! bind {
            ($($name:ident),*) => {$(
                if let Some(facts) = &self.$name
                    && let Ok(value) = cel::to_value(facts)
                {
                    context.add_variable_from_value(stringify!($name), value);
                }
            )*};
        }
        bind!(client, name, tcp, greeting, login, network, platform, boot, firewall);
        bind!(sshd, account, guest, symptom);
        if let Ok(value) = cel::to_value(&self.target) {
            context.add_variable_from_value("target", value);
        }
        context
    }
}
