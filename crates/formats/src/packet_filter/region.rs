//! Every packet that it may be: what is known of one packet, and what is not.
//!
//! A region is a set of numbers along each [`Dimension`]. An address is its bits,
//! a port its number, and an interface the bytes of its name (at most 15, the
//! kernel's IFNAMSIZ, filled up with zeros), so that all names that begin alike lie
//! side by side. A known value is a set of one.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use range_set_blaze::RangeSetBlaze;

use super::{Direction, Packet};

/// A set of values along one dimension.
pub(super) type Values = RangeSetBlaze<u128>;

/// What may be unknown of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    Source,
    Destination,
    SourcePort,
    DestinationPort,
    Interface,
}

impl Dimension {
    /// What a reader calls it.
    pub(super) const fn name(self, direction: Direction) -> &'static str {
        match (self, direction) {
            (Self::Source, Direction::In) | (Self::Destination, Direction::Out) => {
                "the client's address"
            }
            (Self::Source, _) | (Self::Destination, _) => "the guest's address",
            (Self::SourcePort, Direction::In)
            | (Self::DestinationPort, Direction::Out) => "the client's port",
            (Self::SourcePort, _) | (Self::DestinationPort, _) => "the server's port",
            (Self::Interface, _) => "the interface",
        }
    }
}

/// A product of sets, one for each dimension. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region([Arc<Values>; 5]);

impl Region {
    /// Everything that the packet may be.
    pub(super) fn of(packet: &Packet) -> Self {
        let address =
            |known: Option<IpAddr>| match known.map(|address| address.to_canonical()) {
                Some(address) if address.is_ipv6() == packet.v6 => {
                    point(address_bits(address))
                }
                _ => unicast(packet.v6),
            };
        let ports = |range: &RangeInclusive<u16>| -> Values {
            let (start, end) = (*range.start(), *range.end());
            Values::from_iter([u128::from(start.min(end))..=u128::from(end.max(start))])
        };
        let interface = packet.interface.as_deref().and_then(interface_bits);
        Self(
            [
                address(packet.source),
                address(packet.destination),
                ports(&packet.source_port),
                ports(&packet.destination_port),
                interface.map_or_else(|| Values::from_iter([1..=u128::MAX]), point),
            ]
            .map(Arc::new),
        )
    }

    /// The values along a dimension.
    pub(super) fn along(&self, dimension: Dimension) -> &Values {
        &self.0[dimension as usize]
    }

    /// The one value along a dimension, if it is known.
    pub(super) fn known(&self, dimension: Dimension) -> Option<u128> {
        let values = self.along(dimension);
        values.first().filter(|first| values.last() == Some(*first))
    }

    /// The parts inside and outside of a set; none if that part is empty.
    pub(super) fn cut(
        &self,
        dimension: Dimension,
        set: &Values,
    ) -> (Option<Self>, Option<Self>) {
        if let Some(value) = self.known(dimension) {
            let here = Some(self.clone());
            return if set.contains(value) { (here, None) } else { (None, here) };
        }
        let values = self.along(dimension);
        let part = |values: Values| {
            (!values.is_empty()).then(|| {
                let mut region = self.clone();
                region.0[dimension as usize] = Arc::new(values);
                region
            })
        };
        (part(values & set), part(values - set))
    }

    /// Whether every packet of the other region is in this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(&other.0)
            .all(|(ours, theirs)| Arc::ptr_eq(ours, theirs) || theirs.is_subset(ours))
    }

    /// How much there is to look at.
    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|values| values.ranges_len()).sum()
    }
}

/// Addresses that a TCP connection from outside can have (RFC 6890): not the
/// loopback's, no multicast, no "this host". The kernel refuses the others as
/// sources, and nobody reaches a guest by one of them.
fn unicast(v6: bool) -> Values {
    if v6 {
        Values::from_iter([2..=(0xff_u128 << 120) - 1])
    } else {
        Values::from_iter([1 << 24..=(127 << 24) - 1, 128 << 24..=(224 << 24) - 1])
    }
}

/// A set of one value.
pub(super) fn point(value: u128) -> Values {
    Values::from_iter([value..=value])
}

/// An address as a number.
pub(super) fn address_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// An interface's name as a number; none for what is no name.
pub(super) fn interface_bits(name: &str) -> Option<u128> {
    let mut bytes = [0; 16];
    bytes
        .get_mut(..name.len())
        .filter(|_| !name.is_empty() && name.len() < 16)?
        .copy_from_slice(name.as_bytes());
    Some(u128::from_be_bytes(bytes))
}

/// All names that begin like this.
pub(super) fn interfaces_from(start: &str) -> Option<Values> {
    let first = if start.is_empty() { 1 } else { interface_bits(start)? };
    let rest = 8 * (16 - start.len());
    let last = if rest == 128 { u128::MAX } else { first | ((1 << rest) - 1) };
    Some(Values::from_iter([first..=last]))
}
