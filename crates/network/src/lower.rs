//! An NSG as one flat list of IPv4 filters without names in it: what the fabric
//! renders to nftables.
//!
//! The list is tried from first to last and the first match decides, as in the NSG.
//! Tags and groups are expanded, rules that no IPv4 flow can match are gone, and
//! outbound lists begin with the platform's exemption. The last filter of every list
//! matches everything.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use crate::flow::{Direction, Flow};
use crate::nsg::Nsg;
use crate::platform;
use crate::ports::Ports;
use crate::rule::{Access, Addresses, Rule};
use crate::tags::Tags;

/// The name of the filter that stands for the platform's exemption.
const EXEMPTION: &str = "PlatformExemption";

/// One IPv4 filter. A filter with ports speaks of TCP and UDP only, also where it
/// names no protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// The rule that this filter comes from, or `PlatformExemption`.
    pub rule: String,
    /// What becomes of a packet that matches.
    pub access: Access,
    /// The protocol number in the IP header; none is every protocol.
    pub protocol: Option<u8>,
    /// Source prefixes, disjoint and ascending; empty is every address.
    pub source: Vec<Ipv4Net>,
    /// Source port ranges, disjoint and ascending; empty is every port.
    pub source_ports: Vec<RangeInclusive<u16>>,
    /// Destination prefixes, disjoint and ascending; empty is every address.
    pub destination: Vec<Ipv4Net>,
    /// Destination port ranges, disjoint and ascending; empty is every port.
    pub destination_ports: Vec<RangeInclusive<u16>>,
}

impl Filter {
    /// Whether the filter matches an IPv4 flow; the direction is the list's.
    pub fn matches(&self, flow: &Flow) -> bool {
        let (IpAddr::V4(source), IpAddr::V4(destination)) =
            (flow.source, flow.destination)
        else {
            return false;
        };
        let address = |nets: &[Ipv4Net], address| {
            nets.is_empty() || nets.iter().any(|net| net.contains(&address))
        };
        let port = |ranges: &[RangeInclusive<u16>], port| {
            ranges.is_empty()
                || (flow.protocol.has_ports()
                    && ranges.iter().any(|range| range.contains(&port)))
        };
        (self.protocol.is_none() || self.protocol == flow.protocol.number())
            && address(&self.source, source)
            && address(&self.destination, destination)
            && port(&self.source_ports, flow.source_port)
            && port(&self.destination_ports, flow.destination_port)
    }
}

/// The filters of one direction of an NSG, in the order in which they are tried.
pub fn lower(nsg: &Nsg, direction: Direction, tags: &Tags) -> Vec<Filter> {
    let rules = nsg.rules(direction);
    let mut filters = Vec::with_capacity(rules.len() + 1);
    if direction == Direction::Outbound {
        let governing = rules.iter().filter_map(platform::governing_part);
        filters.extend(governing.filter_map(|rule| filter(&rule, tags)));
        filters.push(exemption());
    }
    filters.extend(rules.iter().filter_map(|rule| filter(rule, tags)));
    filters
}

fn exemption() -> Filter {
    let platform = [platform::WIRE_SERVER, platform::METADATA];
    Filter {
        rule: EXEMPTION.to_owned(),
        access: Access::Allow,
        protocol: None,
        source: Vec::new(),
        source_ports: Vec::new(),
        destination: platform.map(Ipv4Net::from).to_vec(),
        destination_ports: Vec::new(),
    }
}

/// A rule without its names; `None` if no IPv4 flow can match it.
fn filter(rule: &Rule, tags: &Tags) -> Option<Filter> {
    Some(Filter {
        rule: rule.name.clone(),
        access: rule.access,
        protocol: rule.protocol.number(),
        source: addresses(&rule.source.addresses, tags)?,
        source_ports: ports(&rule.source.ports)?,
        destination: addresses(&rule.destination.addresses, tags)?,
        destination_ports: ports(&rule.destination.ports)?,
    })
}

/// The IPv4 prefixes behind `addresses`, empty for all of them. Nothing at all is
/// `None`, never the empty list: that would turn "nobody" into "everybody".
fn addresses(addresses: &Addresses, tags: &Tags) -> Option<Vec<Ipv4Net>> {
    let Some(prefixes) = addresses.resolve(tags) else { return Some(Vec::new()) };
    let v4: Vec<Ipv4Net> = prefixes
        .iter()
        .filter_map(|net| match net {
            IpNet::V4(net) => Some(*net),
            IpNet::V6(_) => None,
        })
        .collect();
    let merged = Ipv4Net::aggregate(&v4);
    match merged.as_slice() {
        [] => None,
        [all] if all.prefix_len() == 0 => Some(Vec::new()),
        _ => Some(merged),
    }
}

/// The port ranges, empty for all of them; no port at all is `None`, as above.
fn ports(ports: &Ports) -> Option<Vec<RangeInclusive<u16>>> {
    match ports.ranges() {
        [] => None,
        _ if ports.is_any() => Some(Vec::new()),
        ranges => Some(ranges.to_vec()),
    }
}
