//! The topology: what the documents say that the network should be.
//!
//! The fabric applies it; effective rules and Network Watcher explain it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arm::ResourceId;
use ipnet::IpNet;
use machine::{MachineId, Nic, Topology, Vnet};
use network::{Direction, Nsg, Tags};
use serde_json::Value;

use super::document::{items, reference, text};
use super::{App, Problem};
use crate::store::{Resource, key_of};

/// What the documents say that the network should be.
pub(super) async fn topology(app: &App) -> Result<Topology, Problem> {
    let everything = ResourceId::of_subscription(&app.subscription).map_err(|error| {
        Problem::Internal { doing: "read the network", why: error.to_string() }
    })?;
    let networks =
        app.store.list(&everything, "microsoft.network/virtualnetworks").await?;
    let nics = app.store.list(&everything, "microsoft.network/networkinterfaces").await?;
    let documents = Documents {
        nsgs: by_key(
            app.store
                .list(&everything, "microsoft.network/networksecuritygroups")
                .await?,
        ),
        addresses: by_key(
            app.store.list(&everything, "microsoft.network/publicipaddresses").await?,
        ),
    };
    let mut vnets: BTreeMap<String, (Resource, Vec<Nic>)> = networks
        .into_iter()
        .map(|network| (key_of(&network.id), (network, Vec::new())))
        .collect();
    for nic in nics {
        let Some(subnet) = reference(
            &nic.document,
            "/properties/ipConfigurations/0/properties/subnet/id",
        )?
        else {
            continue;
        };
        let Some(vnet) = subnet.parent() else { continue };
        let Some((network, nics)) = vnets.get_mut(&key_of(&vnet)) else { continue };
        let machine = match reference(&nic.document, "/properties/virtualMachine/id")? {
            Some(vm) => {
                app.store.guest(&vm).await?.and_then(|guest| guest.machine.parse().ok())
            }
            None => None,
        };
        nics.extend(documents.interface(
            &nic.document,
            &network.document,
            subnet.name(),
            machine,
        )?);
    }
    let vnets = vnets.into_iter().map(|(name, (_, nics))| Vnet { name, nics }).collect();
    Ok(Topology { vnets })
}

/// The documents that interfaces refer to, by key.
struct Documents {
    nsgs: HashMap<String, Value>,
    addresses: HashMap<String, Value>,
}

fn by_key(resources: Vec<Resource>) -> HashMap<String, Value> {
    resources
        .into_iter()
        .map(|resource| (key_of(&resource.id), resource.document))
        .collect()
}

impl Documents {
    /// An interface with its filters; none if it has no address yet.
    fn interface(
        &self,
        nic: &Value,
        network: &Value,
        subnet: &str,
        machine: Option<MachineId>,
    ) -> Result<Option<Nic>, Problem> {
        let address =
            text(nic, "/properties/ipConfigurations/0/properties/privateIPAddress")
                .and_then(|address| address.parse().ok());
        let Some(address) = address else { return Ok(None) };
        let public = reference(
            nic,
            "/properties/ipConfigurations/0/properties/publicIPAddress/id",
        )?
        .and_then(|id| self.addresses.get(&key_of(&id)));
        let on_subnet = items(network, "/properties/subnets")
            .find(|one| {
                text(one, "/name").is_some_and(|name| name.eq_ignore_ascii_case(subnet))
            })
            .map(|subnet| self.nsg(subnet))
            .transpose()?
            .flatten();
        let on_nic = self.nsg(nic)?;
        let mut nsgs: Vec<Nsg> = [on_subnet, on_nic].into_iter().flatten().collect();
        if nsgs.is_empty() && public.is_some_and(is_standard) {
            // A Standard address is closed until an NSG opens it; an NSG without
            // rules of its own says just that.
            nsgs.push(Nsg::new("", [])?);
        }
        let tags = tags_of(network);
        let filters = |direction| {
            nsgs.iter()
                .map(|nsg| network::lower(nsg, direction, &tags))
                .collect::<Vec<_>>()
        };
        let mut outbound = filters(Direction::Outbound);
        // On the way out the interface's own group comes first.
        outbound.reverse();
        Ok(Some(Nic {
            machine,
            address,
            public: public
                .and_then(|document| text(document, "/properties/ipAddress"))
                .and_then(|address| address.parse().ok()),
            inbound: filters(Direction::Inbound),
            outbound,
        }))
    }

    fn nsg(&self, holder: &Value) -> Result<Option<Nsg>, Problem> {
        let Some(id) = reference(holder, "/properties/networkSecurityGroup/id")? else {
            return Ok(None);
        };
        self.nsgs.get(&key_of(&id)).map(Nsg::from_arm).transpose().map_err(Problem::Rule)
    }
}

/// What tags stand for in a virtual network.
fn tags_of(network: &Value) -> Tags {
    let prefixes = items(network, "/properties/addressSpace/addressPrefixes")
        .filter_map(|prefix| prefix.as_str()?.parse::<IpNet>().ok());
    Tags::new(prefixes)
}

fn is_standard(address: &Value) -> bool {
    text(address, "/sku/name").is_some_and(|sku| sku.eq_ignore_ascii_case("Standard"))
}

impl App {
    /// The NSGs that a NIC's traffic meets, the subnet's first, and what tags stand
    /// for there: what the fabric applies, for those who explain it.
    pub(crate) async fn governing(
        self: &Arc<Self>,
        nic: &Value,
    ) -> Result<(Vec<(network::Attachment, Nsg)>, Tags, Value), Problem> {
        let subnet =
            reference(nic, "/properties/ipConfigurations/0/properties/subnet/id")?;
        let vnet = subnet.as_ref().and_then(ResourceId::parent);
        let (Some(subnet), Some(vnet)) = (subnet, vnet) else {
            return Ok((Vec::new(), Tags::new([]), Value::Null));
        };
        let network = self.existing(&vnet).await?.document;
        let holder = items(&network, "/properties/subnets")
            .find(|one| {
                text(one, "/name")
                    .is_some_and(|name| name.eq_ignore_ascii_case(subnet.name()))
            })
            .cloned()
            .unwrap_or_default();
        let mut nsgs = Vec::new();
        for (attachment, holder) in [
            (network::Attachment::Subnet, &holder),
            (network::Attachment::NetworkInterface, nic),
        ] {
            if let Some(id) = reference(holder, "/properties/networkSecurityGroup/id")?
                && let Some(resource) = self.store.get(&id).await?
            {
                nsgs.push((attachment, Nsg::from_arm(&resource.document)?));
            }
        }
        let tags = tags_of(&network);
        Ok((nsgs, tags, network))
    }
}
