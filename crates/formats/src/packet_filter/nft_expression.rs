//! nftables' expressions, as conditions.
//!
//! The left side of a match is a [`Field`]; the right side is a value, a range, a
//! prefix, or a set of them. Plain values of a set are put together, so that a list
//! of thousands is one question.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::Value;

use super::Packet;
use super::condition::Condition;
use super::nft_field::{Field, field, flag_bits, number, pair};
use super::nft_text;
use super::region::{
    Dimension, Values, address_bits, interface_bits, interfaces_from, point,
};

/// Named sets and maps of one table: name to elements.
pub(super) type Sets = BTreeMap<String, Value>;

/// When a `match` statement holds.
pub(super) fn matches(body: &Value, packet: &Packet, sets: &Sets) -> Condition {
    let (Some(left), Some(right)) = (body.get("left"), body.get("right")) else {
        return Condition::Opaque("a match without two sides".to_owned());
    };
    let field = field(left, packet);
    if field == Field::Absent {
        return Condition::Is(false);
    }
    let reader = Reader { left, packet, sets };
    match body.get("op").and_then(Value::as_str) {
        Some("==") | None => reader.holds(&field, right, false),
        Some("in") => reader.holds(&field, right, true),
        Some("!=") => reader.holds(&field, right, false).not(),
        Some("<") => reader.below(&field, right, false),
        Some("<=") => reader.below(&field, right, true),
        Some(">") => reader.below(&field, right, true).not(),
        Some(">=") => reader.below(&field, right, false).not(),
        Some(_) => reader.opaque(),
    }
}

/// When the key of a map is this element.
pub(super) fn one_of(
    key: &Value,
    element: &Value,
    packet: &Packet,
    sets: &Sets,
) -> Condition {
    let field = field(key, packet);
    if field == Field::Absent {
        return Condition::Is(false);
    }
    Reader { left: key, packet, sets }.equals(&field, element)
}

/// The names that an interface's name in a rule stands for; `eth*` for many.
pub(super) fn interfaces(name: &str) -> Option<Values> {
    match name.strip_suffix('*') {
        Some(start) => interfaces_from(start),
        None => interface_bits(name).map(point),
    }
}

/// One match being read.
struct Reader<'a> {
    left: &'a Value,
    packet: &'a Packet,
    sets: &'a Sets,
}

impl Reader<'_> {
    fn opaque(&self) -> Condition {
        Condition::Opaque(format!("`{}`", nft_text::value(self.left)))
    }

    /// `==` and the implicit comparison, which for TCP flags means "any of them".
    fn holds(&self, field: &Field, right: &Value, implicit: bool) -> Condition {
        if let Field::Flags(flags) = field {
            let Some(mask) = flag_bits(right) else { return self.opaque() };
            return Condition::Is(if implicit {
                flags & mask != 0
            } else {
                *flags == mask
            });
        }
        match right.as_str().and_then(|name| name.strip_prefix('@')) {
            None => self.equals(field, right),
            Some(name) => match self.sets.get(name) {
                Some(elements) => self.equals(field, elements),
                None => Condition::Opaque(format!("the elements of the set {name}")),
            },
        }
    }

    /// When a field lies below a value; at it as well, if `with` says so.
    fn below(&self, field: &Field, right: &Value, with: bool) -> Condition {
        match field {
            Field::Number(left) => number(right).map_or_else(
                || self.opaque(),
                |right| Condition::Is(if with { *left <= right } else { *left < right }),
            ),
            Field::Along(dimension) => match self.value(*dimension, right) {
                Some(bound) => {
                    let end = if with { Some(bound) } else { bound.checked_sub(1) };
                    let below = end.map(|end| Values::from_iter([0..=end]));
                    Condition::Within(*dimension, below.unwrap_or_default())
                }
                None => self.opaque(),
            },
            _ => self.opaque(),
        }
    }

    /// When a field is a value, or one of several.
    fn equals(&self, field: &Field, right: &Value) -> Condition {
        match right {
            Value::String(any) if any == "*" => Condition::Is(true),
            Value::Array(elements) => self.any(field, elements),
            Value::Object(object) => {
                let Some((kind, body)) = object.iter().next() else {
                    return self.opaque();
                };
                match (kind.as_str(), field) {
                    ("set", _) => self.equals(field, body),
                    ("elem", _) => body
                        .get("val")
                        .map_or_else(|| self.opaque(), |v| self.equals(field, v)),
                    ("concat", Field::Tuple(fields)) => self.tuple(fields, body),
                    (_, Field::Along(dimension)) => {
                        self.values(*dimension, right).map_or_else(
                            || self.opaque(),
                            |v| Condition::Within(*dimension, v),
                        )
                    }
                    ("range", Field::Number(left)) => match pair(body) {
                        Some((from, to)) => match (number(from), number(to)) {
                            (Some(from), Some(to)) => {
                                Condition::Is((from..=to).contains(left))
                            }
                            _ => self.opaque(),
                        },
                        None => self.opaque(),
                    },
                    _ => self.opaque(),
                }
            }
            _ => self.is(field, right),
        }
    }

    /// When a field is one of several values: plain ones are one set.
    fn any(&self, field: &Field, elements: &[Value]) -> Condition {
        let mut plain = Values::default();
        let mut others = Vec::new();
        for element in elements {
            match self.equals(field, element) {
                Condition::Within(_, values) => plain |= values,
                Condition::Is(false) => {}
                other => others.push(other),
            }
        }
        if let Field::Along(dimension) = field {
            others.insert(0, Condition::Within(*dimension, plain));
        }
        Condition::Any(others)
    }

    fn tuple(&self, fields: &[Field], body: &Value) -> Condition {
        match body.as_array() {
            Some(values) if values.len() == fields.len() => Condition::All(
                fields
                    .iter()
                    .zip(values)
                    .map(|(field, value)| self.equals(field, value))
                    .collect(),
            ),
            _ => self.opaque(),
        }
    }

    /// When a field is exactly one value.
    fn is(&self, field: &Field, value: &Value) -> Condition {
        match (field, value) {
            (Field::Word(word), Value::String(text)) => {
                // nft writes PACKET_HOST in both ways.
                Condition::Is(word == text || (*word == "unicast" && text == "host"))
            }
            (Field::Number(left), _) => number(value)
                .map_or_else(|| self.opaque(), |right| Condition::Is(*left == right)),
            (Field::Along(dimension), _) => self
                .values(*dimension, value)
                .map_or_else(|| self.opaque(), |v| Condition::Within(*dimension, v)),
            _ => self.opaque(),
        }
    }

    /// The values along a dimension that a right side stands for.
    fn values(&self, dimension: Dimension, right: &Value) -> Option<Values> {
        if let Some(body) = right.get("range") {
            let (from, to) = pair(body)?;
            let (from, to) = (self.value(dimension, from)?, self.value(dimension, to)?);
            return Some(if from <= to {
                Values::from_iter([from..=to])
            } else {
                Values::new()
            });
        }
        if let Some(body) = right.get("prefix") {
            let length = u32::try_from(body.get("len")?.as_u64()?).ok()?;
            let start: IpAddr = body.get("addr")?.as_str()?.parse().ok()?;
            return network(dimension, start, length, self.packet.v6);
        }
        if dimension == Dimension::Interface {
            return interfaces(right.as_str()?);
        }
        if let Some(address) = right.as_str().and_then(|text| text.parse().ok()) {
            let length = if self.packet.v6 { 128 } else { 32 };
            return network(dimension, address, length, self.packet.v6);
        }
        self.value(dimension, right).map(point)
    }

    /// One value along a dimension.
    fn value(&self, dimension: Dimension, right: &Value) -> Option<u128> {
        match dimension {
            Dimension::SourcePort | Dimension::DestinationPort => {
                number(right).map(u128::from)
            }
            Dimension::Source | Dimension::Destination => {
                let address: IpAddr = right.as_str()?.parse().ok()?;
                (address.is_ipv6() == self.packet.v6).then(|| address_bits(address))
            }
            Dimension::Interface => interface_bits(right.as_str()?),
        }
    }
}

/// The addresses of a network; none of them are of the other family.
pub(super) fn network(
    dimension: Dimension,
    start: IpAddr,
    length: u32,
    v6: bool,
) -> Option<Values> {
    if !matches!(dimension, Dimension::Source | Dimension::Destination) {
        return None;
    }
    if start.is_ipv6() != v6 {
        return Some(Values::new());
    }
    let free = (if v6 { 128_u32 } else { 32 }).saturating_sub(length);
    let rest = 1_u128.checked_shl(free).map_or(u128::MAX, |size| size - 1);
    let first = address_bits(start) & !rest;
    Some(Values::from_iter([first..=first | rest]))
}
