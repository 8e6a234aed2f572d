//! What all network resources share: they are documents, they refer to each other,
//! and packets follow them.
//!
//! A write is judged and promised under the [network turn](App::network_turn); the
//! work that follows only applies the topology and marks the document as
//! succeeded. A deletion needs that nothing refers to the document any more.

use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Value, json};

use super::child::{parent_of, part_of};
use super::document::{self, items, listed, shown};
use super::journal::{Job, Progress};
use super::serial::Turn;
use super::usage::{check_unused, uses};
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

/// Whether `id` names something in `other`'s group of names: same id, any case.
pub(super) fn same(id: &ResourceId, other: &ResourceId) -> bool {
    key_of(id) == key_of(other)
}
