//! Which routes are in force, and which of them an address takes.
//!
//! States are settled once, when the list is made:
//!
//! - A default route of the user's removes the drop routes of the reserved ranges.
//! - System routes to the virtual network, a peer or a service endpoint go before
//!   learnt routes, however specific: a learnt route inside such a prefix is invalid,
//!   unless the user has a route for that very prefix, which then stands in its place.
//! - Of the remaining routes for one prefix the one of highest precedence is active,
//!   the others are invalid; of equals the first.
//!
//! What is active is then cut into intervals of addresses that take the same route,
//! so that a look-up is one binary search.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::system::is_reserved_drop;
use super::{NextHop, Route, Source};
use crate::prefix::{Span, v4_span, v6_span};

/// Whether a route is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is looked at.
    Active,
    /// Another route stands in its place.
    Invalid,
}

/// A route and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveRoute {
    /// The route.
    pub route: Route,
    /// Whether it is in force.
    pub state: State,
}

/// The effective routes of a NIC.
#[derive(Debug, Clone)]
pub struct Routes {
    effective: Vec<EffectiveRoute>,
    v4: Intervals<u32>,
    v6: Intervals<u128>,
}

/// Where intervals of addresses begin, ascending from the lowest address, and the
/// route that each takes.
type Intervals<K> = Vec<(K, Option<usize>)>;

impl Routes {
    /// Settles which routes are in force. The order of the list is kept: put system
    /// routes first, then learnt and then user routes to have Azure's order.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Routes {
        let mut routes: Vec<Route> = routes.into_iter().collect();
        if routes.iter().any(is_user_default) {
            routes.retain(|route| !is_reserved_drop(route));
        }
        let states = settle(&routes);
        let effective: Vec<EffectiveRoute> = routes
            .into_iter()
            .zip(states)
            .map(|(route, state)| EffectiveRoute { route, state })
            .collect();
        Routes {
            v4: intervals(&effective, v4_span),
            v6: intervals(&effective, v6_span),
            effective,
        }
    }

    /// Every route with its state, in the order in which they were given.
    pub fn effective(&self) -> &[EffectiveRoute] {
        &self.effective
    }

    /// The route that a packet to `destination` takes. None means that it is dropped
    /// because no route speaks of it.
    pub fn next_hop(&self, destination: IpAddr) -> Option<&Route> {
        let index = match destination {
            IpAddr::V4(address) => find(&self.v4, address.to_bits()),
            IpAddr::V6(address) => find(&self.v6, address.to_bits()),
        }?;
        Some(&self.effective[index].route)
    }

    /// The routes that packets to any of these destinations take, each once; None
    /// among them if no route speaks of some.
    pub fn next_hops(&self, destinations: &[IpNet]) -> Vec<Option<&Route>> {
        let mut taken: Vec<Option<usize>> = Vec::new();
        for net in destinations {
            match net {
                IpNet::V4(net) => {
                    let ends = (net.network().to_bits(), net.broadcast().to_bits());
                    taken.extend(between(&self.v4, ends));
                }
                IpNet::V6(net) => {
                    let ends = (net.network().to_bits(), net.broadcast().to_bits());
                    taken.extend(between(&self.v6, ends));
                }
            }
        }
        taken.sort_unstable();
        taken.dedup();
        let route = |index: usize| &self.effective[index].route;
        taken.into_iter().map(|index| index.map(route)).collect()
    }

    /// Every IPv4 address, in ranges that take one route each, ascending.
    pub(super) fn v4_ranges(
        &self,
    ) -> impl Iterator<Item = (RangeInclusive<Ipv4Addr>, Option<&Route>)> {
        let ends = self.v4.iter().skip(1).map(|(cut, _)| cut - 1).chain([u32::MAX]);
        self.v4.iter().zip(ends).map(|((first, index), last)| {
            let range = Ipv4Addr::from_bits(*first)..=Ipv4Addr::from_bits(last);
            (range, index.map(|index| &self.effective[index].route))
        })
    }
}

fn is_user_default(route: &Route) -> bool {
    route.source == Source::User
        && route.prefix.prefix_len() == 0
        && route.prefix.addr().is_ipv4()
}

fn outranks_learnt(route: &Route) -> bool {
    use NextHop::{VirtualNetworkServiceEndpoint, VnetLocal, VnetPeering};
    route.source == Source::System
        && matches!(
            route.next_hop,
            VnetLocal | VnetPeering | VirtualNetworkServiceEndpoint
        )
}

/// The state of each route.
fn settle(routes: &[Route]) -> Vec<State> {
    let of_user: HashSet<IpNet> = routes
        .iter()
        .filter(|route| route.source == Source::User)
        .map(|route| route.prefix)
        .collect();
    let closed_to_learnt: Vec<IpNet> = routes
        .iter()
        .filter(|route| outranks_learnt(route) && !of_user.contains(&route.prefix))
        .map(|route| route.prefix)
        .collect();
    let eligible = |route: &Route| {
        route.source != Source::Gateway
            || !closed_to_learnt.iter().any(|net| net.contains(&route.prefix))
    };

    let mut winners: HashMap<IpNet, usize> = HashMap::new();
    for (index, route) in routes.iter().enumerate().filter(|(_, route)| eligible(route)) {
        let winner = winners.entry(route.prefix).or_insert(index);
        if route.source > routes[*winner].source {
            *winner = index;
        }
    }
    let mut states = vec![State::Invalid; routes.len()];
    winners.into_values().for_each(|winner| states[winner] = State::Active);
    states
}

/// Cuts one family's addresses where an active prefix begins or ends and paints the
/// prefixes over each other, the shortest first.
fn intervals<K: Copy + Ord + Default>(
    routes: &[EffectiveRoute],
    family: fn(&IpNet) -> Option<Span<K>>,
) -> Intervals<K> {
    let mut spans: Vec<(u8, K, Option<K>, usize)> = routes
        .iter()
        .enumerate()
        .filter(|(_, effective)| effective.state == State::Active)
        .filter_map(|(index, effective)| {
            let prefix = effective.route.prefix;
            let (first, end) = family(&prefix)?;
            Some((prefix.prefix_len(), first, end, index))
        })
        .collect();
    spans.sort_unstable_by_key(|(length, ..)| *length);

    let mut cuts = vec![K::default()];
    cuts.extend(
        spans.iter().flat_map(|(_, first, end, _)| [Some(*first), *end]).flatten(),
    );
    cuts.sort_unstable();
    cuts.dedup();

    let mut intervals: Intervals<K> = cuts.into_iter().map(|cut| (cut, None)).collect();
    for (_, first, end, route) in spans {
        let from = intervals.partition_point(|(cut, _)| *cut < first);
        let to = intervals.partition_point(|(cut, _)| end.is_none_or(|end| *cut < end));
        intervals[from..to].iter_mut().for_each(|(_, painted)| *painted = Some(route));
    }
    intervals
}

/// What the intervals take that have an address from the first to the last.
fn between<K: Copy + Ord>(
    intervals: &Intervals<K>,
    (first, last): (K, K),
) -> impl Iterator<Item = Option<usize>> {
    let from = intervals.partition_point(|(cut, _)| *cut <= first) - 1;
    let to = intervals.partition_point(|(cut, _)| *cut <= last);
    intervals[from..to].iter().map(|(_, route)| *route)
}

fn find<K: Copy + Ord>(intervals: &Intervals<K>, value: K) -> Option<usize> {
    let after = intervals.partition_point(|(cut, _)| *cut <= value);
    intervals[after - 1].1
}
