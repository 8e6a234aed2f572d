//! The fast path: the same answers as [`decide`](crate::decide()), from tables.
//!
//! For each of the five fields the values are cut into intervals at every point where
//! some rule begins or ends. All values of one interval are matched by the same
//! rules, and that set is kept as a row of bits, bit *n* for the *n*-th rule in
//! priority order. Deciding is then five look-ups, the bitwise AND of five rows, and
//! the lowest bit that is left. The time no longer depends on the number of prefixes
//! and hardly on the number of rules.

mod field;

use std::net::IpAddr;

use ipnet::IpNet;

use self::field::{Bits, Field, intersect};
use crate::decide::{Attachment, Decision, Match, in_evaluation_order};
use crate::flow::{Direction, Flow, Protocol};
use crate::nsg::Nsg;
use crate::platform;
use crate::ports::Ports;
use crate::prefix::{Span, v4_span, v6_span};
use crate::rule::{Addresses, Rule};
use crate::tags::Tags;

/// The NSGs of one NIC, compiled for one expansion of the tags.
#[derive(Debug)]
pub struct Compiled<'a> {
    nsgs: Vec<(Attachment, &'a Nsg)>,
    tags: &'a Tags,
    inbound: Vec<Table<'a>>,
    outbound: Vec<Table<'a>>,
}

/// One direction of one NSG.
#[derive(Debug)]
struct Table<'a> {
    attachment: Attachment,
    nsg: &'a Nsg,
    rules: &'a [Rule],
    protocols: [Bits; PROTOCOLS.len()],
    /// The rules that restrict no port: all that a protocol without ports can match.
    portless: Bits,
    source: Sides,
    destination: Sides,
    source_ports: Field<u16>,
    destination_ports: Field<u16>,
}

/// One side's addresses; the families share no values.
#[derive(Debug)]
struct Sides {
    v4: Field<u32>,
    v6: Field<u128>,
}

/// The protocols in the order of `Table::protocols`.
const PROTOCOLS: [Protocol; 6] = [
    Protocol::Tcp,
    Protocol::Udp,
    Protocol::Icmp,
    Protocol::Esp,
    Protocol::Ah,
    Protocol::Any,
];

impl<'a> Compiled<'a> {
    /// Compiles the NSGs of a NIC, given as to [`decide`](crate::decide()).
    pub fn new(nsgs: &[(Attachment, &'a Nsg)], tags: &'a Tags) -> Compiled<'a> {
        let tables = |direction| {
            in_evaluation_order(nsgs, direction)
                .map(|(attachment, nsg)| Table::new(attachment, nsg, direction, tags))
                .collect()
        };
        Compiled {
            inbound: tables(Direction::Inbound),
            outbound: tables(Direction::Outbound),
            nsgs: nsgs.to_vec(),
            tags,
        }
    }

    /// Decides about a new flow, exactly as [`decide`](crate::decide()) does.
    pub fn decide(&self, flow: &Flow) -> Decision<'a> {
        // Traffic to the platform meets other rules, and is rare.
        if platform::exempt(flow) {
            return crate::decide(&self.nsgs, flow, self.tags);
        }
        let tables = match flow.direction {
            Direction::Inbound => &self.inbound,
            Direction::Outbound => &self.outbound,
        };
        Decision::follow(false, tables.iter().filter_map(|table| table.first_match(flow)))
    }
}

impl<'a> Table<'a> {
    fn new(
        attachment: Attachment,
        nsg: &'a Nsg,
        direction: Direction,
        tags: &Tags,
    ) -> Table<'a> {
        let rules = nsg.rules(direction);
        let select = |wanted: &dyn Fn(&Rule) -> bool| {
            Bits::new(rules.len(), (0..rules.len()).filter(|&rule| wanted(&rules[rule])))
        };
        Table {
            attachment,
            nsg,
            rules,
            protocols: PROTOCOLS.map(|protocol| {
                select(&|rule| {
                    rule.protocol == Protocol::Any || rule.protocol == protocol
                })
            }),
            portless: select(&|rule| {
                rule.source.ports.is_any() && rule.destination.ports.is_any()
            }),
            source: Sides::new(rules.iter().map(|rule| &rule.source.addresses), tags),
            destination: Sides::new(
                rules.iter().map(|rule| &rule.destination.addresses),
                tags,
            ),
            source_ports: ports(rules.iter().map(|rule| &rule.source.ports)),
            destination_ports: ports(rules.iter().map(|rule| &rule.destination.ports)),
        }
    }

    fn first_match(&self, flow: &Flow) -> Option<Match<'a>> {
        let protocol = self.protocols[index(flow.protocol)].row();
        let source = self.source.row(flow.source);
        let destination = self.destination.row(flow.destination);
        let first = if flow.protocol.has_ports() {
            intersect([
                protocol,
                source,
                destination,
                self.source_ports.row(flow.source_port),
                self.destination_ports.row(flow.destination_port),
            ])
        } else {
            intersect([protocol, source, destination, self.portless.row()])
        }?;
        Some(Match {
            attachment: self.attachment,
            nsg: self.nsg,
            rule: &self.rules[first],
        })
    }
}

/// The place of a protocol in [`PROTOCOLS`].
fn index(protocol: Protocol) -> usize {
    match protocol {
        Protocol::Tcp => 0,
        Protocol::Udp => 1,
        Protocol::Icmp => 2,
        Protocol::Esp => 3,
        Protocol::Ah => 4,
        Protocol::Any => 5,
    }
}

fn ports<'r>(rules: impl ExactSizeIterator<Item = &'r Ports>) -> Field<u16> {
    Field::new(rules.map(|ports| {
        let spans = ports.ranges().iter();
        spans.map(|range| (*range.start(), range.end().checked_add(1))).collect()
    }))
}

impl Sides {
    fn new<'r>(
        rules: impl ExactSizeIterator<Item = &'r Addresses> + Clone,
        tags: &Tags,
    ) -> Sides {
        Sides {
            v4: Field::new(
                rules.clone().map(|addresses| spans(addresses, tags, v4_span)),
            ),
            v6: Field::new(rules.map(|addresses| spans(addresses, tags, v6_span))),
        }
    }

    fn row(&self, address: IpAddr) -> &[u64] {
        match address {
            IpAddr::V4(address) => self.v4.row(address.to_bits()),
            IpAddr::V6(address) => self.v6.row(address.to_bits()),
        }
    }
}

/// The addresses of one rule in one family, as spans.
fn spans<K: Default>(
    addresses: &Addresses,
    tags: &Tags,
    family: fn(&IpNet) -> Option<Span<K>>,
) -> Vec<Span<K>> {
    match addresses.resolve(tags) {
        None => vec![(K::default(), None)],
        Some(prefixes) => prefixes.iter().filter_map(family).collect(),
    }
}
