//! Virtual networks and their subnets, which live in the network's document.

use arm::ResourceId;
use ipnet::Ipv4Net;
use serde_json::{Map, Value, json};

use super::usage::users_of_subnet;
use crate::app::child::child_of;
use crate::app::document::is_named;
use crate::app::document::{check_name, items, reference, text};
use crate::app::{App, Problem};
use crate::store::Resource;

/// The full type in lower case.
pub(super) const KIND: &str = "microsoft.network/virtualnetworks";

/// A network whose subnets lie in its space, and from which no subnet has gone that
/// is in use.
pub(super) async fn judge(
    app: &App,
    before: Option<&Resource>,
    draft: &mut Resource,
) -> Result<(), Problem> {
    check_space(&draft.document)?;
    let id = draft.id.clone();
    // A PUT that says nothing about subnets leaves them alone.
    let says = draft.document["properties"]["subnets"].is_array();
    let source = if says { Some(&draft.document) } else { before.map(|b| &b.document) };
    let subnets = source
        .into_iter()
        .flat_map(|document| items(document, "/properties/subnets"))
        .map(|subnet| {
            let name = text(subnet, "/name").ok_or_else(|| {
                Problem::parameter("subnets.name", "Every subnet needs a name.")
            })?;
            check_name(name)?;
            let mut given = subnet["properties"].as_object().cloned().unwrap_or_default();
            given.retain(|field, value| !value.is_null() && field != "ipConfigurations");
            Ok(child_of(&id, "subnets", name, given))
        })
        .collect::<Result<_, Problem>>()?;
    draft.document["properties"]["subnets"] = Value::Array(subnets);
    check_subnets(app, draft).await?;
    match before {
        Some(before) => check_departures(app, before, draft).await,
        None => Ok(()),
    }
}

/// Who hangs in each subnet.
pub(super) async fn dress(
    app: &App,
    id: &ResourceId,
    document: &mut Value,
) -> Result<(), Problem> {
    let users = app.store.links_to(id).await?;
    let Some(subnets) = document["properties"]["subnets"].as_array_mut() else {
        return Ok(());
    };
    for subnet in subnets {
        let key = text(subnet, "/id").unwrap_or_default().to_ascii_lowercase();
        let here = users.iter().filter(|user| user.target == key);
        let here: Vec<Value> = here.map(|user| json!({ "id": user.holder })).collect();
        if !here.is_empty() {
            subnet["properties"]["ipConfigurations"] = Value::Array(here);
        }
    }
    Ok(())
}

/// The address space is a list of IPv4 blocks without host bits that are apart.
fn check_space(network: &Value) -> Result<(), Problem> {
    let pointer = "/properties/addressSpace/addressPrefixes";
    let mut space: Vec<Ipv4Net> = Vec::new();
    for prefix in items(network, pointer) {
        let prefix = block(prefix.as_str().unwrap_or_default())?;
        if let Some(other) = space.iter().find(|other| overlap(other, &prefix)) {
            return Err(Problem::Invalid {
                code: "VnetAddressSpacesOverlap",
                message: format!("Address prefixes {other} and {prefix} overlap."),
                target: None,
            });
        }
        space.push(prefix);
    }
    if space.is_empty() {
        return Err(Problem::Invalid {
            code: "MissingRequiredAddressSpace",
            message: "A virtual network needs addressSpace.addressPrefixes, such as \
                      [\"10.0.0.0/16\"]."
                .to_owned(),
            target: Some("addressSpace.addressPrefixes"),
        });
    }
    Ok(())
}

/// Every subnet lies in the space, apart from the others, and what it refers to is
/// there. Azure keeps five addresses of each, so the smallest is a /29.
async fn check_subnets(app: &App, network: &Resource) -> Result<(), Problem> {
    let space: Vec<Ipv4Net> =
        items(&network.document, "/properties/addressSpace/addressPrefixes")
            .filter_map(|prefix| prefix.as_str()?.parse().ok())
            .collect();
    let mut before: Vec<(&str, Ipv4Net)> = Vec::new();
    for subnet in items(&network.document, "/properties/subnets") {
        let name = text(subnet, "/name").unwrap_or_default();
        let prefix = block(prefix_of(subnet).unwrap_or_default())?;
        let invalid =
            |code, message| Err(Problem::Invalid { code, message, target: None });
        if prefix.prefix_len() > 29 || !space.iter().any(|space| space.contains(&prefix))
        {
            return invalid(
                "NetcfgInvalidSubnet",
                format!(
                    "Subnet '{name}' is not valid in virtual network '{}': {prefix} must be \
                     within its address space and not smaller than a /29.",
                    network.id.name()
                ),
            );
        }
        if let Some((other, _)) = before.iter().find(|(_, other)| overlap(other, &prefix))
        {
            return invalid(
                "NetcfgSubnetRangesOverlap",
                format!(
                    "Subnet '{name}' is not valid because its IP address range overlaps with \
                     that of an existing subnet '{other}' in virtual network '{}'.",
                    network.id.name()
                ),
            );
        }
        before.push((name, prefix));
        for pointer in
            ["/properties/networkSecurityGroup/id", "/properties/routeTable/id"]
        {
            if let Some(to) = reference(subnet, pointer)? {
                app.referenced_near(&to, network).await?;
            }
        }
    }
    Ok(())
}

/// Subnets that interfaces hang in can neither go nor move.
async fn check_departures(
    app: &App,
    before: &Resource,
    after: &Resource,
) -> Result<(), Problem> {
    for subnet in items(&before.document, "/properties/subnets") {
        let name = text(subnet, "/name").unwrap_or_default();
        let stays = items(&after.document, "/properties/subnets")
            .any(|one| is_named(one, name) && prefix_of(one) == prefix_of(subnet));
        if stays {
            continue;
        }
        if let Some(user) = users_of_subnet(app, &before.id, name).await?.first() {
            let user = &user.holder;
            return Err(Problem::Invalid {
                code: "InUseSubnetCannotBeDeleted",
                message: format!(
                    "Subnet {name} is in use by {user} and cannot be deleted or moved. In order \
                     to delete the subnet, delete all the resources within the subnet."
                ),
                target: None,
            });
        }
    }
    Ok(())
}

/// A subnet's own prefix: Azure takes it alone or as the only one of a list.
pub(in crate::app) fn prefix_of(subnet: &Value) -> Option<&str> {
    text(subnet, "/properties/addressPrefix")
        .or_else(|| text(subnet, "/properties/addressPrefixes/0"))
}

/// A subnet of a network's document.
pub(in crate::app) fn subnet<'a>(
    network: &'a Value,
    id: &ResourceId,
) -> Option<&'a Map<String, Value>> {
    items(network, "/properties/subnets")
        .find(|one| is_named(one, id.name()))?
        .as_object()
}

fn block(text: &str) -> Result<Ipv4Net, Problem> {
    let invalid = || Problem::Invalid {
        code: "InvalidAddressPrefixFormat",
        message: format!(
            "Address prefix '{text}' is not a valid IPv4 block in CIDR notation, such as \
             10.0.0.0/16, without host bits."
        ),
        target: None,
    };
    let block: Ipv4Net = text.parse().map_err(|_| invalid())?;
    if block.trunc() == block { Ok(block) } else { Err(invalid()) }
}

fn overlap(one: &Ipv4Net, other: &Ipv4Net) -> bool {
    one.contains(other) || other.contains(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_with_host_bits_or_overlaps_is_refused() {
        let network = |prefixes: Value| json!({ "properties": { "addressSpace": { "addressPrefixes": prefixes } } });
        assert!(check_space(&network(json!(["10.0.0.0/16", "10.1.0.0/16"]))).is_ok());
        for bad in
            [json!([]), json!(["10.0.0.4/16"]), json!(["10.0.0.0/8", "10.1.0.0/16"])]
        {
            assert!(check_space(&network(bad)).is_err());
        }
    }
}
