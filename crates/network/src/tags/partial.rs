//! Tags of which not everything is known, as somebody sees them who reads ARM's
//! documents from outside.
//!
//! Three things are not in the documents: what a service's tag stands for, who else
//! is in an application security group, and how far `VirtualNetwork` reaches beyond
//! the address space (Microsoft: also prefixes of user routes and of what a gateway
//! learnt). Whether an address belongs to such a name is then an open [`Condition`],
//! not a no.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{ServiceTag, Tags};
use crate::rule::Addresses;

/// What is known of the tags, and what is not.
#[derive(Debug, Clone)]
pub struct PartialTags {
    known: Tags,
    /// What `VirtualNetwork` may cover besides.
    wider: Vec<IpNet>,
    /// An address, and every group that it is a member of.
    resident: Option<(IpAddr, Vec<String>)>,
}

/// Something about one address that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Condition {
    /// It belongs to this tag or group; in lower case.
    Named(String),
    /// It is in one of the prefixes that `VirtualNetwork` may cover besides.
    Wider,
    /// It is not: `Internet` is what `VirtualNetwork` leaves.
    NotWider,
    /// A default route has widened `VirtualNetwork` to everything, which does not
    /// empty `Internet`.
    Default,
}

/// Whether an address is one of a rule's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Membership {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It is if one of these holds.
    If(Vec<Condition>),
}

impl PartialTags {
    /// Tags that know only what `known` was told: every service without an
    /// expansion and every group without members is an unknown.
    pub fn new(known: Tags) -> PartialTags {
        PartialTags { known, wider: Vec::new(), resident: None }
    }

    /// What the `VirtualNetwork` tag may cover besides.
    #[must_use]
    pub fn wider(mut self, prefixes: impl IntoIterator<Item = IpNet>) -> PartialTags {
        self.wider.extend(prefixes.into_iter().map(|net| net.trunc()));
        self
    }

    /// An address whose groups are all known, by their resource ids.
    #[must_use]
    pub fn resident(
        mut self,
        address: IpAddr,
        groups: impl IntoIterator<Item = String>,
    ) -> PartialTags {
        let groups = groups.into_iter().map(|id| id.to_ascii_lowercase()).collect();
        self.resident = Some((address, groups));
        self
    }

    /// Whether `address` is one of `addresses`.
    pub(crate) fn membership(
        &self,
        addresses: &Addresses,
        address: IpAddr,
    ) -> Membership {
        match addresses {
            Addresses::Any => Membership::Yes,
            Addresses::Prefixes(prefixes) => within(prefixes, address).into(),
            Addresses::Tag(tag) => self.in_tag(tag, address),
            Addresses::Groups(groups) => {
                let each = groups.iter().map(|group| self.in_group(group, address));
                each.fold(Membership::No, Membership::or)
            }
        }
    }

    /// The prefixes at whose ends membership of `addresses` can change.
    pub(crate) fn bounds<'a>(&'a self, addresses: &'a Addresses) -> Vec<IpNet> {
        let mut bounds = match addresses.resolve(&self.known) {
            None => Vec::new(),
            Some(prefixes) => prefixes.into_owned(),
        };
        if matches!(addresses, Addresses::Tag(_) | Addresses::Groups(_)) {
            bounds.extend(&self.wider);
            bounds.extend(self.known.prefixes(&ServiceTag::VirtualNetwork));
            bounds.extend(self.resident.iter().map(|(address, _)| IpNet::from(*address)));
        }
        bounds
    }

    fn in_tag(&self, tag: &ServiceTag, address: IpAddr) -> Membership {
        let known = within(self.known.prefixes(tag), address);
        match tag {
            ServiceTag::VirtualNetwork if known => Membership::Yes,
            ServiceTag::VirtualNetwork => {
                let (narrow, default) = self.widened(address);
                let mut open = Vec::new();
                open.extend(narrow.then_some(Condition::Wider));
                open.extend(default.then_some(Condition::Default));
                if open.is_empty() { Membership::No } else { Membership::If(open) }
            }
            ServiceTag::Internet if known && self.widened(address).0 => {
                Membership::If(vec![Condition::NotWider])
            }
            ServiceTag::Internet | ServiceTag::AzureLoadBalancer => known.into(),
            ServiceTag::Service(name) if self.known.knows_service(name) => known.into(),
            ServiceTag::Service(name) => {
                Membership::If(vec![Condition::Named(name.to_ascii_lowercase())])
            }
        }
    }

    /// All members of a group are in one virtual network.
    fn in_group(&self, group: &str, address: IpAddr) -> Membership {
        let name = group.to_ascii_lowercase();
        if let Some((_, groups)) =
            self.resident.as_ref().filter(|(resident, _)| *resident == address)
        {
            return groups.contains(&name).into();
        }
        if self.known.knows_group(&name) {
            return within(self.known.members(&name), address).into();
        }
        let inside = within(self.known.prefixes(&ServiceTag::VirtualNetwork), address);
        let (narrow, default) = self.widened(address);
        if inside || narrow || default {
            Membership::If(vec![Condition::Named(name)])
        } else {
            Membership::No
        }
    }

    /// Whether `VirtualNetwork` may cover an address by a prefix, and by a default.
    fn widened(&self, address: IpAddr) -> (bool, bool) {
        let covering = || self.wider.iter().filter(|net| net.contains(&address));
        let narrow = covering().any(|net| net.prefix_len() > 0);
        (narrow, covering().any(|net| net.prefix_len() == 0))
    }
}

fn within(prefixes: &[IpNet], address: IpAddr) -> bool {
    prefixes.iter().any(|net| net.contains(&address))
}

impl Membership {
    fn or(self, other: Membership) -> Membership {
        match (self, other) {
            (Membership::Yes, _) | (_, Membership::Yes) => Membership::Yes,
            (Membership::No, other) => other,
            (one, Membership::No) => one,
            (Membership::If(mut one), Membership::If(other)) => {
                one.extend(other);
                Membership::If(one)
            }
        }
    }
}

impl From<bool> for Membership {
    fn from(is: bool) -> Membership {
        if is { Membership::Yes } else { Membership::No }
    }
}
