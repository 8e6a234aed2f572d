//! Routes as whoever forwards packets needs them: only where something else happens
//! than forwarding within the network or towards the Internet.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

use super::select::Routes;
use super::{NextHop, Route};

/// What becomes of packets that are not simply forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    /// They vanish.
    Drop,
    /// They go to the interface with this address, whatever their destination.
    Appliance(Ipv4Addr),
}

/// A range of destinations and what becomes of packets to them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Detour {
    /// The destinations.
    pub destinations: RangeInclusive<Ipv4Addr>,
    /// What becomes of packets to them.
    pub turn: Turn,
}

impl Routes {
    /// The IPv4 destinations that are not simply forwarded: disjoint ranges, ascending.
    pub fn detours(&self) -> Vec<Detour> {
        let mut detours: Vec<Detour> = Vec::new();
        for (destinations, route) in self.v4_ranges() {
            let Some(turn) = turn(route) else { continue };
            match detours.last_mut() {
                Some(last)
                    if last.turn == turn
                        && last.destinations.end().to_bits().checked_add(1)
                            == Some(destinations.start().to_bits()) =>
                {
                    last.destinations = *last.destinations.start()..=*destinations.end();
                }
                _ => detours.push(Detour { destinations, turn }),
            }
        }
        detours
    }
}

fn turn(route: Option<&Route>) -> Option<Turn> {
    match route.map(|route| route.next_hop) {
        // An address that no route speaks of is not forwarded; there is no gateway
        // behind which anything could be.
        None | Some(NextHop::None | NextHop::VirtualNetworkGateway) => Some(Turn::Drop),
        Some(NextHop::VirtualAppliance(IpAddr::V4(address))) => {
            Some(Turn::Appliance(address))
        }
        Some(NextHop::VirtualAppliance(IpAddr::V6(_))) => Some(Turn::Drop),
        Some(
            NextHop::VnetLocal
            | NextHop::VnetPeering
            | NextHop::Internet
            | NextHop::VirtualNetworkServiceEndpoint,
        ) => None,
    }
}
