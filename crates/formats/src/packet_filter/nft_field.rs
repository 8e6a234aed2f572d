//! Fields of nftables' expressions: what a rule asks about.
//!
//! A field of the packet, of its connection or of its way through the system is
//! either the same for every first packet of a login, or lies along a [`Dimension`];
//! anything else is opaque.

use serde_json::Value;

use super::region::{Dimension, Region};
use super::{Direction, Packet};

/// TCP's flags as nftables names them, lowest bit first.
const TCP_FLAGS: [&str; 8] = ["fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"];

/// What a left side is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    /// What may be unknown.
    Along(Dimension),
    Number(u64),
    Word(&'static str),
    /// TCP flags: matched bit by bit.
    Flags(u64),
    /// Several fields at once (`ip saddr . tcp dport`).
    Tuple(Vec<Self>),
    /// The packet does not have this field, so nothing about it can match.
    Absent,
    /// Nobody knows.
    Opaque,
}

/// The two parts of an array of two.
pub(super) fn pair(body: &Value) -> Option<(&Value, &Value)> {
    match body.as_array()?.as_slice() {
        [from, to] => Some((from, to)),
        _ => None,
    }
}

/// A number, or one of the words that nft writes for it.
pub(super) fn number(value: &Value) -> Option<u64> {
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

/// TCP flags as a number.
pub(super) fn flag_bits(value: &Value) -> Option<u64> {
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

/// What a left side is.
pub(super) fn field(expression: &Value, packet: &Packet) -> Field {
    let Some((kind, body)) =
        expression.as_object().and_then(|object| object.iter().next())
    else {
        return Field::Opaque;
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
            None => Field::Opaque,
        },
        _ => Field::Opaque,
    }
}

fn payload(body: &Value, packet: &Packet) -> Field {
    let bits = |name: &str| body.get(name).and_then(Value::as_u64);
    // `@th,16,16` and its like: iptables-translate and some tools write ports so.
    match (body.get("base").and_then(Value::as_str), bits("offset"), bits("len")) {
        (Some("th"), Some(0), Some(16)) => return Field::Along(Dimension::SourcePort),
        (Some("th"), Some(16), Some(16)) => {
            return Field::Along(Dimension::DestinationPort);
        }
        (Some(_), ..) => return Field::Opaque,
        (None, ..) => {}
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("protocol"), text("field")) {
        ("ip", _) if packet.v6 => Field::Absent,
        ("ip6", _) if !packet.v6 => Field::Absent,
        ("ip" | "ip6", "saddr") => Field::Along(Dimension::Source),
        ("ip" | "ip6", "daddr") => Field::Along(Dimension::Destination),
        ("ip", "protocol") | ("ip6", "nexthdr") => Field::Word("tcp"),
        ("ip", "version") => Field::Number(4),
        ("ip6", "version") => Field::Number(6),
        // A login's first packets are whole, and sent with "don't fragment".
        ("ip", "frag-off") => Field::Number(0x4000),
        ("tcp" | "th", "sport") => Field::Along(Dimension::SourcePort),
        ("tcp" | "th", "dport") => Field::Along(Dimension::DestinationPort),
        ("tcp", "flags") => Field::Flags(match packet.direction {
            Direction::In => 0x02,
            Direction::Out => 0x12,
        }),
        ("ip" | "ip6" | "tcp" | "th" | "ether", _) => Field::Opaque,
        // A field of a protocol that the packet is not.
        _ => Field::Absent,
    }
}

fn meta(body: &Value, packet: &Packet) -> Field {
    // Nobody has chosen the other interface at these hooks.
    let interface = |direction: Direction| match packet.direction == direction {
        true => Field::Along(Dimension::Interface),
        false => Field::Absent,
    };
    match body.get("key").and_then(Value::as_str).unwrap_or_default() {
        "iifname" | "iif" => interface(Direction::In),
        "oifname" | "oif" => interface(Direction::Out),
        "l4proto" => Field::Word("tcp"),
        "nfproto" => Field::Word(if packet.v6 { "ipv6" } else { "ipv4" }),
        "protocol" => Field::Word(if packet.v6 { "ip6" } else { "ip" }),
        "pkttype" => Field::Word("unicast"),
        _ => Field::Opaque,
    }
}

fn connection(body: &Value, packet: &Packet) -> Field {
    match (body.get("key").and_then(Value::as_str).unwrap_or_default(), packet.direction)
    {
        ("state", Direction::In) => Field::Word("new"),
        ("state", Direction::Out) => Field::Word("established"),
        ("direction", Direction::In) => Field::Word("original"),
        ("direction", Direction::Out) => Field::Word("reply"),
        ("protocol", _) => Field::Word("tcp"),
        _ => Field::Opaque,
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
        Some("type") if local => Field::Word("local"),
        _ => Field::Opaque,
    }
}

fn masked(body: &Value, packet: &Packet) -> Field {
    let Some((left, mask)) = pair(body) else { return Field::Opaque };
    match field(left, packet) {
        Field::Flags(flags) => {
            flag_bits(mask).map_or(Field::Opaque, |mask| Field::Flags(flags & mask))
        }
        Field::Number(bits) => {
            number(mask).map_or(Field::Opaque, |mask| Field::Number(bits & mask))
        }
        Field::Along(
            dimension @ (Dimension::SourcePort | Dimension::DestinationPort),
        ) => {
            let known = Region::of(packet).known(dimension);
            let port = known.and_then(|port| u64::try_from(port).ok());
            let both = port.zip(number(mask));
            both.map_or(Field::Opaque, |(port, mask)| Field::Number(port & mask))
        }
        Field::Absent => Field::Absent,
        _ => Field::Opaque,
    }
}
