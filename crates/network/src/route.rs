//! Where a packet goes after the NSGs let it out.
//!
//! A NIC's effective routes are the system routes of its subnet ([`Surroundings`]),
//! what its gateway learnt, and the routes of the subnet's route table. [`Routes`]
//! holds them with their states and finds the next hop of an address: the longest
//! prefix wins and, between equals, user routes before learnt ones before system ones.

mod arm;
mod detour;
mod select;
mod system;

use std::net::IpAddr;

use ipnet::IpNet;

pub use arm::RouteError;
pub use detour::{Detour, Turn};
pub use select::{EffectiveRoute, Routes, State};
pub use system::Surroundings;

/// Where a route comes from, in ascending precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Azure made it; ARM says `Default`.
    System,
    /// The virtual network gateway learnt or was told it; ARM says
    /// `VirtualNetworkGateway`.
    Gateway,
    /// The subnet's route table has it; ARM says `User`.
    User,
}

/// What a route does with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// Delivered inside the virtual network.
    VnetLocal,
    /// Delivered in a peered virtual network.
    VnetPeering,
    /// Sent to the Internet.
    Internet,
    /// Sent to a service of Azure, by way of the subnet's service endpoint.
    VirtualNetworkServiceEndpoint,
    /// Sent to the virtual network gateway.
    VirtualNetworkGateway,
    /// Sent to this address, where an appliance must be willing to forward.
    VirtualAppliance(IpAddr),
    /// Dropped.
    None,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// A user route's name.
    pub name: Option<String>,
    /// Where it comes from.
    pub source: Source,
    /// The destinations that it speaks of.
    pub prefix: IpNet,
    /// What becomes of packets to them.
    pub next_hop: NextHop,
    /// The resource id of the route table that a user route belongs to.
    pub table: Option<String>,
}

impl Route {
    /// A route that the gateway learnt by BGP or was given as a static prefix.
    pub fn learnt(prefix: IpNet) -> Route {
        Route {
            name: None,
            source: Source::Gateway,
            prefix: prefix.trunc(),
            next_hop: NextHop::VirtualNetworkGateway,
            table: None,
        }
    }
}

impl NextHop {
    /// The type's name as effective routes and Network Watcher's next hop print it.
    pub fn kind(self) -> &'static str {
        match self {
            NextHop::VnetLocal => "VnetLocal",
            NextHop::VnetPeering => "VNetPeering",
            NextHop::Internet => "Internet",
            NextHop::VirtualNetworkServiceEndpoint => "VirtualNetworkServiceEndpoint",
            NextHop::VirtualNetworkGateway => "VirtualNetworkGateway",
            NextHop::VirtualAppliance(_) => "VirtualAppliance",
            NextHop::None => "None",
        }
    }

    /// The appliance's address, if that is the next hop.
    pub fn address(self) -> Option<IpAddr> {
        match self {
            NextHop::VirtualAppliance(address) => Some(address),
            _ => None,
        }
    }
}
