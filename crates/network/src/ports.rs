//! Sets of ports: `*`, `22`, `8000-8080`, or a list of these.

use std::ops::RangeInclusive;

/// The last port, and the end of the range that means every port.
const LAST: u16 = u16::MAX;

/// A set of ports in its one normal form: ranges in ascending order that neither
/// overlap nor touch. Two sets with the same members are therefore equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports(Vec<RangeInclusive<u16>>);

impl Ports {
    /// Every port.
    pub fn any() -> Ports {
        Ports(vec![0..=LAST])
    }

    /// One port.
    pub fn one(port: u16) -> Ports {
        Ports(vec![port..=port])
    }

    /// Reads one range as ARM takes it: `*`, a port, or two with a `-` between.
    pub fn parse(text: &str) -> Option<Ports> {
        parse(text).map(|range| Ports(vec![range]))
    }

    /// Whether every port is in the set. Only such a set also matches protocols that
    /// have no ports.
    pub fn is_any(&self) -> bool {
        matches!(self.0.as_slice(), [all] if *all == (0..=LAST))
    }

    /// Whether `port` is in the set.
    pub fn contains(&self, port: u16) -> bool {
        self.0.iter().any(|range| range.contains(&port))
    }

    /// The ranges, ascending; neither overlapping nor touching.
    pub fn ranges(&self) -> &[RangeInclusive<u16>] {
        &self.0
    }

    /// The ports that are in both sets, if there are any.
    pub(crate) fn intersection(&self, other: &Ports) -> Option<Ports> {
        let common: Vec<_> = self
            .0
            .iter()
            .flat_map(|a| other.0.iter().map(move |b| overlap(a, b)))
            .filter(|range| !range.is_empty())
            .collect();
        (!common.is_empty()).then(|| common.into_iter().collect())
    }
}

fn overlap(a: &RangeInclusive<u16>, b: &RangeInclusive<u16>) -> RangeInclusive<u16> {
    *a.start().max(b.start())..=*a.end().min(b.end())
}

impl FromIterator<RangeInclusive<u16>> for Ports {
    fn from_iter<I: IntoIterator<Item = RangeInclusive<u16>>>(ranges: I) -> Ports {
        let mut sorted: Vec<_> =
            ranges.into_iter().filter(|range| !range.is_empty()).collect();
        sorted.sort_by_key(|range| *range.start());
        let mut merged: Vec<RangeInclusive<u16>> = Vec::with_capacity(sorted.len());
        for range in sorted {
            match merged.last_mut() {
                Some(last) if *range.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => merged.push(range),
            }
        }
        Ports(merged)
    }
}

/// Reads one port range as ARM takes it: `*`, a port, or two with a `-` between.
/// `None` is everything that Azure answers with `SecurityRuleInvalidPortRange`.
pub(crate) fn parse(text: &str) -> Option<RangeInclusive<u16>> {
    if text == "*" {
        return Some(0..=LAST);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = number(first)?..=number(last)?;
    (!range.is_empty()).then_some(range)
}

/// Digits only: `u16::from_str` would also take `+22`.
fn number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// One range as ARM writes it.
pub(crate) fn format(range: &RangeInclusive<u16>) -> String {
    match (*range.start(), *range.end()) {
        (0, LAST) => "*".to_owned(),
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_and_overlapping_ranges_become_one() {
        let ports: Ports = [22..=22, 80..=90, 23..=25, 85..=100].into_iter().collect();
        assert_eq!(ports.ranges(), [22..=25, 80..=100]);
    }

    #[test]
    fn two_halves_are_every_port() {
        let ports: Ports = [1000..=LAST, 0..=999].into_iter().collect();
        assert!(ports.is_any());
        assert_eq!(ports, Ports::any());
    }

    #[test]
    fn what_azure_refuses_is_not_a_range() {
        for text in
            ["", "-", "22-", "-22", "65536", "30-20", "636, 389", "+22", " 22", "ssh"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_range_is_written_as_it_is_read() {
        for text in ["*", "0", "22", "65535", "0-65534", "8000-8080"] {
            assert_eq!(parse(text).map(|range| format(&range)).as_deref(), Some(text));
        }
    }

    #[test]
    fn sets_without_a_common_port_have_no_intersection() {
        let high: Ports = [1024..=LAST].into_iter().collect();
        assert_eq!(Ports::any().intersection(&high), Some(high.clone()));
        assert_eq!(Ports::one(53).intersection(&high), None);
    }
}
