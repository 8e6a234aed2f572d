//! The platform's exemption: what a VM sends to Azure's own two addresses passes
//! every NSG, so that a rule such as "deny all outbound" does not cost the VM its
//! name service, its agent and its metadata.
//!
//! Two service tags lift the exemption on purpose: `AzurePlatformDNS` for port 53 of
//! the first address and `AzurePlatformIMDS` for the second. A flow to a platform
//! address therefore meets only those rules whose destination is the tag that governs
//! it. Probes that come *from* the platform are ordinary inbound flows.

use std::net::{IpAddr, Ipv4Addr};

use crate::flow::{Direction, Flow};
use crate::ports::Ports;
use crate::rule::{Addresses, Rule};
use crate::tags::ServiceTag;

/// DHCP, name service, agent (WireServer) and the source of health probes.
pub(crate) const WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
/// The instance metadata service.
pub(crate) const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
/// Governs name service at [`WIRE_SERVER`].
pub(crate) const DNS_TAG: &str = "AzurePlatformDNS";
/// Governs everything at [`METADATA`].
pub(crate) const METADATA_TAG: &str = "AzurePlatformIMDS";

const DNS_PORT: u16 = 53;

/// Whether ordinary rules leave this flow alone.
pub(crate) fn exempt(flow: &Flow) -> bool {
    flow.direction == Direction::Outbound
        && [WIRE_SERVER, METADATA].map(IpAddr::V4).contains(&flow.destination)
}

/// Whether an NSG puts `rule` to `flow` at all: always, unless the flow is exempt and
/// the rule does not name the tag that governs it.
pub(crate) fn applies(rule: &Rule, flow: &Flow) -> bool {
    if !exempt(flow) {
        return true;
    }
    let Addresses::Tag(ServiceTag::Service(tag)) = &rule.destination.addresses else {
        return false;
    };
    match tag.as_str() {
        DNS_TAG => flow.protocol.has_ports() && flow.destination_port == DNS_PORT,
        METADATA_TAG => true,
        _ => false,
    }
}

/// The part of an outbound rule that exempt flows meet; none for ordinary rules.
pub(crate) fn governing_part(rule: &Rule) -> Option<Rule> {
    let Addresses::Tag(ServiceTag::Service(tag)) = &rule.destination.addresses else {
        return None;
    };
    let mut part = rule.clone();
    match tag.as_str() {
        DNS_TAG => {
            part.destination.ports =
                rule.destination.ports.intersection(&Ports::one(DNS_PORT))?;
        }
        METADATA_TAG => {}
        _ => return None,
    }
    Some(part)
}
