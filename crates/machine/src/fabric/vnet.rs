//! A virtual network: one namespace that is its router, its NAT, its NSGs and
//! the home of the two platform addresses.
//!
//! Links between edge and virtual networks all carry the same pair of
//! link-local addresses, so their number is not limited by an address plan.
//! What has no better route goes towards the edge, where the forward filter
//! drops it: a destination that does not exist is a time-out, as in Azure,
//! not an ICMP error.

use std::net::Ipv4Addr;

use super::edge;
use super::namespace::{self, Namespace};
use super::nft;
use super::slot::Slot;
use crate::command;
use crate::error::Error;

/// The edge's address on every link to a virtual network.
const NORTH: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 1);
/// The virtual network's address on it.
pub(crate) const SOUTH: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 2);

/// The name server, agent and health-probe address of Azure.
pub(crate) const WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
/// The instance metadata service's address.
pub(crate) const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// Kernel parameters of a namespace that forwards. Set before any interface is
/// made, because interfaces copy `default`.
pub(crate) const ROUTER: [(&str, &str); 7] = [
    ("ipv4/ip_forward", "1"),
    // Sources are checked by nftables, address by address.
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    // A dropped packet that would leave where it came in must not be answered.
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    ("ipv6/conf/all/disable_ipv6", "1"),
    ("ipv6/conf/default/disable_ipv6", "1"),
];

/// Makes the namespace, which lets nothing through yet, and its link to the
/// edge, unless both exist.
pub(crate) fn up(slot: Slot, index: u32) -> Result<Namespace, Error> {
    let (vnet, edge) = (namespace(slot, index), edge::namespace(slot));
    let link = link(index);
    if edge::is_ready(&vnet)? {
        return Ok(vnet);
    }
    down(slot, index)?;
    vnet.create()?;
    vnet.sysctl(&ROUTER)?;
    vnet.nft(&nft::vnet(slot, &super::Vnet::empty())?)?;
    edge.ip(&format!(
        "link add {link} type veth peer name edge netns {vnet}\n\
         addr add {NORTH}/32 dev {link}\n\
         link set {link} up\n",
        vnet = vnet.name(),
    ))?;
    vnet.ip(&format!(
        "link set lo up\n\
         addr add {WIRE_SERVER}/32 dev lo\n\
         addr add {METADATA}/32 dev lo\n\
         addr add {SOUTH}/32 dev edge\n\
         link set edge up\n\
         route add default via {NORTH} dev edge onlink\n",
    ))?;
    namespace::await_link(Some(&edge), &link)?;
    Ok(vnet)
}

/// Removes the namespace, its link and with it every route over that link.
pub(crate) fn down(slot: Slot, index: u32) -> Result<(), Error> {
    let edge = edge::namespace(slot);
    let link = link(index);
    if edge.has_link(&link)? {
        command::succeed("ip", &["-n", edge.name(), "link", "delete", &link], b"")?;
    }
    namespace(slot, index).delete()
}

pub(crate) fn namespace(slot: Slot, index: u32) -> Namespace {
    Namespace::named(slot.vnet_namespace(index))
}

/// The edge's interface towards a virtual network.
pub(crate) fn link(index: u32) -> String {
    format!("v{index}")
}
