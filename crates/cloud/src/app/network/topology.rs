//! One virtual network with everything that its packets meet: its interfaces, and the
//! NSGs, route tables, load balancers and addresses that these refer to.
//!
//! The fabric applies it; effective rules and routes and Network Watcher explain it.
//! Both read a [`Scene`], so what is explained is what is enforced.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use arm::ResourceId;
use ipnet::IpNet;
use machine::{Nic, Vnet};
use network::route::{Route, Routes, Surroundings};
use network::{Attachment, Direction, Nsg, Tags};
use serde_json::Value;

use super::virtual_network::subnet;
use super::{load_balancer, network_interface, virtual_network};
use crate::app::compute::virtual_machine;
use crate::app::document::{items, reference, text};
use crate::app::{App, Problem};
use crate::store::{Resource, key_of};

/// A virtual network and what its packets meet.
pub(super) struct Scene {
    /// Its key, which is its name in the fabric.
    pub(super) key: String,
    /// Its document.
    pub(super) network: Value,
    /// What tags and groups stand for in it.
    pub(super) tags: Tags,
    /// Its interfaces and all that they refer to, by key.
    pub(super) documents: BTreeMap<String, Resource>,
}

impl Scene {
    /// The scene of a virtual network; none if it is gone.
    pub(super) async fn of(app: &App, vnet: &str) -> Result<Option<Self>, Problem> {
        let Ok(id) = ResourceId::parse(vnet) else { return Ok(None) };
        let Some(network) = app.store.get(&id).await? else { return Ok(None) };
        let mut wanted: BTreeSet<String> =
            network.targets().iter().map(|key| root(key)).collect();
        let users = app.store.links_to(&network.id).await?;
        wanted.extend(users.iter().map(|link| key_of(&link.source)));
        let mut documents = BTreeMap::new();
        // Interfaces refer to load balancers, these to addresses, and there it ends.
        while !wanted.is_empty() {
            let found = app.store.get_all(&wanted).await?;
            wanted =
                found.iter().flat_map(Resource::targets).map(|key| root(&key)).collect();
            documents.extend(found.into_iter().map(|one| (key_of(&one.id), one)));
            wanted.retain(|key| !documents.contains_key(key) && meets_packets(key));
        }
        let mut scene = Self {
            key: vnet.to_owned(),
            tags: Tags::new(space(&network.document)),
            network: network.document,
            documents,
        };
        scene.tags = scene.with_groups();
        Ok(Some(scene))
    }

    /// The scene around an interface.
    pub(super) async fn around(app: &App, nic: &Value) -> Result<Self, Problem> {
        let lost = || Problem::Internal {
            doing: "find the interface's virtual network",
            why: format!("{} is in none", nic["id"]),
        };
        let vnet = subnet_of(nic)?.and_then(|subnet| subnet.parent()).ok_or_else(lost)?;
        Self::of(app, &key_of(&vnet)).await?.ok_or_else(lost)
    }

    /// The interfaces in the virtual network.
    pub(super) fn nics(&self) -> impl Iterator<Item = &Value> {
        let prefix = format!("{}/", self.key);
        self.documents
            .values()
            .filter(|one| one.id.is_type("Microsoft.Network/networkInterfaces"))
            .map(|one| &one.document)
            .filter(move |nic| {
                text(nic, SUBNET)
                    .is_some_and(|id| id.to_ascii_lowercase().starts_with(&prefix))
            })
    }

    /// A document that the network's packets meet.
    pub(super) fn document(&self, id: &ResourceId) -> Option<&Value> {
        self.documents.get(&key_of(id)).map(|one| &one.document)
    }

    /// The NSGs that an interface's traffic meets, the subnet's first.
    pub(super) fn nsgs(&self, nic: &Value) -> Result<Vec<(Attachment, Nsg)>, Problem> {
        let on = subnet_of(nic)?.and_then(|id| subnet(&self.network, &id).cloned());
        let on = on.map(Value::Object).unwrap_or_default();
        let mut nsgs = Vec::new();
        for (attachment, holder) in
            [(Attachment::Subnet, &on), (Attachment::NetworkInterface, nic)]
        {
            if let Some(id) = reference(holder, "/properties/networkSecurityGroup/id")?
                && let Some(document) = self.document(&id)
            {
                nsgs.push((attachment, Nsg::from_arm(document)?));
            }
        }
        Ok(nsgs)
    }

    /// The NSGs with what Azure enforces where there are none: behind a Standard
    /// address or load balancer an interface is closed until an NSG opens it, and an
    /// NSG without rules of its own says just that. It has no id.
    pub(super) fn enforced(
        &self,
        nic: &Value,
    ) -> Result<Vec<(Attachment, Nsg)>, Problem> {
        let mut nsgs = self.nsgs(nic)?;
        if nsgs.is_empty() && self.is_behind_standard(nic)? {
            nsgs.push((Attachment::NetworkInterface, Nsg::new("", [])?));
        }
        Ok(nsgs)
    }

    fn is_behind_standard(&self, nic: &Value) -> Result<bool, Problem> {
        for one in items(nic, "/properties/ipConfigurations") {
            let mut through = Vec::new();
            through.extend(reference(one, "/properties/publicIPAddress/id")?);
            for list in ["loadBalancerBackendAddressPools", "loadBalancerInboundNatRules"]
            {
                for part in items(one, &format!("/properties/{list}")) {
                    through
                        .extend(reference(part, "/id")?.and_then(|part| part.parent()));
                }
            }
            let mut documents = through.iter().filter_map(|id| self.document(id));
            if documents.any(load_balancer::is_standard) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The routes of an interface's subnet.
    pub(super) fn routes(&self, nic: &Value) -> Result<Routes, Problem> {
        let surroundings = Surroundings {
            address_space: space(&self.network).collect(),
            ..Surroundings::default()
        };
        let mut routes = surroundings.system_routes();
        let on = subnet_of(nic)?.and_then(|id| subnet(&self.network, &id).cloned());
        let table = match on {
            Some(subnet) => {
                reference(&Value::Object(subnet), "/properties/routeTable/id")?
            }
            None => None,
        };
        if let Some((id, table)) =
            table.and_then(|id| Some((id.clone(), self.document(&id)?)))
        {
            for route in items(table, "/properties/routes") {
                let name = text(route, "/name").unwrap_or_default();
                let route = Route::from_arm(id.as_str(), name, &route["properties"])
                    .map_err(|error| Problem::Internal {
                        doing: "read a route",
                        why: error.to_string(),
                    })?;
                routes.push(route);
            }
        }
        Ok(Routes::new(routes))
    }

    /// The virtual network as the fabric makes it.
    pub(super) fn vnet(&self, app: &App) -> Result<Vnet, Problem> {
        let nics = self.nics().map(|nic| self.interface(nic));
        Ok(Vnet {
            name: self.key.clone(),
            nics: nics.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect(),
            frontends: self.translations(&app.backend_health)?,
        })
    }

    /// An interface with its filters and routes; none if it has no address yet.
    fn interface(&self, nic: &Value) -> Result<Option<Nic>, Problem> {
        let mut addresses = items(nic, "/properties/ipConfigurations")
            .filter_map(|one| Some((private(one)?, self.public(one).ok()?)));
        let Some((address, public)) = addresses.next() else { return Ok(None) };
        let secondary = addresses.collect();
        let nsgs = self.enforced(nic)?;
        let filters = |direction| {
            nsgs.iter()
                .map(|(_, nsg)| network::lower(nsg, direction, &self.tags))
                .collect::<Vec<_>>()
        };
        let mut outbound = filters(Direction::Outbound);
        // On the way out the interface's own group comes first.
        outbound.reverse();
        Ok(Some(Nic {
            address,
            public,
            secondary,
            forwards: nic["properties"]["enableIPForwarding"] == true,
            detours: self.routes(nic)?.detours(),
            inbound: filters(Direction::Inbound),
            outbound,
        }))
    }

    /// The public address of an IP configuration or a frontend.
    pub(super) fn public(&self, holder: &Value) -> Result<Option<Ipv4Addr>, Problem> {
        let id = reference(holder, "/properties/publicIPAddress/id")?;
        Ok(id
            .and_then(|id| self.document(&id))
            .and_then(|document| text(document, "/properties/ipAddress"))
            .and_then(|address| address.parse().ok()))
    }

    /// The tags, with the groups that interfaces are members of.
    fn with_groups(&self) -> Tags {
        let mut members: BTreeMap<&str, Vec<IpAddr>> = BTreeMap::new();
        for one in self.nics().flat_map(|nic| items(nic, "/properties/ipConfigurations"))
        {
            for group in items(one, "/properties/applicationSecurityGroups") {
                let group = text(group, "/id").unwrap_or_default();
                members.entry(group).or_default().extend(private(one).map(IpAddr::V4));
            }
        }
        members
            .into_iter()
            .fold(self.tags.clone(), |tags, (group, members)| tags.group(group, members))
    }
}

/// Where an interface's first subnet stands in its document.
const SUBNET: &str = "/properties/ipConfigurations/0/properties/subnet/id";

/// The subnet of an interface's first IP configuration.
pub(super) fn subnet_of(nic: &Value) -> Result<Option<ResourceId>, Problem> {
    reference(nic, SUBNET)
}

/// The private address of an IP configuration.
pub(super) fn private(configuration: &Value) -> Option<Ipv4Addr> {
    text(configuration, "/properties/privateIPAddress")?.parse().ok()
}

fn space(network: &Value) -> impl Iterator<Item = IpNet> {
    items(network, "/properties/addressSpace/addressPrefixes")
        .filter_map(|prefix| prefix.as_str()?.parse().ok())
}

/// The key of the document that a part is in: a document's id ends with its type and
/// its name.
fn root(key: &str) -> String {
    key.split('/').take(9).collect::<Vec<_>>().join("/")
}

/// Whether packets can meet what a document says. Machines and other virtual networks
/// lead away from a scene.
fn meets_packets(key: &str) -> bool {
    !["/microsoft.compute/", "/virtualnetworks/"].iter().any(|part| key.contains(part))
}

/// The keys of all virtual networks.
pub(super) async fn all_networks(app: &App) -> Result<Vec<String>, Problem> {
    let everything = ResourceId::of_subscription(&app.subscription).map_err(|error| {
        Problem::Internal { doing: "read the network", why: error.to_string() }
    })?;
    let networks = app.store.list(&everything, virtual_network::KIND).await?;
    Ok(networks.iter().map(|network| key_of(&network.id)).collect())
}

/// The keys of the virtual networks whose packets a document has a say in.
pub(in crate::app) async fn reach(
    app: &App,
    resource: &Resource,
) -> Result<BTreeSet<String>, Problem> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut todo = vec![resource.clone()];
    while let Some(one) = todo.pop() {
        let key = key_of(&one.id);
        let kind = one.id.resource_type().to_ascii_lowercase();
        let targets = one.targets();
        let networks =
            targets.iter().filter(|target| target.contains("/virtualnetworks/"));
        found.extend(networks.map(|key| root(key)));
        let mut next: BTreeSet<String> = match kind.as_str() {
            virtual_network::KIND => {
                found.insert(key.clone());
                continue;
            }
            // An interface leads nowhere but to its subnets.
            network_interface::KIND => continue,
            virtual_machine::KIND => targets.iter().map(|key| root(key)).collect(),
            _ => {
                let users = app.store.links_to(&one.id).await?;
                users.iter().map(|link| key_of(&link.source)).collect()
            }
        };
        seen.insert(key);
        next.retain(|key| !seen.contains(key));
        seen.extend(next.iter().cloned());
        todo.extend(app.store.get_all(&next).await?);
    }
    Ok(found)
}
