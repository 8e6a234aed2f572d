//! The IP configuration of an interface: its subnet, its private address, perhaps a
//! public one.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use arm::ResourceId;
use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::document::{items, reference, text};
use super::network_document::same;
use super::virtual_network::{prefix_of, subnet};
use super::{App, Problem, network_interface};
use crate::store::Resource;

/// An IP configuration with its private address.
pub(super) async fn configured(
    app: &App,
    nic: &ResourceId,
    given: Value,
    before: Option<&Resource>,
) -> Result<Value, Problem> {
    let name = text(&given, "/name").unwrap_or("ipconfig1").to_owned();
    let subnet_id =
        reference(&given, "/properties/subnet/id")?.ok_or_else(|| Problem::Invalid {
            code: "SubnetMissing",
            message: format!("IP configuration {name} of {nic} needs a subnet."),
            target: Some("ipConfigurations.properties.subnet.id"),
        })?;
    let missing =
        || Problem::InvalidReference { to: subnet_id.to_string(), from: nic.clone() };
    let vnet = subnet_id.parent().ok_or_else(missing)?;
    let vnet = app.referenced(&vnet, nic).await?;
    let subnet = subnet(&vnet.document, &subnet_id).cloned().ok_or_else(missing)?;
    let range: Ipv4Net = prefix_of(&Value::Object(subnet))
        .and_then(|prefix| prefix.parse().ok())
        .ok_or_else(missing)?;

    let old = before.map(|nic| &nic.document["properties"]["ipConfigurations"][0]);
    let old_subnet =
        old.map(|old| reference(old, "/properties/subnet/id")).transpose()?.flatten();
    let old_address = old
        .filter(|_| old_subnet.as_ref().is_some_and(|old| same(old, &subnet_id)))
        .and_then(|old| text(old, "/properties/privateIPAddress"))
        .and_then(|address| address.parse::<Ipv4Addr>().ok());
    let is_static = text(&given, "/properties/privateIPAllocationMethod")
        .is_some_and(|method| method.eq_ignore_ascii_case("Static"));
    let wanted = text(&given, "/properties/privateIPAddress").filter(|_| is_static);

    let taken = taken(app, &subnet_id, nic).await?;
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
    if let (Some(vm), true) = (on_machine, old_address != Some(address)) {
        return Err(Problem::Conflict {
            code: "OperationNotAllowed",
            message: format!(
                "The private address of {nic} cannot change while it is attached to {vm}. Delete \
                 the virtual machine first; its interface can then be changed."
            ),
        });
    }
    let public = reference(&given, "/properties/publicIPAddress/id")?;
    if let Some(public) = &public {
        app.referenced(public, nic).await?;
        check_free(app, public, nic).await?;
    }
    let mut properties = json!({
        "provisioningState": "Succeeded",
        "privateIPAddress": address,
        "privateIPAllocationMethod": if is_static { "Static" } else { "Dynamic" },
        "privateIPAddressVersion": "IPv4",
        "primary": true,
        "subnet": { "id": subnet_id },
    });
    if let Some(public) = public {
        properties["publicIPAddress"] = json!({ "id": public });
    }
    Ok(json!({
        "name": name,
        "id": format!("{nic}/ipConfigurations/{name}"),
        "type": "Microsoft.Network/networkInterfaces/ipConfigurations",
        "properties": properties,
    }))
}

/// An address that was asked for must be in the subnet, not Azure's, and free.
fn check_wanted(
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
    if !range.hosts().skip(3).any(|host| host == address) {
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

/// Azure keeps the first four addresses and the last.
fn first_free(range: Ipv4Net, taken: &HashSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    range.hosts().skip(3).find(|address| !taken.contains(address))
}

/// The addresses that other interfaces have in a subnet.
async fn taken(
    app: &App,
    subnet: &ResourceId,
    except: &ResourceId,
) -> Result<HashSet<Ipv4Addr>, Problem> {
    let mut taken = HashSet::new();
    for nic in all(app).await? {
        if same(&nic.id, except) {
            continue;
        }
        for configuration in items(&nic.document, "/properties/ipConfigurations") {
            if reference(configuration, "/properties/subnet/id")?
                .is_some_and(|id| same(&id, subnet))
            {
                let address = text(configuration, "/properties/privateIPAddress");
                taken
                    .extend(address.and_then(|address| address.parse::<Ipv4Addr>().ok()));
            }
        }
    }
    Ok(taken)
}

/// A public address serves one interface.
async fn check_free(
    app: &App,
    public: &ResourceId,
    nic: &ResourceId,
) -> Result<(), Problem> {
    for other in all(app).await? {
        for configuration in items(&other.document, "/properties/ipConfigurations") {
            let uses = reference(configuration, "/properties/publicIPAddress/id")?
                .is_some_and(|id| same(&id, public));
            if uses && !same(&other.id, nic) {
                return Err(Problem::Invalid {
                    code: "PublicIPAddressInUse",
                    message: format!(
                        "Resource {nic} is referencing public IP address {public} that is already \
                         allocated to resource {}.",
                        other.id
                    ),
                    target: None,
                });
            }
        }
    }
    Ok(())
}

async fn all(app: &App) -> Result<Vec<Resource>, Problem> {
    let everything = ResourceId::of_subscription(&app.subscription)
        .map_err(|error| Problem::NotFound { message: error.to_string() })?;
    Ok(app.store.list(&everything, network_interface::KIND).await?)
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
