//! The edge: the one namespace between the host and the virtual networks.
//!
//! The host reaches it over a veth pair and nothing else does. Public addresses
//! are routed from it to the virtual network that owns them; everything else
//! ends in a blackhole, so that an address that nobody has is a time-out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::Deserialize;

use super::namespace::{self, Namespace};
use super::nft;
use super::slot::Slot;
use super::vnet;
use crate::command;
use crate::error::Error;

/// Makes the edge and the host's side of it, or repairs what is missing.
pub(crate) fn up(slot: Slot) -> Result<(), Error> {
    let edge = namespace(slot);
    if !is_ready(&edge)? || !namespace::link_exists(&slot.name()) {
        down(slot)?;
        edge.create()?;
        edge.sysctl(&vnet::ROUTER)?;
        edge.nft(&nft::edge())?;
        let (name, client, link) = (slot.name(), slot.client(), slot.link().prefix_len());
        let host = format!(
            "link add {name} type veth peer name north netns {edge}\n\
             addr add {client}/{link} dev {name}\n\
             link set {name} up\n",
            edge = edge.name(),
        );
        command::succeed("ip", &["-batch", "-"], host.as_bytes())?;
        edge.ip(&format!(
            "link set lo up\n\
             addr add {}/{link} dev north\n\
             link set north up\n\
             route add blackhole default\n",
            slot.edge(),
        ))?;
        namespace::await_link(None, &slot.name())?;
    }
    // What follows is cheap and says the same each time: it heals a host whose
    // nftables were flushed by somebody else.
    let name = slot.name();
    namespace::sysctl(&[
        (&format!("ipv4/conf/{name}/route_localnet"), "1"),
        (&format!("ipv6/conf/{name}/disable_ipv6"), "1"),
    ])?;
    let route = format!(
        "route replace {} via {} dev {}\n",
        slot.routed_range(),
        slot.edge(),
        name
    );
    command::succeed("ip", &["-batch", "-"], route.as_bytes())?;
    command::succeed("nft", &["-f", "-"], nft::host(slot).as_bytes())?;
    Ok(())
}

/// Removes the edge and all of the host's side.
pub(crate) fn down(slot: Slot) -> Result<(), Error> {
    // Removing a namespace takes its interfaces later, in the background. The
    // veth is removed by name, so that its name is free when this returns.
    if namespace::link_exists(&slot.name()) {
        command::succeed("ip", &["link", "delete", &slot.name()], b"")?;
    }
    namespace(slot).delete()?;
    command::succeed("nft", &["-f", "-"], nft::no_host(slot).as_bytes())?;
    Ok(())
}

/// Routes each public address (in its routed form) to the link of the virtual
/// network that owns it, and no other address to any of `links`; to no link at all,
/// if none are named.
pub(crate) fn route(
    slot: Slot,
    wanted: &BTreeMap<Ipv4Addr, String>,
    links: Option<&BTreeSet<String>>,
) -> Result<(), Error> {
    let edge = namespace(slot);
    let listed =
        command::succeed("ip", &["-n", edge.name(), "-json", "route", "show"], b"")?;
    let listed: Vec<Route> = serde_json::from_slice(&listed).map_err(|source| {
        Error::Record { path: "the output of `ip -json route`".to_owned(), source }
    })?;
    let range = slot.routed_range();
    let existing: BTreeSet<(Ipv4Addr, Option<String>)> = listed
        .into_iter()
        .filter_map(|route| Some((route.dst.parse().ok()?, route.dev)))
        .filter(|(address, _)| range.contains(address))
        .collect();

    let mut batch = String::new();
    for (address, link) in &existing {
        let ours = match (links, link) {
            (Some(links), Some(link)) => links.contains(link),
            (Some(_), None) => false,
            (None, _) => true,
        };
        if ours && !wanted.contains_key(address) {
            batch += &format!("route delete {address}/32\n");
        }
    }
    for (address, link) in wanted {
        if !existing.contains(&(*address, Some(link.clone()))) {
            batch += &format!(
                "route replace {address}/32 via {} dev {link} onlink\n",
                vnet::SOUTH
            );
        }
    }
    if batch.is_empty() { Ok(()) } else { edge.ip(&batch) }
}

pub(crate) fn namespace(slot: Slot) -> Namespace {
    Namespace::named(slot.edge_namespace())
}

/// The default route is made last, so what has one is complete.
pub(crate) fn is_ready(namespace: &Namespace) -> Result<bool, Error> {
    if !namespace.exists() {
        return Ok(false);
    }
    let routes =
        namespace.within(|| std::fs::read_to_string("/proc/thread-self/net/route"))?;
    let routes =
        routes.map_err(Error::io(format!("read the routes of {}", namespace.name())))?;
    Ok(routes.lines().any(|line| line.split('\t').nth(1) == Some("00000000")))
}

/// One line of `ip -json route show`.
#[derive(Deserialize)]
struct Route {
    dst: String,
    dev: Option<String>,
}
