//! The routes that Azure makes by itself for a subnet.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{NextHop, Route, Source};

const DEFAULT_V4: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0);
const DEFAULT_V6: Ipv6Net = Ipv6Net::new_assert(std::net::Ipv6Addr::UNSPECIFIED, 0);

/// Private and shared space that nobody in reach has is dropped, not sent to the
/// Internet.
const RESERVED: [Ipv4Net; 4] = [
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
];

/// What a subnet's system routes are made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The virtual network's address ranges.
    pub address_space: Vec<IpNet>,
    /// The ranges of peered networks whose peering is `Connected`.
    pub peered: Vec<IpNet>,
    /// The prefixes of the services that this subnet has an endpoint for.
    pub service_endpoints: Vec<IpNet>,
}

impl Surroundings {
    /// One route per range of the network and of each peer, the default route, the
    /// reserved ranges, the service endpoints. A reserved range that the network has
    /// or includes is the network's.
    pub fn system_routes(&self) -> Vec<Route> {
        let mut routes = Vec::new();
        let mut add = |prefix: IpNet, next_hop| {
            let prefix = prefix.trunc();
            let source = Source::System;
            routes.push(Route { name: None, source, prefix, next_hop, table: None });
        };
        self.address_space.iter().for_each(|&net| add(net, NextHop::VnetLocal));
        add(DEFAULT_V4.into(), NextHop::Internet);
        if self.address_space.iter().any(|net| net.addr().is_ipv6()) {
            add(DEFAULT_V6.into(), NextHop::Internet);
        }
        for reserved in RESERVED.map(IpNet::V4) {
            if !self.address_space.iter().any(|net| net.contains(&reserved)) {
                add(reserved, NextHop::None);
            }
        }
        self.peered.iter().for_each(|&net| add(net, NextHop::VnetPeering));
        let endpoint = NextHop::VirtualNetworkServiceEndpoint;
        self.service_endpoints.iter().for_each(|&net| add(net, endpoint));
        routes
    }
}

/// Whether this is one of the drop routes, which go when the user routes everything.
pub(super) fn is_reserved_drop(route: &Route) -> bool {
    route.source == Source::System && route.next_hop == NextHop::None
}
