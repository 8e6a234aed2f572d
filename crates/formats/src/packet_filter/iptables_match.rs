//! What the options of an iptables rule ask of the packet (iptables(8),
//! iptables-extensions(8)).

use std::net::IpAddr;

use super::condition::Condition;
use super::nft_expression::network;
use super::region::{
    Dimension, Values, address_bits, interface_bits, interfaces_from, point,
};
use super::{Direction, Packet};

/// Modules whose whole condition is in their options: `-m` alone asks for nothing.
const BY_OPTIONS: &[&str] = &[
    "addrtype",
    "comment",
    "connbytes",
    "connlabel",
    "connlimit",
    "connmark",
    "conntrack",
    "dscp",
    "ecn",
    "hashlimit",
    "helper",
    "icmp",
    "icmp6",
    "iprange",
    "length",
    "limit",
    "mac",
    "mark",
    "multiport",
    "owner",
    "physdev",
    "pkttype",
    "policy",
    "quota",
    "recent",
    "set",
    "state",
    "statistic",
    "string",
    "tcp",
    "tcpmss",
    "time",
    "tos",
    "ttl",
    "u32",
    "udp",
];

/// Options that say what a target does, or whom the rule belongs to.
const NO_CONDITION: &[&str] = &[
    "--comment",
    "--log-prefix",
    "--log-level",
    "--log-uid",
    "--log-ip-options",
    "--log-tcp-options",
    "--log-tcp-sequence",
    "--nflog-group",
    "--nflog-prefix",
    "--nflog-threshold",
    "--set-mark",
    "--set-xmark",
    "--save-mark",
    "--restore-mark",
    "--nfmask",
    "--ctmask",
    "--to-source",
    "--to-destination",
    "--to-ports",
    "--set-dscp",
    "--set-tos",
    "--clamp-mss-to-pmtu",
    "--set-mss",
    "--notrack",
    "--add-set",
    "--del-set",
    "--exist",
    "--map-set",
];

/// What an option asks for; nothing if it is no condition.
pub(super) fn condition(
    option: &str,
    values: &[&str],
    packet: &Packet,
) -> Option<Condition> {
    let value = values.first().copied().unwrap_or_default();
    let inward = packet.direction == Direction::In;
    if NO_CONDITION.contains(&option) {
        return None;
    }
    let opaque = || Condition::Opaque(format!("`{option} {}`", values.join(" ")));
    let within = |dimension: Dimension, values: Option<Values>| {
        values.map_or_else(opaque, |values| Condition::Within(dimension, values))
    };
    Some(match option {
        "-m" | "--match" if BY_OPTIONS.contains(&value) => return None,
        "-p" | "--protocol" => Condition::Is(matches!(value, "tcp" | "6" | "all" | "0")),
        "-s" | "--source" => within(Dimension::Source, addresses(value, packet)),
        "-d" | "--destination" => {
            within(Dimension::Destination, addresses(value, packet))
        }
        "--src-range" => within(Dimension::Source, range(value, packet)),
        "--dst-range" => within(Dimension::Destination, range(value, packet)),
        "-i" | "--in-interface" if inward => {
            within(Dimension::Interface, interfaces(value))
        }
        "-o" | "--out-interface" if !inward => {
            within(Dimension::Interface, interfaces(value))
        }
        // Nobody has chosen the other interface at these hooks.
        "-i" | "--in-interface" | "-o" | "--out-interface" => Condition::Is(false),
        "--dport" | "--dports" | "--destination-port" | "--destination-ports" => {
            within(Dimension::DestinationPort, ports(value))
        }
        "--sport" | "--sports" | "--source-port" | "--source-ports" => {
            within(Dimension::SourcePort, ports(value))
        }
        "--ports" => match ports(value) {
            Some(ports) => Condition::Any(vec![
                Condition::Within(Dimension::SourcePort, ports.clone()),
                Condition::Within(Dimension::DestinationPort, ports),
            ]),
            None => opaque(),
        },
        "--syn" => Condition::Is(inward),
        "--tcp-flags" => tcp_flags(packet, values).map_or_else(opaque, Condition::Is),
        "--state" | "--ctstate" => {
            let state = if inward { "NEW" } else { "ESTABLISHED" };
            let words: Vec<&str> = value.split(',').collect();
            if words.contains(&state) {
                Condition::Is(true)
            } else if words
                .iter()
                .any(|word| ["DNAT", "SNAT", "UNTRACKED"].contains(word))
            {
                opaque()
            } else {
                Condition::Is(false)
            }
        }
        "--ctdir" => Condition::Is(value == if inward { "ORIGINAL" } else { "REPLY" }),
        "--dst-type" if inward => Condition::Is(value == "LOCAL"),
        "--src-type" if !inward => Condition::Is(value == "LOCAL"),
        "--pkt-type" => Condition::Is(value == "unicast"),
        "-f" | "--fragment" => Condition::Is(false),
        "--match-set" => Condition::Opaque(format!("the elements of the ipset {value}")),
        _ => opaque(),
    })
}

/// `ADDRESS`, `ADDRESS/LENGTH` or `ADDRESS/MASK`.
fn addresses(text: &str, packet: &Packet) -> Option<Values> {
    let (start, length) = text.split_once('/').unwrap_or((text, ""));
    let start: IpAddr = start.parse().ok()?;
    let length = match (length.parse::<u32>(), length.parse::<IpAddr>()) {
        (Ok(length), _) => length,
        (_, Ok(IpAddr::V4(mask))) => contiguous(u128::from(mask.to_bits()) << 96)?,
        (_, Ok(IpAddr::V6(mask))) => contiguous(mask.to_bits())?,
        _ if length.is_empty() => {
            if start.is_ipv4() {
                32
            } else {
                128
            }
        }
        _ => return None,
    };
    network(Dimension::Source, start, length, packet.v6)
}

/// The length of a mask; none if it has holes.
fn contiguous(mask: u128) -> Option<u32> {
    (mask.leading_ones() == mask.count_ones()).then_some(mask.count_ones())
}

/// `FROM-TO`.
fn range(text: &str, packet: &Packet) -> Option<Values> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to): (IpAddr, IpAddr) = (from.parse().ok()?, to.parse().ok()?);
    if from.is_ipv6() != packet.v6 || to.is_ipv6() != packet.v6 {
        return Some(Values::new());
    }
    let (from, to) = (address_bits(from), address_bits(to));
    Some(if from <= to { Values::from_iter([from..=to]) } else { Values::new() })
}

/// `eth0`, or `eth+` for every name that begins so.
fn interfaces(name: &str) -> Option<Values> {
    match name.strip_suffix('+') {
        Some(start) => interfaces_from(start),
        None => interface_bits(name).map(point),
    }
}

/// `22`, `1000:2000`, `:1023`, several with commas between.
fn ports(list: &str) -> Option<Values> {
    let bound = |text: &str, open: u16| match text {
        "" => Some(open),
        "ssh" => Some(22),
        text => text.parse().ok(),
    };
    let mut ports = Values::new();
    for item in list.split(',') {
        let (from, to) = item.split_once(':').unwrap_or((item, item));
        let (from, to) = (bound(from, 0)?, bound(to, u16::MAX)?);
        if from <= to {
            ports |= Values::from_iter([u128::from(from)..=u128::from(to)]);
        }
    }
    Some(ports)
}

/// Whether the flags under the mask are exactly these.
fn tcp_flags(packet: &Packet, values: &[&str]) -> Option<bool> {
    let [mask, set] = values else { return None };
    let flags = |list: &str| -> Vec<String> {
        match list {
            "ALL" => {
                ["FIN", "SYN", "RST", "PSH", "ACK", "URG"].map(str::to_owned).to_vec()
            }
            "NONE" => Vec::new(),
            list => list.split(',').map(str::to_owned).collect(),
        }
    };
    let ours: &[&str] = match packet.direction {
        Direction::In => &["SYN"],
        Direction::Out => &["SYN", "ACK"],
    };
    let wanted = flags(set);
    let mask = flags(mask);
    Some(mask.iter().all(|flag| ours.contains(&flag.as_str()) == wanted.contains(flag)))
}
