//! Making a VM with everything that it hangs on.
//!
//! ```text
//! virtual network ┐
//! NSG             ├─ NIC ─ VM
//! public address  ┘
//! ```
//!
//! Each thing that is made in this run is noted in [`Made`]; if a later one
//! fails, those are deleted again, last first. What was there before stays.

mod bodies;
mod image;
mod made;

use arm::{Client, Method, ResourceId};
use serde_json::{Map, Value, json};

use crate::api::{self, COMPUTE, NETWORK, RESOURCES};
use crate::failure::Failure;
use crate::session::Session;
use crate::vm_details;
use made::Made;

/// A VM that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewVm<'a> {
    pub(crate) group: &'a str,
    pub(crate) name: &'a str,
    /// The group's, if none.
    pub(crate) location: Option<&'a str>,
    pub(crate) image: &'a str,
    pub(crate) size: &'a str,
    pub(crate) user: &'a str,
    /// Public keys for the user.
    pub(crate) keys: &'a [String],
    pub(crate) password: Option<&'a str>,
    pub(crate) network: Network<'a>,
    pub(crate) tags: Map<String, Value>,
    /// Host name in the guest; the VM's name, if none.
    pub(crate) computer_name: Option<&'a str>,
    /// The VM's identities: ids, and `[system]` for one of its own.
    pub(crate) identities: &'a [String],
}

/// The network around it. A name that is none is chosen as az chooses it.
#[derive(Debug, Clone)]
pub(crate) struct Network<'a> {
    pub(crate) vnet: Option<&'a str>,
    pub(crate) vnet_prefix: &'a str,
    pub(crate) subnet: Option<&'a str>,
    pub(crate) subnet_prefix: &'a str,
    /// A name, an id, or empty for no NSG.
    pub(crate) nsg: Option<&'a str>,
    /// Whether a new NSG lets SSH in.
    pub(crate) allow_ssh: bool,
    /// A name, an id, or empty for no public address.
    pub(crate) public_address: Option<&'a str>,
    /// `Basic` or `Standard`, of a new public address.
    pub(crate) public_sku: &'a str,
    /// DNS label of a new public address.
    pub(crate) dns_label: Option<&'a str>,
    /// Static private address.
    pub(crate) private_address: Option<&'a str>,
    /// NICs that exist, names or ids; nothing else of the network is then made.
    pub(crate) nics: &'a [String],
}

impl Default for Network<'_> {
    fn default() -> Self {
        Self {
            vnet: None,
            vnet_prefix: "10.0.0.0/16",
            subnet: None,
            subnet_prefix: "10.0.0.0/24",
            nsg: None,
            allow_ssh: true,
            public_address: None,
            public_sku: "Standard",
            dns_label: None,
            private_address: None,
            nics: &[],
        }
    }
}

/// Makes the VM and gives what `az vm create` prints of it; null if its end was
/// not waited for.
pub(crate) async fn create(
    session: &Session,
    new: &NewVm<'_>,
    wait: bool,
    said: &(dyn Fn(&str) + Sync),
) -> Result<Value, Failure> {
    let mut made = Made::default();
    match make(session, new, wait, said, &mut made).await {
        Ok(id) if wait => summary(&session.client, &id).await,
        Ok(_) => Ok(Value::Null),
        Err(failure) => {
            if !made.is_empty() {
                said("that failed: removing what was made");
                made.remove(&session.client).await;
            }
            Err(failure)
        }
    }
}

/// Asks ARM whether the VM could be made, and makes nothing. Gives ARM's answer.
pub(crate) async fn validate(
    session: &Session,
    new: &NewVm<'_>,
) -> Result<Value, Failure> {
    let mut plan = Made::plan();
    make(session, new, true, &|_| {}, &mut plan).await?;
    let id = session.resource(
        new.group,
        "Microsoft.Resources/deployments",
        &format!("vm_deploy_{}", uuid::Uuid::new_v4().simple()),
    )?;
    let path = api::below(&id, "validate", RESOURCES);
    let body = json!({
        "properties": { "mode": "incremental", "parameters": {}, "template": plan.template() },
    });
    Ok(session.client.post(&path, &body).await?)
}

async fn make(
    session: &Session,
    new: &NewVm<'_>,
    wait: bool,
    said: &(dyn Fn(&str) + Sync),
    made: &mut Made,
) -> Result<ResourceId, Failure> {
    let client = &session.client;
    let vm = session.vm(new.group, new.name)?;
    let group_id = session.group(new.group)?;
    let group = client.get(&api::path(&group_id, RESOURCES)).await;
    // As in az, a group that is not there is a mistyped argument.
    let group = group.map_err(Failure::Checked)?;
    let location = new.location.or(group["location"].as_str()).unwrap_or_default();
    let image = image::reference(session, &group_id, location, new.image).await?;
    if exists(client, &vm, COMPUTE).await? {
        return Err(Failure::new(format!(
            "there is a VM {} in {} already",
            new.name, new.group
        ))
        .next("choose another --name, or delete it with `regain vm delete`"));
    }

    let nics = if new.network.nics.is_empty() {
        said("network");
        vec![nic(session, new, location, made).await?]
    } else {
        let named = |nic: &String| match nic.starts_with('/') {
            true => parse(nic),
            false => resource(session, new, "networkInterfaces", nic),
        };
        new.network.nics.iter().map(named).collect::<Result<_, _>>()?
    };

    said("virtual machine");
    let body = bodies::vm(new, location, &image, &nics);
    if wait || made.is_plan() {
        made.put(client, &vm, COMPUTE, &body).await?;
    } else {
        client.begin(Method::PUT, &api::path(&vm, COMPUTE), Some(&body)).await?;
    }
    Ok(vm)
}

/// A new NIC, and what it hangs on.
async fn nic(
    session: &Session,
    new: &NewVm<'_>,
    location: &str,
    made: &mut Made,
) -> Result<ResourceId, Failure> {
    let (subnet, nsg, address) = (
        subnet(session, new, location, made).await?,
        nsg(session, new, location, made).await?,
        public_address(session, new, location, made).await?,
    );
    let nic = resource(session, new, "networkInterfaces", &format!("{}VMNic", new.name))?;
    let body = bodies::nic(new, location, &subnet, nsg.as_ref(), address.as_ref());
    made.put(&session.client, &nic, NETWORK, &body).await?;
    Ok(nic)
}

/// The subnet that was named, or the first one of the group as az takes it, or
/// a new one.
async fn subnet(
    session: &Session,
    new: &NewVm<'_>,
    location: &str,
    made: &mut Made,
) -> Result<ResourceId, Failure> {
    let client = &session.client;
    let network = &new.network;
    if let Some(id) = network.subnet.filter(|subnet| subnet.starts_with('/')) {
        return parse(id);
    }
    if network.vnet.is_none() && network.subnet.is_none() {
        let group = session.group(new.group)?;
        let path =
            api::below(&group, "providers/Microsoft.Network/virtualNetworks", NETWORK);
        let found = client.list(&path).await?.into_iter().find_map(|vnet| {
            let here = vnet["location"].as_str()?.eq_ignore_ascii_case(location);
            let subnet = vnet["properties"]["subnets"][0]["id"].as_str()?.to_owned();
            here.then_some(subnet)
        });
        if let Some(id) = found {
            return parse(&id);
        }
    }
    let vnet_name =
        network.vnet.map_or_else(|| format!("{}VNET", new.name), str::to_owned);
    let subnet_name =
        network.subnet.map_or_else(|| format!("{}Subnet", new.name), str::to_owned);
    let vnet = resource(session, new, "virtualNetworks", &vnet_name)?;
    let subnet = vnet
        .with_child("subnets", &subnet_name)
        .map_err(|error| Failure::usage(error.to_string()))?;
    if !exists(client, &vnet, NETWORK).await? {
        let body = bodies::vnet(
            location,
            network.vnet_prefix,
            &subnet_name,
            network.subnet_prefix,
        );
        made.put(client, &vnet, NETWORK, &body).await?;
    } else if !exists(client, &subnet, NETWORK).await? {
        let body = json!({ "properties": { "addressPrefix": network.subnet_prefix } });
        made.put(client, &subnet, NETWORK, &body).await?;
    }
    Ok(subnet)
}

async fn nsg(
    session: &Session,
    new: &NewVm<'_>,
    location: &str,
    made: &mut Made,
) -> Result<Option<ResourceId>, Failure> {
    let default = format!("{}NSG", new.name);
    let Some(id) =
        named(session, new, "networkSecurityGroups", new.network.nsg, &default)?
    else {
        return Ok(None);
    };
    if !exists(&session.client, &id, NETWORK).await? {
        let body = bodies::nsg(location, new.network.allow_ssh);
        made.put(&session.client, &id, NETWORK, &body).await?;
    }
    Ok(Some(id))
}

async fn public_address(
    session: &Session,
    new: &NewVm<'_>,
    location: &str,
    made: &mut Made,
) -> Result<Option<ResourceId>, Failure> {
    let default = format!("{}PublicIP", new.name);
    let wanted = new.network.public_address;
    let Some(id) = named(session, new, "publicIPAddresses", wanted, &default)? else {
        return Ok(None);
    };
    if !exists(&session.client, &id, NETWORK).await? {
        let body = bodies::public_address(location, &new.network);
        made.put(&session.client, &id, NETWORK, &body).await?;
    }
    Ok(Some(id))
}

/// An id as it is, a name in the VM's group, none for the empty name.
fn named(
    session: &Session,
    new: &NewVm<'_>,
    kind: &str,
    wanted: Option<&str>,
    default: &str,
) -> Result<Option<ResourceId>, Failure> {
    match wanted {
        Some("") => Ok(None),
        Some(id) if id.starts_with('/') => parse(id).map(Some),
        name => resource(session, new, kind, name.unwrap_or(default)).map(Some),
    }
}

fn resource(
    session: &Session,
    new: &NewVm<'_>,
    kind: &str,
    name: &str,
) -> Result<ResourceId, Failure> {
    session.resource(new.group, &format!("Microsoft.Network/{kind}"), name)
}

fn parse(id: &str) -> Result<ResourceId, Failure> {
    ResourceId::parse(id).map_err(|error| Failure::usage(error.to_string()))
}

async fn exists(
    client: &Client,
    id: &ResourceId,
    version: &str,
) -> Result<bool, Failure> {
    match client.get(&api::path(id, version)).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn summary(client: &Client, id: &ResourceId) -> Result<Value, Failure> {
    let vm =
        client.get(&format!("{}&$expand=instanceView", api::path(id, COMPUTE))).await?;
    let addresses = vm_details::addresses(client, &vm).await?;
    // Azure writes MAC addresses with dashes already.
    let mut summary = json!({
        "fqdns": addresses.fqdns.join(","),
        "id": vm["id"],
        "location": vm["location"],
        "macAddress": addresses.mac.join(","),
        "powerState": vm_details::power_state(&vm),
        "privateIpAddress": addresses.private.join(","),
        "publicIpAddress": addresses.public.join(","),
        "resourceGroup": id.group(),
    });
    if let Some(identity) = vm.get("identity").filter(|identity| identity.is_object()) {
        let users = &identity["userAssignedIdentities"];
        summary["identity"] = json!({
            "systemAssignedIdentity": identity["principalId"].as_str().unwrap_or_default(),
            "userAssignedIdentities": if users.is_object() { users.clone() } else { json!({}) },
        });
    }
    if let Some(zones) = vm.get("zones") {
        summary["zones"] = zones[0].as_str().unwrap_or_default().into();
    }
    Ok(summary)
}
