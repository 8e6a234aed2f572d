//! nftables' expressions, evaluated for one packet.
//!
//! The left side of a match is a field of the packet, of its connection or of
//! its way through the system; the right side is a value, a range, a prefix, or
//! a set of them. Only fields that the first packets of a login determine are
//! known; a rule about anything else may or may not match.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::{Direction, Packet, Tri, overlap};

/// Named sets and maps of one table: name to elements.
pub(super) type Sets = BTreeMap<String, Value>;

/// TCP's flags as nftables names them, lowest bit first.
const TCP_FLAGS: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"];

/// What a left side is for this packet.
#[derive(Debug, Clone, PartialEq)]
enum Field {
    /// A number, known as far as this range.
    Number(RangeInclusive<u64>),
    Address(IpAddr),
    Word(String),
    /// TCP flags: matched bit by bit.
    Flags(u64),
    /// Several fields at once (`ip saddr . tcp dport`).
    Tuple(Vec<Field>),
    /// The packet does not have this field, so nothing about it can match.
    Absent,
    Unknown,
}

/// Whether a `match` statement holds.
pub(super) fn matches(body: &Value, packet: &Packet, sets: &Sets) -> Tri {
    let (Some(left), Some(right)) = (body.get("left"), body.get("right")) else {
        return Tri::Unknown;
    };
    let field = field(left, packet);
    if field == Field::Absent {
        return Tri::No;
    }
    match body.get("op").and_then(Value::as_str) {
        Some("==" | "in") | None => holds(&field, right, sets, body),
        Some("!=") => holds(&field, right, sets, body).not(),
        Some(order @ ("<" | ">" | "<=" | ">=")) => match (field, number(right)) {
            (Field::Number(left), Some(right)) => match order {
                "<" => overlap(&left, &(right..=u64::MAX)).not(),
                ">" => overlap(&left, &(0..=right)).not(),
                "<=" => overlap(&left, &(0..=right)),
                _ => overlap(&left, &(right..=u64::MAX)),
            },
            _ => Tri::Unknown,
        },
        Some(_) => Tri::Unknown,
    }
}

/// Whether the key of a map is this element.
pub(super) fn one_of(key: &Value, element: &Value, packet: &Packet, sets: &Sets) -> Tri {
    equals(&field(key, packet), element, sets)
}

/// `==` and the implicit comparison, which for TCP flags means "any of them".
fn holds(field: &Field, right: &Value, sets: &Sets, body: &Value) -> Tri {
    if let Field::Flags(flags) = field {
        let Some(mask) = flag_bits(right) else { return Tri::Unknown };
        let implicit = body.get("op").and_then(Value::as_str) == Some("in");
        return Tri::from(if implicit { flags & mask != 0 } else { *flags == mask });
    }
    equals(field, right, sets)
}

/// Whether a field is a value, or one of several.
fn equals(field: &Field, right: &Value, sets: &Sets) -> Tri {
    if *field == Field::Unknown {
        return match right {
            // An empty set matches nothing, whatever the field is.
            Value::String(name) if name.starts_with('@') => match sets.get(&name[1..]) {
                Some(Value::Array(elements)) if elements.is_empty() => Tri::No,
                _ => Tri::Unknown,
            },
            Value::String(any) if any == "*" => Tri::Yes,
            _ => Tri::Unknown,
        };
    }
    match right {
        Value::String(name) if name.starts_with('@') => match sets.get(&name[1..]) {
            Some(elements) => equals(field, elements, sets),
            None => Tri::Unknown,
        },
        Value::Array(elements) => elements
            .iter()
            .fold(Tri::No, |any, element| any.or(equals(field, element, sets))),
        Value::Object(object) => {
            let Some((kind, body)) = object.iter().next() else { return Tri::Unknown };
            match kind.as_str() {
                "set" => equals(field, body, sets),
                "elem" => body
                    .get("val")
                    .map_or(Tri::Unknown, |value| equals(field, value, sets)),
                "prefix" => in_prefix(field, body),
                "range" => in_range(field, body),
                "concat" => in_tuple(field, body, sets),
                _ => Tri::Unknown,
            }
        }
        _ => is(field, right),
    }
}

/// Whether a field is exactly one value.
fn is(field: &Field, value: &Value) -> Tri {
    match (field, value) {
        (_, Value::String(any)) if any == "*" => Tri::Yes,
        (Field::Word(word), Value::String(text)) => match text.strip_suffix('*') {
            Some(start) => Tri::from(word.starts_with(start)),
            // nft writes PACKET_HOST in both ways.
            None => Tri::from(word == text || (word == "unicast" && text == "host")),
        },
        (Field::Number(left), _) => {
            number(value).map_or(Tri::Unknown, |right| overlap(left, &(right..=right)))
        }
        (Field::Address(left), Value::String(text)) => {
            text.parse::<IpAddr>().map_or(Tri::Unknown, |right| Tri::from(*left == right))
        }
        _ => Tri::Unknown,
    }
}

fn in_prefix(field: &Field, body: &Value) -> Tri {
    let address = body.get("addr").and_then(Value::as_str).and_then(|a| a.parse().ok());
    let length =
        body.get("len").and_then(Value::as_u64).and_then(|l| u32::try_from(l).ok());
    match (field, address, length) {
        (Field::Address(field), Some(address), Some(length)) => {
            Tri::from(in_network(*field, address, length))
        }
        _ => Tri::Unknown,
    }
}

/// Whether an address is in a network of the same family.
pub(crate) fn in_network(address: IpAddr, network: IpAddr, length: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

fn in_range(field: &Field, body: &Value) -> Tri {
    let Some([from, to]) = body.as_array().map(Vec::as_slice) else {
        return Tri::Unknown;
    };
    match field {
        Field::Number(ours) => match (number(from), number(to)) {
            (Some(from), Some(to)) => overlap(ours, &(from..=to)),
            _ => Tri::Unknown,
        },
        Field::Address(address) => {
            let bound = |value: &Value| value.as_str()?.parse::<IpAddr>().ok();
            match (bound(from), bound(to)) {
                (Some(from), Some(to)) => Tri::from((from..=to).contains(address)),
                _ => Tri::Unknown,
            }
        }
        _ => Tri::Unknown,
    }
}

fn in_tuple(field: &Field, body: &Value, sets: &Sets) -> Tri {
    match (field, body.as_array()) {
        (Field::Tuple(fields), Some(values)) if fields.len() == values.len() => fields
            .iter()
            .zip(values)
            .fold(Tri::Yes, |all, (field, value)| all.and(equals(field, value, sets))),
        _ => Tri::Unknown,
    }
}

/// A number, or one of the words that nft writes for it.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => match text.as_str() {
            "ssh" => Some(22),
            text => text.strip_prefix("0x").map_or_else(
                || text.parse().ok(),
                |hex| u64::from_str_radix(hex, 16).ok(),
            ),
        },
        _ => None,
    }
}

fn flag_bits(value: &Value) -> Option<u64> {
    match value {
        Value::String(name) => {
            let bit = TCP_FLAGS.iter().position(|flag| flag == name)?;
            Some(1 << bit)
        }
        Value::Number(bits) => bits.as_u64(),
        Value::Array(names) => {
            names.iter().try_fold(0, |all, n| Some(all | flag_bits(n)?))
        }
        Value::Object(object) => {
            flag_bits(object.get("|").or_else(|| object.get("set"))?)
        }
        _ => None,
    }
}

/// What a left side is for this packet.
fn field(expression: &Value, packet: &Packet) -> Field {
    let Some((kind, body)) =
        expression.as_object().and_then(|object| object.iter().next())
    else {
        return Field::Unknown;
    };
    match kind.as_str() {
        "payload" => payload(body, packet),
        "meta" => meta(body, packet),
        "ct" => connection(body, packet),
        "fib" => route(body, packet),
        "&" => masked(body, packet),
        "concat" => match body.as_array() {
            Some(parts) => {
                let fields: Vec<Field> =
                    parts.iter().map(|part| field(part, packet)).collect();
                if fields.contains(&Field::Absent) {
                    Field::Absent
                } else {
                    Field::Tuple(fields)
                }
            }
            None => Field::Unknown,
        },
        _ => Field::Unknown,
    }
}

fn known<T>(value: Option<T>, field: impl FnOnce(T) -> Field) -> Field {
    value.map_or(Field::Unknown, field)
}

fn exactly(number: u64) -> Field {
    Field::Number(number..=number)
}

fn port(range: &RangeInclusive<u16>) -> Field {
    Field::Number(u64::from(*range.start())..=u64::from(*range.end()))
}

fn payload(body: &Value, packet: &Packet) -> Field {
    if let Some(base) = body.get("base").and_then(Value::as_str) {
        return raw_payload(base, body, packet);
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("protocol"), text("field")) {
        ("ip", _) if packet.v6 => Field::Absent,
        ("ip6", _) if !packet.v6 => Field::Absent,
        ("ip" | "ip6", "saddr") => known(packet.source, Field::Address),
        ("ip" | "ip6", "daddr") => known(packet.destination, Field::Address),
        ("ip", "protocol") | ("ip6", "nexthdr") => Field::Word("tcp".to_owned()),
        ("ip", "version") => exactly(4),
        ("ip6", "version") => exactly(6),
        // A login's first packets are whole, and sent with "don't fragment".
        ("ip", "frag-off") => exactly(0x4000),
        ("tcp" | "th", "sport") => port(&packet.source_port),
        ("tcp" | "th", "dport") => port(&packet.destination_port),
        ("tcp", "flags") => Field::Flags(match packet.direction {
            Direction::In => 0x02,
            Direction::Out => 0x12,
        }),
        ("ip" | "ip6" | "tcp" | "th" | "ether", _) => Field::Unknown,
        // A field of a protocol that the packet is not.
        _ => Field::Absent,
    }
}

/// `@th,16,16` and its like: iptables-translate and some tools write ports so.
fn raw_payload(base: &str, body: &Value, packet: &Packet) -> Field {
    let bits = |name: &str| body.get(name).and_then(Value::as_u64);
    match (base, bits("offset"), bits("len")) {
        ("th", Some(0), Some(16)) => port(&packet.source_port),
        ("th", Some(16), Some(16)) => port(&packet.destination_port),
        _ => Field::Unknown,
    }
}

fn meta(body: &Value, packet: &Packet) -> Field {
    let word = |text: &str| Field::Word(text.to_owned());
    let interface = |direction: Direction| {
        if packet.direction != direction {
            // Nobody has chosen the other interface at these hooks.
            return Field::Absent;
        }
        known(packet.interface.clone(), Field::Word)
    };
    match body.get("key").and_then(Value::as_str).unwrap_or_default() {
        "iifname" | "iif" => interface(Direction::In),
        "oifname" | "oif" => interface(Direction::Out),
        "l4proto" => word("tcp"),
        "nfproto" => word(if packet.v6 { "ipv6" } else { "ipv4" }),
        "protocol" => word(if packet.v6 { "ip6" } else { "ip" }),
        "pkttype" => word("unicast"),
        _ => Field::Unknown,
    }
}

fn connection(body: &Value, packet: &Packet) -> Field {
    let word = |text: &str| Field::Word(text.to_owned());
    match (body.get("key").and_then(Value::as_str).unwrap_or_default(), packet.direction)
    {
        ("state", Direction::In) => word("new"),
        ("state", Direction::Out) => word("established"),
        ("direction", Direction::In) => word("original"),
        ("direction", Direction::Out) => word("reply"),
        ("protocol", _) => word("tcp"),
        _ => Field::Unknown,
    }
}

/// `fib daddr type`: the packet is for this machine, or comes from it.
fn route(body: &Value, packet: &Packet) -> Field {
    let about = |name: &str| match body.get("flags") {
        Some(Value::Array(flags)) => flags.iter().any(|flag| flag == name),
        Some(flag) => flag == name,
        None => false,
    };
    let local = match packet.direction {
        Direction::In => about("daddr") && !about("saddr"),
        Direction::Out => about("saddr") && !about("daddr"),
    };
    match body.get("result").and_then(Value::as_str) {
        Some("type") if local => Field::Word("local".to_owned()),
        _ => Field::Unknown,
    }
}

fn masked(body: &Value, packet: &Packet) -> Field {
    let Some([left, mask]) = body.as_array().map(Vec::as_slice) else {
        return Field::Unknown;
    };
    match field(left, packet) {
        Field::Flags(flags) => known(flag_bits(mask), |mask| Field::Flags(flags & mask)),
        Field::Number(bits) if bits.start() == bits.end() => {
            known(number(mask), |mask| exactly(bits.start() & mask))
        }
        Field::Absent => Field::Absent,
        _ => Field::Unknown,
    }
}
