//! What all network resources share: they are documents, they refer to each other,
//! and packets follow them.
//!
//! A write is judged and promised under the [network turn](App::network_turn); the
//! work that follows only applies the topology and marks the document as
//! succeeded. A deletion needs that nothing refers to the document any more.

use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Map, Value, json};

use super::document::{self, items, listed, reference, shown};
use super::journal::{Job, Progress};
use super::serial::Turn;
use super::work::Work;
use super::{Answer, App, Call, Problem};
use crate::store::{Resource, key_of};

/// Promises a written document, which lets the network turn go, and waits a
/// moment. Gives how far it came and the document, or its child, meanwhile.
pub(super) async fn write(
    app: &Arc<App>,
    name: &'static str,
    mut resource: Resource,
    child: Option<(String, String)>,
    turn: Turn,
) -> Result<(Progress, Value), Problem> {
    document::set_state(&mut resource.document, "Updating");
    let id = resource.id.clone();
    let body = app.dressed(&resource).await?;
    let body = part_of(body, child.as_ref()).unwrap_or_default();
    let work = Work::Settle { resource: id.clone(), child };
    let job = Job::new(name, &id, work).writing(resource).promised_in(turn);
    Ok((app.submit(job).await?, body))
}

/// Makes packets follow a written document; gives the document, or its child.
pub(super) async fn settle(
    app: &Arc<App>,
    id: &ResourceId,
    child: Option<&(String, String)>,
) -> Result<Value, Problem> {
    let applied = app.refresh_fabric().await;
    // Another writer may have been there meanwhile, or have deleted it.
    let turn = app.network_turn().await?;
    if let Some(mut resource) = app.store.get(id).await? {
        let state = if applied.is_ok() { "Succeeded" } else { "Failed" };
        document::set_state(&mut resource.document, state);
        app.store.put(&resource).await?;
    }
    drop(turn);
    applied?;
    let Some(resource) = app.store.get(id).await? else { return Ok(Value::Null) };
    let body = app.dressed(&resource).await?;
    match part_of(body, child) {
        Ok(part) => Ok(part),
        // The child was the thing deleted.
        Err(_gone) => Ok(Value::Null),
    }
}

/// Deletes a document and lets packets follow.
pub(super) async fn remove(app: &Arc<App>, id: &ResourceId) -> Result<Value, Problem> {
    app.store.remove(id).await?;
    app.refresh_fabric().await?;
    Ok(Value::Null)
}

/// `DELETE` of a network document.
pub(super) async fn delete(
    app: Arc<App>,
    call: Call,
    name: &'static str,
) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    app.group_of(&call.id).await?;
    let Some(resource) = app.store.get(&call.id).await? else {
        return Ok(Answer::Nothing);
    };
    check_unused(&app, &resource.id, None).await?;
    let work = Work::Remove { resource: resource.id.clone() };
    let job = Job::new(name, &resource.id, work).holding(turn);
    Ok(app.submit(job).await?.deleted())
}

/// `PATCH` of a network document: its tags, replaced as a whole.
pub(super) async fn tag(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let _turn = app.network_turn().await?;
    let mut resource = app.existing(&call.id).await?;
    if let Some(tags) = call.object()?.get("tags") {
        resource.document["tags"] =
            if tags.is_object() { tags.clone() } else { json!({}) };
    }
    app.store.put(&resource).await?;
    Ok(Answer::Found(app.dressed(&resource).await?))
}

/// `GET` of a network document.
pub(super) async fn get(app: &App, id: &ResourceId) -> Result<Answer, Problem> {
    let resource = app.existing(id).await?;
    Ok(Answer::Found(app.dressed(&resource).await?))
}

/// `GET` of all network documents of a kind in a group or in the subscription.
pub(super) async fn list(
    app: &App,
    scope: &ResourceId,
    kind: &str,
) -> Result<Answer, Problem> {
    if scope.group().is_some() {
        app.group_of(scope).await?;
    }
    let mut all = Vec::new();
    for resource in app.store.list(scope, kind).await? {
        all.push(app.dressed(&resource).await?);
    }
    Ok(Answer::Found(listed(all)))
}

/// Refuses to delete what others outside of `group` refer to.
pub(super) async fn check_use_from_elsewhere(
    app: &App,
    id: &ResourceId,
    group: &ResourceId,
) -> Result<(), Problem> {
    check_unused(app, id, Some(group)).await
}

/// Refuses to delete what others refer to, except those in `except`.
async fn check_unused(
    app: &App,
    id: &ResourceId,
    except: Option<&ResourceId>,
) -> Result<(), Problem> {
    let users: Vec<Use> = uses(app, id)
        .await?
        .into_iter()
        .filter(|one| match except {
            None => true,
            Some(group) => !one.by.group().is_some_and(|name| {
                group.group().is_some_and(|other| other.eq_ignore_ascii_case(name))
            }),
        })
        .collect();
    let Some(first) = users.first() else { return Ok(()) };
    let kind = id.resource_type().to_ascii_lowercase();
    let name = id.name();
    let by = &first.by;
    let (code, message) = match kind.as_str() {
        "microsoft.network/virtualnetworks" => (
            "InUseSubnetCannotBeDeleted",
            format!(
                "Subnet {} is in use by {by} and cannot be deleted. In order to delete the \
                 subnet, delete all the resources within the subnet.",
                first.what
            ),
        ),
        "microsoft.network/networksecuritygroups" => (
            "InUseNetworkSecurityGroupCannotBeDeleted",
            format!(
                "Network security group {id} cannot be deleted because it is in use by the \
                 following resources: {by}. In order to delete the Network security group, \
                 remove the association with the resource(s)."
            ),
        ),
        "microsoft.network/routetables" => (
            "InUseRouteTableCannotBeDeleted",
            format!("Route table {name} is in use and cannot be deleted: {by} uses it."),
        ),
        "microsoft.network/publicipaddresses" => (
            "PublicIPAddressCannotBeDeleted",
            format!(
                "Public IP address {id} can not be deleted since it is still allocated to \
                 resource {by}."
            ),
        ),
        _ => (
            "NicInUse",
            format!(
                "Network Interface {id} is used by existing resource {by}. In order to delete \
                 the network interface, it must be dissociated from the resource."
            ),
        ),
    };
    Err(Problem::Invalid { code, message, target: None })
}

/// One reference to a resource.
struct Use {
    /// Who refers to it.
    by: ResourceId,
    /// The part that is referred to: a subnet's name, else empty.
    what: String,
}

/// Who refers to a network document, or to a part of it.
async fn uses(app: &App, id: &ResourceId) -> Result<Vec<Use>, Problem> {
    let everything = ResourceId::of_subscription(id.subscription())
        .map_err(|error| Problem::NotFound { message: error.to_string() })?;
    let mut uses = Vec::new();
    for nic in app.store.list(&everything, "microsoft.network/networkinterfaces").await? {
        if nic.id == *id {
            if let Some(by) = app.user_of(&nic).await? {
                uses.push(Use { by, what: String::new() });
            }
            continue;
        }
        let mut note = |found: Option<ResourceId>, by: &ResourceId| match found {
            Some(found) if found == *id => {
                uses.push(Use { by: by.clone(), what: String::new() });
            }
            Some(found) if found.parent().is_some_and(|parent| parent == *id) => {
                uses.push(Use { by: by.clone(), what: found.name().to_owned() });
            }
            _ => {}
        };
        note(reference(&nic.document, "/properties/networkSecurityGroup/id")?, &nic.id);
        for configuration in items(&nic.document, "/properties/ipConfigurations") {
            note(reference(configuration, "/properties/subnet/id")?, &nic.id);
            note(reference(configuration, "/properties/publicIPAddress/id")?, &nic.id);
        }
    }
    for network in
        app.store.list(&everything, "microsoft.network/virtualnetworks").await?
    {
        for subnet in items(&network.document, "/properties/subnets") {
            for holder in
                ["/properties/networkSecurityGroup/id", "/properties/routeTable/id"]
            {
                if reference(subnet, holder)?.is_some_and(|found| found == *id)
                    && let Some(by) = reference(subnet, "/id")?
                {
                    uses.push(Use { by, what: String::new() });
                }
            }
        }
    }
    Ok(uses)
}

/// The interfaces that hang in one subnet of a virtual network.
pub(super) async fn interfaces_in(
    app: &App,
    network: &ResourceId,
    subnet: &str,
) -> Result<Vec<ResourceId>, Problem> {
    let uses = uses(app, network).await?;
    Ok(uses
        .into_iter()
        .filter(|one| one.what.eq_ignore_ascii_case(subnet))
        .map(|one| one.by)
        .collect())
}

impl App {
    /// A network document as it is shown: with the back references that Azure
    /// gives, and the default rules.
    pub(super) async fn dressed(&self, resource: &Resource) -> Result<Value, Problem> {
        let mut document = shown(resource);
        let id = &resource.id;
        match resource.id.resource_type().to_ascii_lowercase().as_str() {
            "microsoft.network/networksecuritygroups" => {
                let rules = super::network_security_group::default_rules(id);
                document["properties"]["defaultSecurityRules"] = rules;
                let users = uses(self, id).await?;
                let of = |kind: &str| -> Vec<Value> {
                    let users = users.iter().filter(|one| one.by.is_type(kind));
                    users.map(|one| json!({ "id": one.by })).collect()
                };
                let nics = of("Microsoft.Network/networkInterfaces");
                let subnets = of("Microsoft.Network/virtualNetworks/subnets");
                for (field, users) in [("networkInterfaces", nics), ("subnets", subnets)]
                {
                    if !users.is_empty() {
                        document["properties"][field] = Value::Array(users);
                    }
                }
            }
            "microsoft.network/publicipaddresses" => {
                if let Some(user) = uses(self, id).await?.first() {
                    let nic = self.existing(&user.by).await?;
                    let configuration =
                        items(&nic.document, "/properties/ipConfigurations")
                            .find(|one| {
                                document::text(one, "/properties/publicIPAddress/id")
                                    .is_some_and(|to| {
                                        to.eq_ignore_ascii_case(id.as_str())
                                    })
                            })
                            .map(|one| json!({ "id": one["id"] }));
                    document["properties"]["ipConfiguration"] =
                        configuration.unwrap_or(Value::Null);
                }
            }
            _ => {}
        }
        Ok(document)
    }
}

/// The child `(collection, name)` of a shown document, or the document itself.
pub(super) fn part_of(
    document: Value,
    child: Option<&(String, String)>,
) -> Result<Value, Problem> {
    let Some((collection, name)) = child else { return Ok(document) };
    items(&document, &format!("/properties/{collection}"))
        .find(|one| is_named(one, name))
        .cloned()
        .ok_or_else(|| Problem::NotFound {
            message: format!(
                "Resource {}/{collection}/{name} not found.",
                document["id"].as_str().unwrap_or_default()
            ),
        })
}

/// `GET` of a child that lives in its parent's document.
pub(super) async fn get_child(
    app: &App,
    id: &ResourceId,
    collection: &str,
) -> Result<Answer, Problem> {
    let parent = parent_of(id)?;
    let parent = app.existing(&parent).await?;
    let child = (collection.to_owned(), id.name().to_owned());
    let mut part = part_of(app.dressed(&parent).await?, Some(&child))?;
    part["etag"] = json!(format!("W/\"{}\"", parent.etag));
    Ok(Answer::Found(part))
}

/// `GET` of all children in a collection.
pub(super) async fn list_children(
    app: &App,
    parent: &ResourceId,
    collection: &str,
) -> Result<Answer, Problem> {
    let parent = app.existing(parent).await?;
    let document = app.dressed(&parent).await?;
    let all = items(&document, &format!("/properties/{collection}")).cloned();
    Ok(Answer::Found(listed(all)))
}

/// Puts a child into its parent's document, replacing one of the same name.
/// Returns whether it is new.
pub(super) fn place_child(parent: &mut Value, collection: &str, child: Value) -> bool {
    let name = child["name"].as_str().unwrap_or_default().to_owned();
    let children = &mut parent["properties"][collection];
    if !children.is_array() {
        *children = json!([]);
    }
    let Some(children) = children.as_array_mut() else { return false };
    match children.iter_mut().find(|one| is_named(one, &name)) {
        Some(place) => {
            *place = child;
            false
        }
        None => {
            children.push(child);
            true
        }
    }
}

/// Takes a child out of its parent's document. Returns whether it was there.
pub(super) fn drop_child(parent: &mut Value, collection: &str, name: &str) -> bool {
    let Some(children) = parent["properties"][collection].as_array_mut() else {
        return false;
    };
    let before = children.len();
    children.retain(|one| !is_named(one, name));
    children.len() < before
}

/// A child of `parent` as it is stored.
pub(super) fn child_of(
    parent: &ResourceId,
    collection: &str,
    name: &str,
    mut properties: Map<String, Value>,
) -> Value {
    properties.insert("provisioningState".to_owned(), json!("Succeeded"));
    json!({
        "name": name,
        "id": format!("{parent}/{collection}/{name}"),
        "type": format!("{}/{collection}", parent.resource_type()),
        "properties": properties,
    })
}

/// Whether `id` names something in `other`'s group of names: same id, any case.
pub(super) fn same(id: &ResourceId, other: &ResourceId) -> bool {
    key_of(id) == key_of(other)
}

pub(super) fn is_named(child: &Value, name: &str) -> bool {
    child["name"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(name))
}

/// The resource that a child is in.
pub(super) fn parent_of(id: &ResourceId) -> Result<ResourceId, Problem> {
    id.parent().ok_or_else(|| Problem::ResourceNotFound { id: id.clone() })
}
