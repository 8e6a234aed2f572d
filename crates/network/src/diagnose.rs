//! What NSGs do with a whole set of flows, rule by rule: the question that is asked
//! with prefixes, tags and port ranges instead of one address and one port.
//!
//! A rule matches a set if it matches every flow in it. Microsoft does not say what
//! its own diagnostic does with a set that a rule covers in part; a rule that is
//! reported as the deciding one should decide for all that was asked.

use std::borrow::Cow;

use ipnet::IpNet;

use crate::decide::{Attachment, in_evaluation_order};
use crate::flow::{Direction, Flow, Protocol};
use crate::nsg::Nsg;
use crate::platform;
use crate::ports::Ports;
use crate::prefix;
use crate::rule::{Access, Addresses, Rule};
use crate::tags::{ServiceTag, Tags};

/// A set of flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Seen from the VM.
    pub direction: Direction,
    /// The IP protocol.
    pub protocol: Protocol,
    /// Who opens connections, from any port.
    pub source: Addresses,
    /// Who is called.
    pub destination: Addresses,
    /// Which ports are called.
    pub destination_ports: Ports,
}

/// How a rule compares with a set of flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Whether its protocol covers the set's.
    pub protocol: bool,
    /// Whether its source covers the set's.
    pub source: bool,
    /// Whether it takes every source port.
    pub source_port: bool,
    /// Whether its destination covers the set's.
    pub destination: bool,
    /// Whether its destination ports cover the set's.
    pub destination_port: bool,
}

/// What one NSG does with a set of flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis<'a> {
    /// Where the NSG is attached.
    pub attachment: Attachment,
    /// The NSG.
    pub nsg: &'a Nsg,
    /// Its rules in the order in which they are tried, up to the one that matches.
    pub compared: Vec<Comparison<'a>>,
}

impl Comparison<'_> {
    /// Whether the rule matches every flow of the set.
    pub fn matches(&self) -> bool {
        self.protocol
            && self.source
            && self.source_port
            && self.destination
            && self.destination_port
    }
}

impl<'a> Diagnosis<'a> {
    /// The rule that matches. Only traffic to the platform finds none.
    pub fn matched(&self) -> Option<&'a Rule> {
        self.compared.last().filter(|last| last.matches()).map(|last| last.rule)
    }
}

/// Reads a side of a profile: `*`, an address, a CIDR block or a service tag.
pub fn parse_addresses(text: &str) -> Option<Addresses> {
    if text == "*" {
        return Some(Addresses::Any);
    }
    match prefix::parse(text) {
        Some(net) => Some(Addresses::Prefixes(vec![net])),
        None => ServiceTag::parse(text).map(Addresses::Tag),
    }
}

/// Compares a set of flows with the NSGs of a NIC in evaluation order, until one
/// denies it.
pub fn diagnose<'a>(
    nsgs: &[(Attachment, &'a Nsg)],
    profile: &Profile,
    tags: &Tags,
) -> Vec<Diagnosis<'a>> {
    let mut all = Vec::new();
    for (attachment, nsg) in in_evaluation_order(nsgs, profile.direction) {
        let mut compared = Vec::new();
        for rule in nsg.rules(profile.direction) {
            let comparison = compare(rule, profile, tags);
            compared.push(comparison);
            if comparison.matches() {
                break;
            }
        }
        let diagnosis = Diagnosis { attachment, nsg, compared };
        let denied = diagnosis.matched().is_some_and(|rule| rule.access == Access::Deny);
        all.push(diagnosis);
        if denied {
            break;
        }
    }
    all
}

fn compare<'a>(rule: &'a Rule, profile: &Profile, tags: &Tags) -> Comparison<'a> {
    let ports = &profile.destination_ports;
    let covers = &rule.destination.ports;
    Comparison {
        rule,
        protocol: rule.protocol == Protocol::Any || rule.protocol == profile.protocol,
        source: cover(&rule.source.addresses, &profile.source, tags),
        source_port: rule.source.ports.is_any(),
        destination: cover(&rule.destination.addresses, &profile.destination, tags)
            && governs(rule, profile),
        destination_port: covers.is_any()
            || covers.intersection(ports).as_ref() == Some(ports),
    }
}

/// Whether every address of `asked` is one of `rule`.
fn cover(rule: &Addresses, asked: &Addresses, tags: &Tags) -> bool {
    let Some(rule) = rule.resolve(tags) else { return true };
    let Some(asked) = asked.resolve(tags) else { return false };
    let merged: Cow<'_, [IpNet]> = Cow::Owned(IpNet::aggregate(&rule.to_vec()));
    !asked.is_empty()
        && asked.iter().all(|asked| merged.iter().any(|rule| rule.contains(asked)))
}

/// Ordinary rules leave a VM's traffic to the platform alone.
fn governs(rule: &Rule, profile: &Profile) -> bool {
    let Addresses::Prefixes(destinations) = &profile.destination else { return true };
    let [one] = destinations.as_slice() else { return true };
    if one.prefix_len() != one.max_prefix_len() {
        return true;
    }
    let port =
        profile.destination_ports.ranges().first().map_or(0, |range| *range.start());
    let flow = Flow {
        direction: profile.direction,
        protocol: profile.protocol,
        source: one.addr(),
        source_port: 0,
        destination: one.addr(),
        destination_port: port,
    };
    platform::applies(rule, &flow)
}
