//! Network Watcher: what packets meet, told in Azure's words. The answers come from the
//! [`Scene`](super::topology::Scene) that the fabric enforces.
//!
//! Azure has a watcher for each region, in a group of its own. Here there is one
//! wherever somebody looks; it is stored nowhere.

pub(crate) mod connectivity;
pub(crate) mod diagnostic;
pub(crate) mod flow;
mod question;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Value, json};

use crate::app::compute::virtual_machine;
use crate::app::document::{items, listed, reference, text};
use crate::app::{Answer, App, Call, Problem};
use crate::store::{key_of, now};

const GROUP: &str = "NetworkWatcherRG";
const PREFIX: &str = "NetworkWatcher_";

/// `GET …/networkWatchers`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    if call.id.group().is_some_and(|group| !group.eq_ignore_ascii_case(GROUP)) {
        app.group_of(&call.id).await?;
        return Ok(Answer::Found(listed([])));
    }
    let everything = ResourceId::of_subscription(&app.subscription)
        .map_err(|error| Problem::NotFound { message: error.to_string() })?;
    let mut locations = BTreeSet::from(["local".to_owned()]);
    for kind in ["microsoft.resources/resourcegroups", virtual_machine::KIND] {
        for one in app.store.list(&everything, kind).await? {
            locations.extend(text(&one.document, "/location").map(str::to_owned));
        }
    }
    Ok(Answer::Found(listed(locations.iter().map(|location| shown(&app, location)))))
}

/// `GET …/networkWatchers/{watcher}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let name = call.id.name();
    let location = name
        .get(..PREFIX.len())
        .filter(|start| start.eq_ignore_ascii_case(PREFIX))
        .and_then(|start| name.get(start.len()..))
        .filter(|_| {
            call.id.group().is_some_and(|group| group.eq_ignore_ascii_case(GROUP))
        })
        .ok_or_else(|| Problem::ResourceNotFound { id: call.id.clone() })?;
    Ok(Answer::Found(shown(&app, &location.to_ascii_lowercase())))
}

fn shown(app: &App, location: &str) -> Value {
    json!({
        "id": format!(
            "/subscriptions/{}/resourceGroups/{GROUP}/providers/Microsoft.Network/\
             networkWatchers/{PREFIX}{location}",
            app.subscription
        ),
        "name": format!("{PREFIX}{location}"),
        "type": "Microsoft.Network/networkWatchers",
        "location": location,
        "properties": { "provisioningState": "Succeeded", "runningOperationIds": [] },
    })
}

/// `POST …/networkWatchers/{watcher}/topology`: who refers to whom in a group.
pub(crate) async fn topology(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let body = Value::Object(call.object()?.clone());
    let network = match reference(&body, "/targetVirtualNetwork/id")? {
        None => reference(&body, "/targetSubnet/id")?.and_then(|subnet| subnet.parent()),
        some => some,
    };
    let group = match (text(&body, "/targetResourceGroupName"), &network) {
        (Some(group), _) => group,
        (None, Some(network)) => network.group().unwrap_or_default(),
        (None, None) => {
            return Err(Problem::parameter(
                "targetResourceGroupName",
                "targetResourceGroupName or targetVirtualNetwork is needed.",
            ));
        }
    };
    let group = ResourceId::of_group(&app.subscription, group).map_err(|error| {
        Problem::parameter("targetResourceGroupName", error.to_string())
    })?;
    let group = app.group_of(&group).await?;
    // What each part of each document refers to.
    let mut associations: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut nodes: Vec<(ResourceId, Value)> = Vec::new();
    for one in app.store.list_all(&group.id).await? {
        let kind = one.id.resource_type().to_ascii_lowercase();
        if !kind.starts_with("microsoft.network/") && kind != virtual_machine::KIND {
            continue;
        }
        if kind.ends_with("/virtualnetworks")
            && network.as_ref().is_some_and(|wanted| *wanted != one.id)
        {
            continue;
        }
        for link in app.store.links_to(&one.id).await? {
            let to = link.target.rsplit('/').next().unwrap_or_default();
            associations.entry(key_of(&link.holder)).or_default().push(json!({
                "name": to,
                "resourceId": if link.target == key_of(&one.id) {
                    one.id.to_string()
                } else {
                    link.target.clone()
                },
                "associationType": "Associated",
            }));
        }
        nodes.push((one.id.clone(), one.document["location"].clone()));
        for subnet in items(&one.document, "/properties/subnets") {
            let Some(id) = reference(subnet, "/id")? else { continue };
            associations.entry(key_of(&one.id)).or_default().push(json!({
                "name": id.name(), "resourceId": id, "associationType": "Contains",
            }));
            nodes.push((id, one.document["location"].clone()));
        }
    }
    let resources: Vec<Value> = nodes
        .iter()
        .map(|(id, location)| {
            let own = associations.get(&key_of(id)).cloned().unwrap_or_default();
            json!({ "name": id.name(), "id": id, "location": location, "associations": own })
        })
        .collect();
    Ok(Answer::Found(json!({
        "id": uuid::Uuid::new_v4(),
        "createdDateTime": now(),
        "lastModified": now(),
        "resources": resources,
    })))
}
