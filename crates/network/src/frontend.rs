//! What becomes of a packet to a public or load balanced address, before any NSG
//! sees it.
//!
//! The order is Azure's: an inbound NAT rule for that very port, a NAT rule for a
//! range of ports, a load balancing rule, and, where the address belongs to a
//! machine's own interface, that interface with the port unchanged. Ports are
//! translated by load balancers only. The NSGs then see the client's address, and
//! the backend's address and port.
//!
//! [`Frontends`] answers by look-up; the property tests hold it to a search through
//! the list in that order.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;

use crate::flow::Protocol;

/// What translates a packet, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// A NAT rule with one frontend port and one backend.
    InboundNatRule,
    /// A NAT rule with a range of frontend ports, one for each member of a pool.
    InboundNatRange,
    /// A rule that spreads connections over the members of a pool.
    LoadBalancingRule,
    /// A machine's own public address.
    InstanceAddress,
}

/// Which connections of a load balancing rule go to the same member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Affinity {
    /// Those with one five-tuple (`Default`).
    #[default]
    FiveTuple,
    /// Those from one client (`SourceIP` and, as a rule has one protocol, also
    /// `SourceIPProtocol`).
    Client,
}

/// One port of a frontend and where it leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Translation {
    /// What translates.
    pub via: Via,
    /// The rule's resource id.
    pub rule: String,
    /// The frontend's address.
    pub frontend: Ipv4Addr,
    /// The IP protocol, TCP or UDP, by its number.
    pub protocol: u8,
    /// The frontend's port.
    pub port: u16,
    /// Backends that take new connections; without any, packets are dropped.
    pub targets: Vec<SocketAddrV4>,
    /// How a target is chosen.
    pub affinity: Affinity,
}

/// Where a packet goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding<'a> {
    /// What translated it.
    pub via: Via,
    /// The rule's resource id; none for a machine's own address.
    pub rule: Option<&'a str>,
    /// The backends that it may reach; empty if there is none at present.
    pub targets: Vec<SocketAddrV4>,
}

/// All frontends of a virtual network.
#[derive(Debug, Clone, Default)]
pub struct Frontends {
    ports: HashMap<(Ipv4Addr, u8, u16), Translation>,
    instances: HashMap<Ipv4Addr, Ipv4Addr>,
}

impl Frontends {
    /// Frontends of load balancers, and machines' own addresses: public to private.
    /// Of several translations of one port the one of highest precedence counts, of
    /// equals the first.
    pub fn new(
        translations: impl IntoIterator<Item = Translation>,
        instances: impl IntoIterator<Item = (Ipv4Addr, Ipv4Addr)>,
    ) -> Frontends {
        let mut ports: HashMap<_, Translation> = HashMap::new();
        for one in translations {
            let key = (one.frontend, one.protocol, one.port);
            match ports.get(&key) {
                Some(there) if there.via <= one.via => {}
                _ => {
                    ports.insert(key, one);
                }
            }
        }
        Frontends { ports, instances: instances.into_iter().collect() }
    }

    /// Where a packet to `address` goes; none if nobody translates it.
    pub fn map(
        &self,
        address: Ipv4Addr,
        protocol: Protocol,
        port: u16,
    ) -> Option<Forwarding<'_>> {
        let number = protocol.number().unwrap_or_default();
        if let Some(found) = self.ports.get(&(address, number, port)) {
            return Some(Forwarding {
                via: found.via,
                rule: Some(&found.rule),
                targets: found.targets.clone(),
            });
        }
        let private = self.instances.get(&address)?;
        Some(Forwarding {
            via: Via::InstanceAddress,
            rule: None,
            targets: vec![SocketAddrV4::new(*private, port)],
        })
    }
}

/// Gives each member of a pool one port of a NAT rule's range. Members keep the port
/// that they have in `before`; a new one gets the lowest that is free. None if the
/// range is too small.
pub fn allot(
    range: &RangeInclusive<u16>,
    members: &[String],
    before: &BTreeMap<String, u16>,
) -> Option<BTreeMap<String, u16>> {
    let mut given: BTreeMap<String, u16> = before
        .iter()
        .filter(|(member, port)| members.contains(member) && range.contains(port))
        .map(|(member, port)| (member.clone(), *port))
        .collect();
    for member in members {
        if given.contains_key(member) {
            continue;
        }
        let free = range.clone().find(|port| !given.values().any(|taken| taken == port));
        given.insert(member.clone(), free?);
    }
    Some(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_member_keeps_its_port_when_another_leaves() {
        let first = allot(&(500..=510), &names(&["a", "b", "c"]), &BTreeMap::new());
        let first = first.expect("the range is large enough");
        let then = allot(&(500..=510), &names(&["b", "c", "d"]), &first);
        let then = then.expect("the range is large enough");
        assert_eq!((then["b"], then["c"], then["d"]), (501, 502, 500));
    }

    #[test]
    fn more_members_than_ports_are_too_many() {
        assert_eq!(allot(&(500..=501), &names(&["a", "b", "c"]), &BTreeMap::new()), None);
    }
}
