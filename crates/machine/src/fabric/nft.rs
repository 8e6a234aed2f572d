//! The lab's firewalls as nftables scripts. Pure text; each script replaces its
//! table in one transaction, so there is no moment without rules, and
//! connections that exist go on.

use std::collections::BTreeMap;
use std::fmt::Write;

use network::route::{Detour, Turn};
use network::{Access, Affinity, Filter, Translation};

use super::slot::Slot;
use super::vnet::{METADATA, WIRE_SERVER};
use super::{Vnet, nic, steer};

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

/// A virtual network: addresses, load balancers, routes, NSGs and the platform.
///
/// The way of a packet: `spoofed` (a VM speaks only for itself, unless it forwards),
/// `detour` (the sender's routes: dropped, or marked for an appliance), `public` (the
/// frontend or the public address becomes a private one), `steer` (a second address
/// leads to its interface), the route, then `forward` (the sender's outbound NSGs, the
/// receiver's inbound NSGs) or `input` (the platform's addresses), and at last
/// `private` (the private address of a VM that has a public one becomes it). NSGs see
/// private addresses and backends' ports only. Health probes leave by `output`.
pub(crate) fn vnet(slot: Slot, vnet: &Vnet) -> Result<String, crate::Error> {
    let mut chains = Chains::default();
    let mut bindings = Vec::new();
    let mut forwarding = Vec::new();
    let mut outbound = Vec::new();
    let mut inbound = Vec::new();
    let mut detours = Vec::new();
    let mut public = Vec::new();
    let mut private = Vec::new();
    let mut secondary = Vec::new();
    for nic in &vnet.nics {
        let name = nic::name(nic.address);
        outbound.push(format!("{name} : jump {}", chains.all_of(&nic.outbound)));
        inbound.push(format!("{name} : jump {}", chains.all_of(&nic.inbound)));
        if nic.forwards {
            forwarding.push(name.clone());
        }
        if !nic.detours.is_empty() {
            let chain = chains.named("route", route_body(&nic.detours));
            detours.push(format!("{name} : jump {chain}"));
        }
        for (address, outside) in nic.pairs() {
            bindings.push(format!("{name} . {address}"));
            if let Some(routed) = outside.map(|public| slot.routed(public)).transpose()? {
                public.push(format!("{routed} : {address}"));
                private.push(format!("{address} : {routed}"));
            }
        }
        for (address, _) in &nic.secondary {
            secondary.push(format!("{address} : {}", steer::number(nic.address)));
        }
    }
    let (single, spread) = frontends(slot, &vnet.frontends)?;
    let vms = nic::PREFIX;
    let link = slot.link();
    Ok(replace(
        TABLE,
        &format!(
            "{bindings}{forwarding}{outbound}{inbound}{detours}{public}{private}{secondary}{single}{chains}
            chain spoofed {{
                type filter hook prerouting priority raw
                iifname \"{vms}*\" ip daddr {{ {WIRE_SERVER}, {METADATA} }} iifname . ip saddr != @bindings drop
                iifname \"{vms}*\" iifname != @forwarding iifname . ip saddr != @bindings drop
            }}
            chain detour {{
                type filter hook prerouting priority mangle
                ip daddr != {{ {WIRE_SERVER}, {METADATA} }} iifname vmap @detours
            }}
            chain frontends {{
                {spread}
                meta l4proto {{ {TCP}, {UDP} }} dnat ip to ip daddr . meta l4proto . th dport map @single
            }}
            chain public {{
                type nat hook prerouting priority dstnat
                iifname edge jump frontends
                iifname \"{vms}*\" meta mark 0 jump frontends
                iifname edge dnat to ip daddr map @public
            }}
            chain steer {{
                type filter hook prerouting priority -50
                meta mark 0 meta mark set ip daddr map @secondary
            }}
            chain input {{
                type filter hook input priority 0; policy drop
                iifname lo accept
                ct state established,related accept
                iifname \"{vms}*\" ip daddr {{ {WIRE_SERVER}, {METADATA} }} tcp dport {{ 80, 32526 }} accept
                iifname \"{vms}*\" ip daddr {WIRE_SERVER} udp dport 53 reject
                iifname \"{vms}*\" ip daddr {WIRE_SERVER} tcp dport 53 reject with tcp reset
            }}
            chain output {{
                type filter hook output priority 0
                ct state established,related accept
                oifname vmap @inbound
            }}
            chain forward {{
                type filter hook forward priority 0; policy drop
                oifname \"{vms}*\" oifname != @forwarding oifname . ip daddr != @bindings drop
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
            forwarding = set("forwarding", "type ifname", &forwarding),
            outbound = map("outbound", "type ifname : verdict", &outbound),
            inbound = map("inbound", "type ifname : verdict", &inbound),
            detours = map("detours", "type ifname : verdict", &detours),
            public = map("public", "type ipv4_addr : ipv4_addr", &public),
            private = map("private", "type ipv4_addr : ipv4_addr", &private),
            secondary = map("secondary", "type ipv4_addr : mark", &secondary),
            single = map(
                "single",
                "type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service",
                &single
            ),
            chains = chains.text,
        ),
    ))
}

/// The load balancers' ports: those with one target as elements of a map, the others
/// as a rule each that spreads connections over the targets.
fn frontends(
    slot: Slot,
    frontends: &[Translation],
) -> Result<(Vec<String>, String), crate::Error> {
    let mut single = BTreeMap::new();
    let mut spread = BTreeMap::new();
    let mut sorted: Vec<&Translation> = frontends.iter().collect();
    sorted.sort_by_key(|one| one.via);
    for one in sorted {
        let frontend = match slot.public_range().contains(&one.frontend) {
            true => slot.routed(one.frontend)?,
            false => one.frontend,
        };
        let Translation { protocol, port, .. } = one;
        let key = (frontend, *protocol, *port);
        // The first of a port is the one of highest precedence.
        if single.contains_key(&key) || spread.contains_key(&key) {
            continue;
        }
        match one.targets.as_slice() {
            [] => {
                spread.insert(
                    key,
                    format!(
                        "ip daddr {frontend} meta l4proto {protocol} th dport {port} return\n"
                    ),
                );
            }
            [target] => {
                let element = format!(
                    "{frontend} . {protocol} . {port} : {} . {}",
                    target.ip(),
                    target.port()
                );
                single.insert(key, element);
            }
            targets => {
                let by = match one.affinity {
                    Affinity::FiveTuple if *protocol == UDP => "ip saddr . udp sport",
                    Affinity::FiveTuple => "ip saddr . tcp sport",
                    Affinity::Client => "ip saddr",
                };
                let list = targets.iter().enumerate().map(|(at, target)| {
                    format!("{at} : {} . {}", target.ip(), target.port())
                });
                spread.insert(
                    key,
                    format!(
                        "ip daddr {frontend} meta l4proto {protocol} th dport {port} dnat ip to \
                         jhash {by} mod {} seed 0x5eed map {{ {} }}\n",
                        targets.len(),
                        comma(list),
                    ),
                );
            }
        }
    }
    Ok((single.into_values().collect(), spread.into_values().collect()))
}

/// What a route table does with packets that are not simply forwarded.
fn route_body(detours: &[Detour]) -> String {
    let range = |detour: &Detour| {
        let (first, last) = (detour.destinations.start(), detour.destinations.end());
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    let dropped: Vec<String> =
        detours.iter().filter(|one| one.turn == Turn::Drop).map(range).collect();
    let steered: Vec<String> = detours
        .iter()
        .filter_map(|one| match one.turn {
            Turn::Appliance(to) => {
                Some(format!("{} : {}", range(one), steer::number(to)))
            }
            Turn::Drop => None,
        })
        .collect();
    let mut body = String::new();
    if !dropped.is_empty() {
        let _ = writeln!(body, "ip daddr {{ {} }} drop", comma(&dropped));
    }
    if !steered.is_empty() {
        let _ = writeln!(body, "meta mark set ip daddr map {{ {} }}", comma(&steered));
    }
    body
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
    use crate::fabric::Nic;

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
            address: Ipv4Addr::new(10, 0, 0, last),
            public: None,
            secondary: vec![],
            forwards: false,
            detours: vec![],
            inbound: vec![vec![filter(Access::Allow)]],
            outbound: vec![],
        };
        let shared = Vnet { nics: vec![nic(4), nic(5)], ..Vnet::empty() };
        let script = vnet(Slot(0), &shared).unwrap();
        assert_eq!(script.matches("comment \"ssh\"").count(), 1);
    }

    #[test]
    fn a_rule_name_cannot_break_out_of_its_quotes() {
        assert_eq!(comment("a\" accept #b"), "aacceptb");
    }
}
