//! The fabric: the lab's network, made of namespaces, veth pairs and nftables.
//!
//! ```text
//! host            edge namespace         virtual network's namespace      VM's namespace
//! 127.64.0.5 ──► 198.18.0.5 ──────────► DNAT 10.0.0.4, NSGs ───────────► eth0 10.0.0.4
//!  DNAT, SNAT     one route per address   168.63.129.16, 169.254.169.254
//! ```
//!
//! Virtual networks may overlap: each has a namespace of its own. The host's
//! addresses, routes and firewall are touched only by one veth, one route and
//! one table, all named after the lab's slot. Nothing that a VM sends can leave
//! the host: no namespace has a route to it, each filter's policy is drop, and
//! the host itself forwards nothing to or from the lab.
//!
//! [`Fabric::apply`] is declarative: it makes what is missing, removes what is
//! too much, and loads each virtual network's rules in one transaction.

mod attempt;
mod edge;
mod namespace;
mod nft;
mod nic;
pub(crate) mod slot;
mod steer;
mod vnet;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

pub use self::attempt::Attempt;
pub use self::namespace::Namespace;
use self::slot::Slot;
use crate::error::Error;
use crate::lock;
use crate::record;
use crate::spec::{Attachment, MachineId};
use crate::teardown;

/// How long a health probe waits for an answer.
const PROBE: Duration = Duration::from_secs(1);

/// What the network is to look like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topology {
    /// Every virtual network, in any order.
    pub vnets: Vec<Vnet>,
}

/// A virtual network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vnet {
    /// Unique in the lab; any text, such as the ARM id.
    pub name: String,
    /// Every NIC in it, whether its VM runs or not.
    pub nics: Vec<Nic>,
    /// What load balancers in front of its NICs translate. A frontend is an address
    /// of [`Fabric::public_range`], or one of the virtual network that no NIC has.
    pub frontends: Vec<network::Translation>,
}

/// A VM's interface as the network sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// Its first private address, unique in the virtual network.
    pub address: Ipv4Addr,
    /// The address under which the host's programs reach it, in
    /// [`Fabric::public_range`].
    pub public: Option<Ipv4Addr>,
    /// More private addresses, each with its public one. The guest has to add them
    /// to its interface itself, as in Azure.
    pub secondary: Vec<(Ipv4Addr, Option<Ipv4Addr>)>,
    /// Whether it takes and sends packets of others, as an appliance does.
    pub forwards: bool,
    /// What becomes of packets that it sends, where they are not simply forwarded.
    pub detours: Vec<network::route::Detour>,
    /// The NSGs on its way in: the subnet's, the NIC's. Each must allow; with
    /// none, all is allowed.
    pub inbound: Vec<Vec<network::Filter>>,
    /// The NSGs on its way out.
    pub outbound: Vec<Vec<network::Filter>>,
}

impl Vnet {
    /// A virtual network that lets nothing through.
    pub(crate) fn empty() -> Self {
        Self { name: String::new(), nics: Vec::new(), frontends: Vec::new() }
    }
}

impl Nic {
    /// Every private address with its public one, the first address first.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (Ipv4Addr, Option<Ipv4Addr>)> {
        std::iter::once((self.address, self.public)).chain(self.secondary.iter().copied())
    }
}

/// The network of one lab. A handle: the network itself stays when it is dropped.
#[derive(Debug, Clone)]
pub struct Fabric {
    state: PathBuf,
    slot: Slot,
}

/// Which namespace belongs to which virtual network.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    vnets: BTreeMap<String, u32>,
}

impl Fabric {
    /// Brings the lab's edge up, or adopts what is up already. `state` is the
    /// lab's state directory; it is made if need be.
    pub fn up(state: &Path) -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::Host(
                "the lab's network needs root; run this with sudo".to_owned(),
            ));
        }
        fs::create_dir_all(state)
            .map_err(Error::io(format!("make {}", state.display())))?;
        let state = canonical(state)?;
        let _held = hold(&state)?;
        let slot = slot::claim(&state, teardown::sweep)?;
        edge::up(slot)?;
        Ok(Self { state, slot })
    }

    /// The fabric of this state directory, if it is up.
    pub(crate) fn find(state: &Path) -> Result<Option<Self>, Error> {
        let state = canonical(state)?;
        let slot = slot::find(&state)?;
        Ok(slot.map(|slot| Self { state, slot }))
    }

    /// Takes the network away: namespaces, links, routes, rules and the claim
    /// on the slot. Nothing happens if there is none.
    pub fn down(state: &Path) -> Result<(), Error> {
        let Ok(state) = canonical(state) else { return Ok(()) };
        let Some(slot) = slot::find(&state)? else { return Ok(()) };
        let _held = hold(&state)?;
        clear(slot)?;
        record::remove(&state.join("fabric.json"))?;
        slot::release(slot)
    }

    /// Makes the network look like `topology`. A virtual network that is not in
    /// it goes, with the interfaces of VMs that still hang on it.
    pub fn apply(&self, topology: &Topology) -> Result<(), Error> {
        let _held = hold(&self.state)?;
        let mut record = self.record()?;
        let gone: Vec<String> = record
            .vnets
            .keys()
            .filter(|name| !topology.vnets.iter().any(|vnet| vnet.name == **name))
            .cloned()
            .collect();
        for name in gone {
            vnet::down(self.slot, record.vnets[&name])?;
            record.vnets.remove(&name);
            self.keep(&record)?;
        }
        let routes = self.load(&mut record, &topology.vnets)?;
        edge::route(self.slot, &routes, None)
    }

    /// Makes some virtual networks look like this and leaves all others alone: what
    /// a small change needs in a large lab.
    pub fn update(&self, vnets: &[Vnet]) -> Result<(), Error> {
        let _held = hold(&self.state)?;
        let mut record = self.record()?;
        let routes = self.load(&mut record, vnets)?;
        let links = vnets.iter().filter_map(|vnet| record.vnets.get(&vnet.name));
        let links: BTreeSet<String> = links.map(|index| vnet::link(*index)).collect();
        edge::route(self.slot, &routes, Some(&links))
    }

    /// Loads the rules of virtual networks, made if need be, and gives the link that
    /// each of their public addresses is behind.
    fn load(
        &self,
        record: &mut Record,
        vnets: &[Vnet],
    ) -> Result<BTreeMap<Ipv4Addr, String>, Error> {
        let mut routes = BTreeMap::new();
        for vnet in vnets {
            let script = nft::vnet(self.slot, vnet)?;
            let (index, namespace) = self.ensure_vnet(record, &vnet.name)?;
            namespace.nft(&script)?;
            steer::follow(&namespace, vnet)?;
            let range = self.slot.public_range();
            let own = vnet.nics.iter().flat_map(Nic::pairs).filter_map(|(_, p)| p);
            let frontends = vnet.frontends.iter().map(|one| one.frontend);
            for public in own.chain(frontends.filter(|one| range.contains(one))) {
                routes.insert(self.slot.routed(public)?, vnet::link(index));
            }
        }
        Ok(routes)
    }

    /// Opens TCP connections from a running VM's place in the network, side by side:
    /// they meet what anything else meets that the VM sends.
    pub fn connect(
        &self,
        id: &MachineId,
        target: SocketAddrV4,
        times: usize,
        patience: Duration,
    ) -> Result<Vec<Attempt>, Error> {
        self.namespace(id).within(|| attempt::attempts(target, times, patience))
    }

    /// Whether something in a virtual network takes a TCP connection from Azure's
    /// health probe address.
    pub fn probe(&self, vnet: &str, target: SocketAddrV4) -> Result<bool, Error> {
        let namespace = self.vnet(vnet)?;
        namespace.within(|| TcpStream::connect_timeout(&target.into(), PROBE).is_ok())
    }

    /// A listening socket inside a virtual network, such as WireServer's. Only
    /// VMs reach it, at 168.63.129.16 and 169.254.169.254, ports 80 and 32526.
    /// It keeps the namespace alive until it is dropped.
    pub fn listen(
        &self,
        vnet: &str,
        address: SocketAddrV4,
    ) -> Result<TcpListener, Error> {
        self.vnet(vnet)?.listen(address)
    }

    /// The addresses that public addresses are taken from: `127.64.x.0/22`.
    pub fn public_range(&self) -> Ipv4Net {
        self.slot.public_range()
    }

    /// The address from which VMs see the host's programs come.
    pub fn client_address(&self) -> Ipv4Addr {
        self.slot.client()
    }

    /// Connects a VM that is about to run: a new namespace with `eth0` set up,
    /// on a virtual network that need not have been applied yet (it then lets
    /// nothing through). An engine calls this at each power-on and reboot.
    pub fn attach(
        &self,
        id: &MachineId,
        network: &Attachment,
    ) -> Result<Namespace, Error> {
        let _held = hold(&self.state)?;
        let mut record = self.record()?;
        let (_, vnet) = self.ensure_vnet(&mut record, &network.vnet)?;
        let machine = self.namespace(id);
        nic::attach(&vnet, &machine, network)?;
        Ok(machine)
    }

    /// Disconnects a VM that has stopped.
    pub fn detach(&self, id: &MachineId, network: &Attachment) -> Result<(), Error> {
        let _held = hold(&self.state)?;
        let machine = self.namespace(id);
        match self.record()?.vnets.get(&network.vnet) {
            Some(index) => nic::detach(
                &vnet::namespace(self.slot, *index),
                &machine,
                network.address,
            ),
            None => machine.delete(),
        }
    }

    /// The VM's namespace, which exists while it is attached.
    pub fn namespace(&self, id: &MachineId) -> Namespace {
        Namespace::named(self.slot.machine_namespace(id))
    }

    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    fn vnet(&self, name: &str) -> Result<Namespace, Error> {
        let record = self.record()?;
        let index =
            record.vnets.get(name).ok_or_else(|| Error::UnknownVnet(name.to_owned()))?;
        Ok(vnet::namespace(self.slot, *index))
    }

    /// The virtual network's namespace, made with nothing allowed if it is new.
    fn ensure_vnet(
        &self,
        record: &mut Record,
        name: &str,
    ) -> Result<(u32, Namespace), Error> {
        let index = match record.vnets.get(name) {
            Some(index) => *index,
            None => {
                let taken: Vec<u32> = record.vnets.values().copied().collect();
                let free = (0..).find(|index| !taken.contains(index)).unwrap_or(u32::MAX);
                record.vnets.insert(name.to_owned(), free);
                self.keep(record)?;
                free
            }
        };
        Ok((index, vnet::up(self.slot, index)?))
    }

    fn record(&self) -> Result<Record, Error> {
        Ok(record::read(&self.state.join("fabric.json"))?.unwrap_or_default())
    }

    /// Writes the record before what it stands for is made: after a crash in
    /// between, the next run finds the entry and makes the rest.
    fn keep(&self, record: &Record) -> Result<(), Error> {
        record::write(&self.state.join("fabric.json"), record)
    }
}

/// Removes every interface, namespace and rule of a slot.
pub(crate) fn clear(slot: Slot) -> Result<(), Error> {
    edge::down(slot)?;
    for namespace in namespace::with_prefix(&slot.prefix())? {
        namespace.delete()?;
    }
    Ok(())
}

fn hold(state: &Path) -> Result<fs::File, Error> {
    lock::hold(&state.join("fabric.lock"))
}

fn canonical(state: &Path) -> Result<PathBuf, Error> {
    fs::canonicalize(state).map_err(Error::io(format!("find {}", state.display())))
}
