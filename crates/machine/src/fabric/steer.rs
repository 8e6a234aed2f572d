//! Packets that do not go where their destination says: to an appliance, because a
//! route says so, or to an interface's second address.
//!
//! nftables marks such a packet with the first address of the interface that it is
//! to go to. Every interface has a routing table of its own, whose number is that
//! address and whose only route leads to it; it comes and goes with the interface.
//! Here are the rules that lead from mark to table, and that drop what is marked for
//! an interface that is not there.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use network::route::Turn;
use serde::Deserialize;

use super::Vnet;
use super::namespace::Namespace;
use crate::command;
use crate::error::Error;

/// The rules' place: before the main table.
const STEER: u32 = 100;
/// Where marked packets end whose table is empty.
const NOWHERE: u32 = 101;

/// The number that stands for an interface, as a mark and as a table.
pub(crate) fn number(first: Ipv4Addr) -> u32 {
    first.to_bits()
}

/// The interfaces that some packets are steered to.
pub(crate) fn targets(vnet: &Vnet) -> BTreeSet<Ipv4Addr> {
    let appliances = vnet.nics.iter().flat_map(|nic| &nic.detours).filter_map(|detour| {
        match detour.turn {
            Turn::Appliance(address) => Some(address),
            Turn::Drop => None,
        }
    });
    let several = vnet.nics.iter().filter(|nic| !nic.secondary.is_empty());
    appliances.chain(several.map(|nic| nic.address)).collect()
}

/// Makes the namespace's rules lead to just these interfaces.
pub(crate) fn follow(namespace: &Namespace, vnet: &Vnet) -> Result<(), Error> {
    let wanted: BTreeSet<u32> = targets(vnet).into_iter().map(number).collect();
    let listed =
        command::succeed("ip", &["-n", namespace.name(), "-json", "rule", "show"], b"")?;
    let listed: Vec<Listed> = serde_json::from_slice(&listed).map_err(|source| {
        Error::Record { path: "the output of `ip -json rule`".to_owned(), source }
    })?;
    let existing: BTreeSet<(u32, u32)> =
        listed.iter().filter_map(|rule| Some((rule.priority, rule.mark()?))).collect();
    let mut batch = String::new();
    for (place, number) in &existing {
        if !wanted.contains(number) {
            batch += &format!("rule delete pref {place} fwmark {number}\n");
        }
    }
    for number in wanted {
        if !existing.contains(&(STEER, number)) {
            batch += &format!("rule add pref {STEER} fwmark {number} lookup {number}\n");
        }
        if !existing.contains(&(NOWHERE, number)) {
            batch += &format!("rule add pref {NOWHERE} fwmark {number} blackhole\n");
        }
    }
    if batch.is_empty() { Ok(()) } else { namespace.ip(&batch) }
}

/// One line of `ip -json rule show`.
#[derive(Deserialize)]
struct Listed {
    priority: u32,
    fwmark: Option<String>,
}

impl Listed {
    fn mark(&self) -> Option<u32> {
        u32::from_str_radix(self.fwmark.as_ref()?.strip_prefix("0x")?, 16).ok()
    }
}
