//! The lab's firewalls as nftables scripts. Pure text; each script replaces its
//! table in one transaction, so there is no moment without rules, and
//! connections that exist go on.

use std::collections::BTreeMap;
use std::fmt::Write;

use network::{Access, Filter};

use super::slot::Slot;
use super::vnet::{METADATA, WIRE_SERVER};
use super::{Nic, nic};

/// The table in every namespace of the lab.
const TABLE: &str = "regain";

/// The host: public addresses are translated on their way into the lab, and
/// nothing of the lab reaches the host or goes through it, but for answers.
pub(crate) fn host(slot: Slot) -> String {
    let (table, link) = (slot.table(), slot.name());
    let (public, routed, client) =
        (slot.public_range(), slot.routed_range(), slot.client());
    replace(
        &table,
        &format!(
            "chain output {{
                type nat hook output priority -100
                ip daddr {public} dnat ip prefix to ip daddr map {{ {public} : {routed} }}
            }}
            chain postrouting {{
                type nat hook postrouting priority 100
                oifname {link} snat to {client}
            }}
            chain input {{
                type filter hook input priority 0
                iifname {link} ct state established,related accept
                iifname {link} drop
            }}
            chain forward {{
                type filter hook forward priority 0
                iifname {link} drop
                oifname {link} drop
            }}"
        ),
    )
}

/// Takes the host's table away, if it is there.
pub(crate) fn no_host(slot: Slot) -> String {
    let table = slot.table();
    format!("table ip {table} {{}}\ndelete table ip {table}\n")
}

/// The edge: between the host and the virtual networks, never from one virtual
/// network to another.
pub(crate) fn edge() -> String {
    replace(
        TABLE,
        "chain forward {
            type filter hook forward priority 0; policy drop
            iifname north accept
            oifname north accept
        }
        chain input {
            type filter hook input priority 0; policy drop
        }",
    )
}

/// A virtual network: addresses, NSGs and the platform.
///
/// The way of a packet: `spoofed` (a VM speaks only for itself), `public` (the
/// public address becomes the private one), the route, then `forward` (the
/// sender's outbound NSGs, the receiver's inbound NSGs) or `input` (the
/// platform's addresses), and at last `private` (the private address of a VM
/// that has a public one becomes it). NSGs see private addresses only.
pub(crate) fn vnet(slot: Slot, nics: &[Nic]) -> Result<String, crate::Error> {
    let mut chains = Chains::default();
    let mut bindings = Vec::new();
    let mut outbound = Vec::new();
    let mut inbound = Vec::new();
    let mut public = Vec::new();
    let mut private = Vec::new();
    for nic in nics {
        let (name, address) = (nic::name(nic.address), nic.address);
        bindings.push(format!("{name} . {address}"));
        outbound.push(format!("{name} : jump {}", chains.all_of(&nic.outbound)));
        inbound.push(format!("{name} : jump {}", chains.all_of(&nic.inbound)));
        if let Some(routed) = nic.public.map(|public| slot.routed(public)).transpose()? {
            public.push(format!("{routed} : {address}"));
            private.push(format!("{address} : {routed}"));
        }
    }
    let vms = nic::PREFIX;
    let link = slot.link();
    Ok(replace(
        TABLE,
        &format!(
            "{bindings}{outbound}{inbound}{public}{private}{chains}
            chain spoofed {{
                type filter hook prerouting priority raw
                iifname \"{vms}*\" iifname . ip saddr != @bindings drop
            }}
            chain public {{
                type nat hook prerouting priority dstnat
                iifname edge dnat to ip daddr map @public
            }}
            chain input {{
                type filter hook input priority 0; policy drop
                iifname lo accept
                ct state established,related accept
                iifname \"{vms}*\" ip daddr {{ {WIRE_SERVER}, {METADATA} }} tcp dport {{ 80, 32526 }} accept
                iifname \"{vms}*\" ip daddr {WIRE_SERVER} udp dport 53 reject
                iifname \"{vms}*\" ip daddr {WIRE_SERVER} tcp dport 53 reject with tcp reset
            }}
            chain forward {{
                type filter hook forward priority 0; policy drop
                ct state established,related accept
                iifname vmap @outbound
                oifname vmap @inbound
                iifname edge oifname \"{vms}*\" ct status dnat accept
                iifname \"{vms}*\" oifname \"{vms}*\" accept
                iifname \"{vms}*\" oifname edge ip daddr {link} accept
            }}
            chain private {{
                type nat hook postrouting priority srcnat
                oifname edge snat to ip saddr map @private
            }}",
            bindings = set("bindings", "type ifname . ipv4_addr", &bindings),
            outbound = map("outbound", "type ifname : verdict", &outbound),
            inbound = map("inbound", "type ifname : verdict", &inbound),
            public = map("public", "type ipv4_addr : ipv4_addr", &public),
            private = map("private", "type ipv4_addr : ipv4_addr", &private),
            chains = chains.text,
        ),
    ))
}

/// Chains made from NSGs, each only once however many NICs share it.
#[derive(Default)]
struct Chains {
    text: String,
    names: BTreeMap<String, String>,
}

impl Chains {
    /// The chain that comes back only if every one of the NSGs allows.
    fn all_of(&mut self, nsgs: &[Vec<Filter>]) -> String {
        let mut body = String::new();
        for nsg in nsgs {
            let _ = writeln!(body, "jump {}", self.named("nsg", nsg_body(nsg)));
        }
        self.named("nic", body)
    }

    fn named(&mut self, kind: &str, body: String) -> String {
        if let Some(name) = self.names.get(&body) {
            return name.clone();
        }
        let name = format!("{kind}_{}", self.names.len());
        let _ = writeln!(self.text, "chain {name} {{\n{body}}}");
        self.names.insert(body, name.clone());
        name
    }
}

/// First match decides: allowed goes back to the caller, denied vanishes.
fn nsg_body(filters: &[Filter]) -> String {
    let mut body: String = filters.iter().filter_map(rule).collect();
    body += "drop\n";
    body
}

/// One filter as one rule; none if it can match no packet.
fn rule(filter: &Filter) -> Option<String> {
    let mut text = String::new();
    let ports = !filter.source_ports.is_empty() || !filter.destination_ports.is_empty();
    match filter.protocol {
        Some(protocol) if ports && !matches!(protocol, TCP | UDP) => return None,
        Some(protocol) => text += &format!("meta l4proto {protocol} "),
        None if ports => text += &format!("meta l4proto {{ {TCP}, {UDP} }} "),
        None => {}
    }
    if !filter.source.is_empty() {
        text += &format!("ip saddr {{ {} }} ", comma(&filter.source));
    }
    if !filter.destination.is_empty() {
        text += &format!("ip daddr {{ {} }} ", comma(&filter.destination));
    }
    let ranges = |ranges: &[std::ops::RangeInclusive<u16>]| {
        comma(ranges.iter().map(|range| format!("{}-{}", range.start(), range.end())))
    };
    if !filter.source_ports.is_empty() {
        text += &format!("th sport {{ {} }} ", ranges(&filter.source_ports));
    }
    if !filter.destination_ports.is_empty() {
        text += &format!("th dport {{ {} }} ", ranges(&filter.destination_ports));
    }
    text += match filter.access {
        Access::Allow => "return",
        Access::Deny => "drop",
    };
    Some(format!("{text} comment \"{}\"\n", comment(&filter.rule)))
}

const TCP: u8 = 6;
const UDP: u8 = 17;

/// A rule's name where nftables takes a quoted string of at most 127 bytes.
fn comment(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c))
        .take(80)
        .collect()
}

fn set(name: &str, kind: &str, elements: &[String]) -> String {
    collection("set", name, kind, elements)
}

fn map(name: &str, kind: &str, elements: &[String]) -> String {
    collection("map", name, kind, elements)
}

fn collection(word: &str, name: &str, kind: &str, elements: &[String]) -> String {
    // nftables takes no empty list of elements.
    let elements = match elements {
        [] => String::new(),
        some => format!("elements = {{ {} }}\n", comma(some)),
    };
    format!("{word} {name} {{\n{kind}\n{elements}}}\n")
}

fn comma<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// The empty table first makes the deletion work on a host that has none.
fn replace(table: &str, body: &str) -> String {
    format!(
        "table ip {table} {{}}\ndelete table ip {table}\ntable ip {table} {{\n{body}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn filter(access: Access) -> Filter {
        Filter {
            rule: "ssh".into(),
            access,
            protocol: Some(TCP),
            source: vec!["10.0.0.0/8".parse().unwrap()],
            source_ports: vec![],
            destination: vec![],
            destination_ports: vec![22..=22, 8000..=8080],
        }
    }

    #[test]
    fn a_filter_is_one_rule() {
        assert_eq!(
            rule(&filter(Access::Deny)).unwrap(),
            "meta l4proto 6 ip saddr { 10.0.0.0/8 } th dport { 22-22, 8000-8080 } drop comment \"ssh\"\n"
        );
    }

    #[test]
    fn ports_of_any_protocol_are_those_of_tcp_and_udp() {
        let any = Filter { protocol: None, ..filter(Access::Allow) };
        assert!(rule(&any).unwrap().starts_with("meta l4proto { 6, 17 } "));
    }

    #[test]
    fn ports_of_icmp_match_nothing() {
        assert_eq!(rule(&Filter { protocol: Some(1), ..filter(Access::Allow) }), None);
    }

    #[test]
    fn an_nsg_that_many_nics_share_is_loaded_once() {
        let nic = |last| Nic {
            machine: None,
            address: Ipv4Addr::new(10, 0, 0, last),
            public: None,
            inbound: vec![vec![filter(Access::Allow)]],
            outbound: vec![],
        };
        let slot = Slot(0);
        let script = vnet(slot, &[nic(4), nic(5)]).unwrap();
        assert_eq!(script.matches("comment \"ssh\"").count(), 1);
    }

    #[test]
    fn a_rule_name_cannot_break_out_of_its_quotes() {
        assert_eq!(comment("a\" accept #b"), "aacceptb");
    }
}
