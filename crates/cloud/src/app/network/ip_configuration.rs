//! The IP configurations of an interface: each has a subnet, a private address,
//! perhaps a public one, and a place behind load balancers and in groups.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use arm::ResourceId;
use ipnet::Ipv4Net;
use serde_json::{Map, Value, json};

use super::network_document::same;
use super::virtual_network::{prefix_of, subnet};
use super::{application_security_group, load_balancer};
use crate::app::child::child_of;
use crate::app::document::is_named;
use crate::app::document::{check_name, items, reference, text};
use crate::app::{App, Problem};
use crate::store::{Link, Resource, key_of};

/// What an IP configuration may refer to besides its subnet and public address.
const LISTS: [&str; 3] = [
    "loadBalancerBackendAddressPools",
    "loadBalancerInboundNatRules",
    "applicationSecurityGroups",
];

/// The IP configurations of a draft of an interface, each with its private address.
pub(super) async fn configured(
    app: &App,
    draft: &Resource,
    before: Option<&Resource>,
) -> Result<Vec<Value>, Problem> {
    let nic = &draft.id;
    let mut given: Vec<Value> =
        items(&draft.document, "/properties/ipConfigurations").cloned().collect();
    let Some(primary) = primary(&mut given)? else {
        return Err(Problem::Invalid {
            code: "NetworkInterfaceMustHaveAtLeastOneIpConfiguration",
            message: format!(
                "Network Interface {nic} must have at least one IP configuration."
            ),
            target: Some("ipConfigurations"),
        });
    };
    let mut done: Vec<Value> = Vec::new();
    for (at, one) in given.iter().enumerate() {
        let name = text(one, "/name").unwrap_or("ipconfig1");
        check_name(name)?;
        if done.iter().any(|other| is_named(other, name)) {
            return Err(Problem::Invalid {
                code: "InvalidRequestFormat",
                message: format!(
                    "Cannot parse the request: two IP configurations have the name {name}."
                ),
                target: Some("ipConfigurations"),
            });
        }
        let configuration = one_configured(app, draft, one, name, &done, before).await?;
        done.push(configuration);
        if let Some(last) = done.last_mut() {
            last["properties"]["primary"] = json!(at == primary);
        }
    }
    check_same_network(nic, &done)?;
    // Who asks for the interface's address means the primary one.
    let first = done.remove(primary);
    done.insert(0, first);
    Ok(done)
}

/// Which configuration is the primary one: the one that says so, else the first.
fn primary(given: &mut [Value]) -> Result<Option<usize>, Problem> {
    let marked: Vec<usize> = given
        .iter()
        .enumerate()
        .filter(|(_, one)| one["properties"]["primary"] == true)
        .map(|(at, _)| at)
        .collect();
    match marked.as_slice() {
        [] if given.is_empty() => Ok(None),
        [] => Ok(Some(0)),
        [one] => Ok(Some(*one)),
        _ => Err(Problem::Invalid {
            code: "NetworkInterfaceHasMoreThanOnePrimaryIpConfiguration",
            message: "Only one IP configuration of a network interface can be primary."
                .to_owned(),
            target: Some("ipConfigurations"),
        }),
    }
}

/// All configurations of an interface are in one virtual network.
fn check_same_network(nic: &ResourceId, all: &[Value]) -> Result<(), Problem> {
    let mut networks = Vec::new();
    for one in all {
        networks
            .extend(reference(one, "/properties/subnet/id")?.and_then(|id| id.parent()));
    }
    if networks.windows(2).all(|pair| same(&pair[0], &pair[1])) {
        return Ok(());
    }
    Err(Problem::Invalid {
        code: "NetworkInterfaceIpConfigurationsInDifferentVirtualNetworks",
        message: format!(
            "All IP configurations of {nic} must be in subnets of one virtual network."
        ),
        target: Some("ipConfigurations"),
    })
}

/// One IP configuration with its private address. `done` are those of the same
/// interface that have theirs already.
async fn one_configured(
    app: &App,
    draft: &Resource,
    given: &Value,
    name: &str,
    done: &[Value],
    before: Option<&Resource>,
) -> Result<Value, Problem> {
    let nic = &draft.id;
    let subnet_id =
        reference(given, "/properties/subnet/id")?.ok_or_else(|| Problem::Invalid {
            code: "SubnetMissing",
            message: format!("IP configuration {name} of {nic} needs a subnet."),
            target: Some("ipConfigurations.properties.subnet.id"),
        })?;
    let range = range_of(app, &subnet_id, draft).await?;
    let old = before.and_then(|nic| {
        items(&nic.document, "/properties/ipConfigurations")
            .find(|one| is_named(one, name))
    });
    let old_subnet =
        old.map(|old| reference(old, "/properties/subnet/id")).transpose()?.flatten();
    let old_address = old
        .filter(|_| old_subnet.as_ref().is_some_and(|old| same(old, &subnet_id)))
        .and_then(|old| text(old, "/properties/privateIPAddress"))
        .and_then(|address| address.parse::<Ipv4Addr>().ok());
    let is_static = text(given, "/properties/privateIPAllocationMethod")
        .is_some_and(|method| method.eq_ignore_ascii_case("Static"));
    let wanted = text(given, "/properties/privateIPAddress").filter(|_| is_static);

    let mut taken = taken(app, &subnet_id, nic).await?;
    taken.extend(done.iter().filter_map(|one| {
        text(one, "/properties/privateIPAddress")?.parse::<Ipv4Addr>().ok()
    }));
    let address = match (wanted, old_address) {
        (Some(wanted), _) => check_wanted(wanted, range, &taken)?,
        (None, Some(old)) => old,
        (None, None) => first_free(range, &taken).ok_or_else(|| Problem::Invalid {
            code: "SubnetIsFull",
            message: format!(
                "Subnet {subnet_id} with address prefix {range} is already full."
            ),
            target: None,
        })?,
    };
    // A machine is told its address when it is made.
    let on_machine =
        before.and_then(|nic| text(&nic.document, "/properties/virtualMachine/id"));
    if let (Some(vm), Some(_), true) = (on_machine, old, old_address != Some(address)) {
        return Err(Problem::Conflict {
            code: "OperationNotAllowed",
            message: format!(
                "The private address of {nic} cannot change while it is attached to {vm}. Delete \
                 the virtual machine first; its interface can then be changed."
            ),
        });
    }
    let mut properties = Map::new();
    properties.insert("privateIPAddress".to_owned(), json!(address));
    let method = if is_static { "Static" } else { "Dynamic" };
    properties.insert("privateIPAllocationMethod".to_owned(), json!(method));
    properties.insert("privateIPAddressVersion".to_owned(), json!("IPv4"));
    properties.insert("subnet".to_owned(), json!({ "id": subnet_id }));
    if let Some(public) = reference(given, "/properties/publicIPAddress/id")? {
        app.referenced_near(&public, draft).await?;
        check_free(app, &public, nic, name).await?;
        properties.insert("publicIPAddress".to_owned(), json!({ "id": public }));
    }
    for list in LISTS {
        let references = listed(given, list)?;
        for to in &references {
            check_listed(app, draft, name, list, to).await?;
        }
        if !references.is_empty() {
            let references: Vec<Value> =
                references.iter().map(|to| json!({ "id": to })).collect();
            properties.insert(list.to_owned(), json!(references));
        }
    }
    Ok(child_of(nic, "ipConfigurations", name, properties))
}

/// The range of a subnet that must be there, and in the draft's region.
pub(super) async fn range_of(
    app: &App,
    subnet_id: &ResourceId,
    draft: &Resource,
) -> Result<Ipv4Net, Problem> {
    let missing = || Problem::InvalidReference {
        to: subnet_id.to_string(),
        from: draft.id.clone(),
    };
    let vnet = subnet_id.parent().ok_or_else(missing)?;
    let vnet = app.referenced_near(&vnet, draft).await?;
    let subnet = subnet(&vnet.document, subnet_id).cloned().ok_or_else(missing)?;
    prefix_of(&Value::Object(subnet))
        .and_then(|prefix| prefix.parse().ok())
        .ok_or_else(missing)
}

/// The resource ids of a list of references.
fn listed(configuration: &Value, list: &str) -> Result<Vec<ResourceId>, Problem> {
    let mut found = Vec::new();
    for one in items(configuration, &format!("/properties/{list}")) {
        found.extend(reference(one, "/id")?);
    }
    Ok(found)
}

/// What a list refers to must be there, and take the configuration.
async fn check_listed(
    app: &App,
    draft: &Resource,
    name: &str,
    list: &str,
    to: &ResourceId,
) -> Result<(), Problem> {
    if list == "applicationSecurityGroups" {
        let group = app.referenced_near(to, draft).await?;
        if group.id.resource_type().eq_ignore_ascii_case(application_security_group::KIND)
        {
            return Ok(());
        }
        let to = to.to_string();
        return Err(Problem::InvalidReference { to, from: draft.id.clone() });
    }
    let missing =
        || Problem::InvalidReference { to: to.to_string(), from: draft.id.clone() };
    let balancer = to.parent().ok_or_else(missing)?;
    let balancer = app.referenced_near(&balancer, draft).await?;
    let part = load_balancer::part(&balancer.document, to).ok_or_else(missing)?;
    check_one_network(app, draft, &balancer, to).await?;
    if list != "loadBalancerInboundNatRules" {
        return Ok(());
    }
    if !part["properties"]["backendAddressPool"].is_null() {
        return Err(Problem::Invalid {
            code: "InboundNatRuleReferencesBackendPool",
            message: format!(
                "Inbound NAT rule {to} serves a backend address pool: add the IP configuration \
                 to that pool instead."
            ),
            target: Some("loadBalancerInboundNatRules"),
        });
    }
    let other = app.store.links_to(to).await?.into_iter().find(|link| {
        !(same(&link.source, &draft.id) && link.holder.name().eq_ignore_ascii_case(name))
    });
    match other {
        None => Ok(()),
        Some(Link { holder, .. }) => Err(Problem::Invalid {
            code: "InboundNatRuleInUse",
            message: format!(
                "Inbound NAT rule {to} leads to {holder} already. Remove it there first."
            ),
            target: Some("loadBalancerInboundNatRules"),
        }),
    }
}

/// All backends of a load balancer are in one virtual network.
async fn check_one_network(
    app: &App,
    draft: &Resource,
    balancer: &Resource,
    to: &ResourceId,
) -> Result<(), Problem> {
    let network = |nic: &Resource| {
        let subnet = reference(
            &nic.document,
            "/properties/ipConfigurations/0/properties/subnet/id",
        )?;
        Ok::<_, Problem>(subnet.and_then(|subnet| subnet.parent()))
    };
    let links = app.store.links_to(&balancer.id).await?;
    let Some(other) = links.iter().find(|link| !same(&link.source, &draft.id)) else {
        return Ok(());
    };
    let other = app.existing(&other.source).await?;
    if network(&other)? == network(draft)? {
        return Ok(());
    }
    Err(Problem::Invalid {
        code: "LoadBalancerBackendsInDifferentVirtualNetworks",
        message: format!(
            "{} cannot join {to}: {} behind the same load balancer is in another virtual \
             network.",
            draft.id, other.id
        ),
        target: None,
    })
}

/// An address that was asked for must be in the subnet, not Azure's, and free.
pub(super) fn check_wanted(
    wanted: &str,
    range: Ipv4Net,
    taken: &HashSet<Ipv4Addr>,
) -> Result<Ipv4Addr, Problem> {
    let invalid = |code, message| Problem::Invalid { code, message, target: None };
    let address: Ipv4Addr = wanted.parse().map_err(|_| {
        invalid("InvalidIPAddress", format!("'{wanted}' is not an IPv4 address."))
    })?;
    if !range.contains(&address) {
        return Err(invalid(
            "PrivateIPAddressNotInSubnet",
            format!(
                "Private static IP address {address} does not belong to the range of subnet prefix {range}."
            ),
        ));
    }
    if !usable(range).any(|host| host == address) {
        return Err(invalid(
            "PrivateIPAddressInReservedRange",
            format!(
                "Private static IP address {address} falls within reserved IP range of subnet prefix {range}."
            ),
        ));
    }
    if taken.contains(&address) {
        return Err(invalid(
            "PrivateIPAddressIsAllocated",
            format!(
                "IP configuration references private IP address {address}, which is already in use."
            ),
        ));
    }
    Ok(address)
}

/// Another address of its subnet for an interface; none if the subnet is full.
pub(super) async fn another(
    app: &App,
    nic: &Resource,
) -> Result<Option<Ipv4Addr>, Problem> {
    let configuration = &nic.document["properties"]["ipConfigurations"][0];
    let Some(subnet_id) = reference(configuration, "/properties/subnet/id")? else {
        return Ok(None);
    };
    let Some(vnet) = subnet_id.parent() else { return Ok(None) };
    let vnet = app.referenced(&vnet, &nic.id).await?;
    let range = subnet(&vnet.document, &subnet_id)
        .and_then(|subnet| prefix_of(&Value::Object(subnet.clone()))?.parse().ok());
    let Some(range) = range else { return Ok(None) };
    let mut taken = taken(app, &subnet_id, &nic.id).await?;
    taken.extend(
        text(configuration, "/properties/privateIPAddress")
            .and_then(|address| address.parse::<Ipv4Addr>().ok()),
    );
    Ok(first_free(range, &taken))
}

/// The first address of a subnet that nobody has.
pub(super) fn first_free(range: Ipv4Net, taken: &HashSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    usable(range).find(|address| !taken.contains(address))
}

/// Azure keeps the first four addresses and the last.
pub(super) fn usable(range: Ipv4Net) -> impl Iterator<Item = Ipv4Addr> {
    range.hosts().skip(3)
}

/// The addresses that others than `except` have in a subnet: interfaces, and
/// frontends of load balancers.
pub(super) async fn taken(
    app: &App,
    subnet: &ResourceId,
    except: &ResourceId,
) -> Result<HashSet<Ipv4Addr>, Problem> {
    let users = app.store.links_to(subnet).await?;
    let others = users.iter().filter(|link| !same(&link.source, except));
    let others = others.map(|link| key_of(&link.source)).collect();
    let wanted = key_of(subnet);
    let mut taken = HashSet::new();
    for other in app.store.get_all(&others).await? {
        for list in ["ipConfigurations", "frontendIPConfigurations"] {
            let parts = items(&other.document, &format!("/properties/{list}"));
            taken.extend(parts.filter_map(|part| {
                let here = text(part, "/properties/subnet/id")?.to_ascii_lowercase();
                let address = text(part, "/properties/privateIPAddress")?
                    .parse::<Ipv4Addr>()
                    .ok()?;
                (here == wanted).then_some(address)
            }));
        }
    }
    Ok(taken)
}

/// A public address serves one IP configuration, or one frontend.
pub(super) async fn check_free(
    app: &App,
    public: &ResourceId,
    user: &ResourceId,
    part: &str,
) -> Result<(), Problem> {
    let other = app.store.links_to(public).await?.into_iter().find(|link| {
        !(same(&link.source, user) && link.holder.name().eq_ignore_ascii_case(part))
    });
    match other {
        None => Ok(()),
        // The same document may be giving it from one of its parts to another.
        Some(link) if same(&link.source, user) => Ok(()),
        Some(link) => Err(Problem::Invalid {
            code: "PublicIPAddressInUse",
            message: format!(
                "Resource {user} is referencing public IP address {public} that is already \
                 allocated to resource {}.",
                link.holder
            ),
            target: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn azures_five_addresses_are_never_given_away() {
        let range: Ipv4Net = "10.0.0.0/29".parse().unwrap();
        let mut taken = HashSet::new();
        let mut given = Vec::new();
        while let Some(address) = first_free(range, &taken) {
            taken.insert(address);
            given.push(address.octets()[3]);
        }
        assert_eq!(given, [4, 5, 6]);
        for reserved in ["10.0.0.0", "10.0.0.1", "10.0.0.3", "10.0.0.7"] {
            assert!(
                check_wanted(reserved, range, &HashSet::new()).is_err(),
                "{reserved}"
            );
        }
    }
}
