//! Virtual networks and their subnets, which live in the network's document.

use std::sync::Arc;

use arm::ResourceId;
use ipnet::Ipv4Net;
use serde_json::{Map, Value};

use super::child::{child_of, drop_child, is_named, parent_of, place_child};
use super::document::{self, items, properties, reference, text};
use super::{Answer, App, Call, Problem, network_document, usage};
use crate::store::Resource;

const KIND: &str = "microsoft.network/virtualnetworks";

/// `GET …/virtualNetworks`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::list(&app, &call.id, KIND).await
}

/// `GET …/virtualNetworks/{network}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::get(&app, &call.id).await
}

/// `PATCH …/virtualNetworks/{network}`
pub(crate) async fn tag(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::tag(app, call).await
}

/// `DELETE …/virtualNetworks/{network}`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::delete(app, call, "virtualNetworks/delete").await
}

/// `PUT …/virtualNetworks/{network}`
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let before = app.before_put(&call).await?;
    let mut given = properties(call.object()?)?;
    let id = before.as_ref().map_or(&call.id, |network| &network.id).clone();
    let asked = given.remove("subnets").filter(Value::is_array);
    let mut network = document::framed(&call, before.as_ref(), given)?;
    check_space(&network.document)?;
    let subnets: Vec<Value> = match (asked, &before) {
        (Some(Value::Array(subnets)), _) => subnets
            .iter()
            .map(|subnet| {
                let name = subnet["name"].as_str().ok_or_else(|| {
                    Problem::parameter("subnets.name", "Every subnet needs a name.")
                })?;
                let given = subnet["properties"].as_object().cloned().unwrap_or_default();
                Ok(child_of(&id, "subnets", name, given))
            })
            .collect::<Result<_, Problem>>()?,
        // A PUT that says nothing about subnets leaves them alone.
        (_, Some(before)) => {
            items(&before.document, "/properties/subnets").cloned().collect()
        }
        (_, None) => Vec::new(),
    };
    network.document["properties"]["subnets"] = Value::Array(subnets);
    check_subnets(&app, &network).await?;
    if let Some(before) = &before {
        check_departures(&app, before, &network).await?;
    }
    let name = "virtualNetworks/write";
    let (progress, body) =
        network_document::write(&app, name, network, None, turn).await?;
    Ok(progress.written(body, before.is_none()))
}

/// `GET …/virtualNetworks/{network}/subnets`
pub(crate) async fn list_subnets(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::list_children(&app, &call.id, "subnets").await
}

/// `GET …/virtualNetworks/{network}/subnets/{subnet}`
pub(crate) async fn get_subnet(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::get_child(&app, &call.id, "subnets").await
}

/// `PUT …/virtualNetworks/{network}/subnets/{subnet}`
pub(crate) async fn put_subnet(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let before = app.existing(&parent_of(&call.id)?).await?;
    let mut network = before.clone();
    let given = properties(call.object()?)?;
    let subnet = child_of(&network.id, "subnets", call.id.name(), given);
    let created = place_child(&mut network.document, "subnets", subnet);
    check_subnets(&app, &network).await?;
    check_departures(&app, &before, &network).await?;
    let child = Some(("subnets".to_owned(), call.id.name().to_owned()));
    let name = "virtualNetworks/subnets/write";
    let (progress, body) =
        network_document::write(&app, name, network, child, turn).await?;
    Ok(progress.written(body, created))
}

/// `DELETE …/virtualNetworks/{network}/subnets/{subnet}`
pub(crate) async fn delete_subnet(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let before = app.existing(&parent_of(&call.id)?).await?;
    let mut network = before.clone();
    if !drop_child(&mut network.document, "subnets", call.id.name()) {
        return Ok(Answer::Nothing);
    }
    check_departures(&app, &before, &network).await?;
    let name = "virtualNetworks/subnets/delete";
    let (progress, _) = network_document::write(&app, name, network, None, turn).await?;
    Ok(progress.deleted())
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
                app.referenced(&to, &network.id).await?;
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
        if let Some(user) = usage::interfaces_in(app, &before.id, name).await?.first() {
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
pub(super) fn prefix_of(subnet: &Value) -> Option<&str> {
    text(subnet, "/properties/addressPrefix")
        .or_else(|| text(subnet, "/properties/addressPrefixes/0"))
}

/// A subnet of a network's document.
pub(super) fn subnet<'a>(
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
    use serde_json::json;

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
