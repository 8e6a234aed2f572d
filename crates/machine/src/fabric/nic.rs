//! A VM's network interface: a veth pair between its virtual network and the
//! namespace of its own, both made anew at every power-on.

use std::net::Ipv4Addr;

use super::namespace::{self, Namespace};
use super::steer;
use super::vnet::WIRE_SERVER;
use crate::command;
use crate::error::Error;
use crate::spec::Attachment;

/// What every router-side interface of a VM begins with.
pub(crate) const PREFIX: &str = "vm-";

/// The address that Azure's router has on every Ethernet.
const ROUTER_MAC: &str = "12:34:56:78:9a:bc";

/// The router's interface towards the VM with this address, the same whether
/// the VM runs or not: rules can speak of it before it exists.
pub(crate) fn name(address: Ipv4Addr) -> String {
    format!("{PREFIX}{:08x}", address.to_bits())
}

/// Makes the VM's namespace and connects it. What the router itself sends to the VM
/// are health probes, so their address is its source. The guest finds `eth0` set up as
/// after a DHCP exchange.
pub(crate) fn attach(
    vnet: &Namespace,
    machine: &Namespace,
    network: &Attachment,
) -> Result<(), Error> {
    let Attachment { address, prefix_len, gateway, mac, .. } = network;
    let name = name(*address);
    detach(vnet, machine, *address)?;
    machine.create()?;
    vnet.ip(&format!(
        "link add {name} address {ROUTER_MAC} type veth peer name eth0 address {mac} netns {machine}\n\
         addr add {gateway}/32 dev {name}\n\
         link set {name} up\n\
         route replace {address}/32 dev {name} src {WIRE_SERVER}\n\
         route replace default via {address} dev {name} onlink table {table}\n",
        machine = machine.name(),
        table = steer::number(*address),
    ))?;
    // The subnet is no Ethernet: the router answers for every address, as
    // Azure's does, and at once.
    vnet.sysctl(&[
        (&format!("ipv4/conf/{name}/proxy_arp"), "1"),
        (&format!("ipv4/neigh/{name}/proxy_delay"), "0"),
    ])?;
    machine.ip(&format!(
        "link set lo up\n\
         addr add {address}/{prefix_len} dev eth0\n\
         link set eth0 up\n\
         route add default via {gateway} dev eth0 onlink\n",
    ))?;
    namespace::await_link(Some(vnet), &name)
}

/// Removes the VM's namespace and the router's interface.
pub(crate) fn detach(
    vnet: &Namespace,
    machine: &Namespace,
    address: Ipv4Addr,
) -> Result<(), Error> {
    let name = name(address);
    if vnet.has_link(&name)? {
        command::succeed("ip", &["-n", vnet.name(), "link", "delete", &name], b"")?;
    }
    machine.delete()
}
