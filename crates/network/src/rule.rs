//! One security rule: whom it speaks of, and whether it allows or denies.
//!
//! A rule comes from ARM ([`Rule::from_arm`]) or is one of the six default rules
//! ([`default_rules`]), and lives in an [`Nsg`](crate::Nsg). Whether it matches a flow
//! depends on what its tags stand for at that moment, so matching takes [`Tags`].

mod arm;
mod builtin;
mod error;
mod validate;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

pub use builtin::default_rules;
pub use error::RuleError;
pub(crate) use validate::{Vocabulary, read};

use crate::flow::{Direction, Flow, Protocol};
use crate::ports::Ports;
use crate::tags::{ServiceTag, Tags};

/// What a matching rule does with the flow.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Access {
    /// The flow passes this NSG.
    Allow,
    /// The flow is dropped without an answer.
    Deny,
}

/// One side of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The addresses that match.
    pub addresses: Addresses,
    /// The ports that match.
    pub ports: Ports,
}

/// The addresses of one side of a rule. ARM takes exactly one of these forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addresses {
    /// `*`: every address of either family.
    Any,
    /// Addresses and CIDR blocks, all of one family, without host bits.
    Prefixes(Vec<IpNet>),
    /// One service tag.
    Tag(ServiceTag),
    /// Resource ids of application security groups: the members' addresses.
    Groups(Vec<String>),
}

/// One security rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The name, unique in its NSG.
    pub name: String,
    /// The owner's words about the rule.
    pub description: Option<String>,
    /// 100 to 4096, or from 65000 for default rules; the lowest that matches decides.
    pub priority: u16,
    /// Which of the two lists the rule is in.
    pub direction: Direction,
    /// What becomes of a flow that matches.
    pub access: Access,
    /// The protocol that matches.
    pub protocol: Protocol,
    /// The opener's side.
    pub source: Endpoint,
    /// The called side.
    pub destination: Endpoint,
    /// Whether this is one of the six rules that every NSG has.
    pub default: bool,
}

impl Rule {
    /// Whether the rule speaks of `flow`. A rule that restricts ports does not speak
    /// of protocols that have none.
    pub fn matches(&self, flow: &Flow, tags: &Tags) -> bool {
        self.matches_but_for_addresses(flow)
            && self.source.addresses.contain(flow.source, tags)
            && self.destination.addresses.contain(flow.destination, tags)
    }

    /// The part of [`Rule::matches`] that no tag has a say in.
    pub(crate) fn matches_but_for_addresses(&self, flow: &Flow) -> bool {
        let ports = |ports: &Ports, port: u16| {
            ports.is_any() || (flow.protocol.has_ports() && ports.contains(port))
        };
        self.direction == flow.direction
            && (self.protocol == Protocol::Any || self.protocol == flow.protocol)
            && ports(&self.source.ports, flow.source_port)
            && ports(&self.destination.ports, flow.destination_port)
    }
}

impl Addresses {
    /// Whether `address` is one of these.
    pub fn contain(&self, address: IpAddr, tags: &Tags) -> bool {
        self.resolve(tags)
            .is_none_or(|prefixes| prefixes.iter().any(|net| net.contains(&address)))
    }

    /// The prefixes behind the names; `None` is every address. An empty list is no
    /// address at all, for instance a group without members.
    pub fn resolve<'a>(&'a self, tags: &'a Tags) -> Option<Cow<'a, [IpNet]>> {
        match self {
            Addresses::Any => None,
            Addresses::Prefixes(prefixes) => Some(Cow::Borrowed(prefixes)),
            Addresses::Tag(tag) => Some(Cow::Borrowed(tags.prefixes(tag))),
            Addresses::Groups(groups) => Some(
                groups.iter().flat_map(|group| tags.members(group)).copied().collect(),
            ),
        }
    }
}

/// ARM's spelling: `Allow` or `Deny`.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Allow => "Allow",
            Access::Deny => "Deny",
        })
    }
}
