//! `Microsoft.Resources/tags`: the tags of a subscription, a group or a resource as
//! a resource of their own, which `az tag` reads and writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Map, Value, json};

use super::tag;
use crate::app::door::Deed;
use crate::app::{Answer, App, Call, Page, Problem};
use crate::store::{Resource, key_of};

/// `GET {scope}/providers/Microsoft.Resources/tags/default`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let tags = present(&app, &call.id).await?;
    Ok(Answer::Found(shown(&call.id, &tags)))
}

/// `PUT {scope}/providers/Microsoft.Resources/tags/default`: these and no others
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let _turn = app.turn(&turn_of(&call.id)).await?;
    present(&app, &call.id).await?;
    let given = given(&call)?;
    write(&app, &call, &given).await?;
    Ok(Answer::Found(shown(&call.id, &given)))
}

/// `PATCH {scope}/providers/Microsoft.Resources/tags/default`
pub(crate) async fn patch(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let _turn = app.turn(&turn_of(&call.id)).await?;
    let mut tags = present(&app, &call.id).await?;
    let given = given(&call)?;
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let operation = call.object()?.get("operation").and_then(Value::as_str);
    match operation.unwrap_or("Merge").to_ascii_lowercase().as_str() {
        "replace" => tags = given,
        "merge" => {
            for (name, value) in given {
                tags.retain(|old, _| !same(old, &name));
                tags.insert(name, value);
            }
        }
        "delete" => {
            // A tag goes if both its name and its value are given.
            tags.retain(|old, value| {
                !given.iter().any(|(name, other)| same(old, name) && value == other)
            });
        }
        other => {
            return Err(Problem::parameter(
                "operation",
                format!("'{other}' is not valid: Replace, Merge and Delete are."),
            ));
        }
    }
    write(&app, &call, &tags).await?;
    Ok(Answer::Found(shown(&call.id, &tags)))
}

/// `DELETE {scope}/providers/Microsoft.Resources/tags/default`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let _turn = app.turn(&turn_of(&call.id)).await?;
    present(&app, &call.id).await?;
    write(&app, &call, &Map::new()).await?;
    Ok(Answer::Done)
}

/// `GET /subscriptions/{subscription}/tagNames`: every name in use, its values, and
/// how often
pub(crate) async fn names(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let mut all: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for resource in app.store.list_all(&call.id).await? {
        for (name, value) in resource.document["tags"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            *all.entry(name.clone()).or_default().entry(value).or_default() += 1;
        }
    }
    let count = |value: u64| json!({ "type": "Total", "value": value });
    let shown = all.into_iter().map(|(name, values)| {
        let id = format!("{}/tagNames/{name}", call.id);
        json!({
            "id": id,
            "tagName": name,
            "count": count(values.values().sum()),
            "values": values
                .into_iter()
                .map(|(value, times)| json!({
                    "id": format!("{id}/tagValues/{value}"),
                    "tagValue": value,
                    "count": count(times),
                }))
                .collect::<Vec<_>>(),
        })
    });
    Ok(Answer::Listed(Page::whole(shown)))
}

/// One writer of a resource's tags at a time; the resource's own door has its own
/// turn.
fn turn_of(scope: &ResourceId) -> String {
    format!("{}#tags", key_of(scope))
}

fn given(call: &Call) -> Result<Map<String, Value>, Problem> {
    let properties = crate::app::document::properties(call.object()?)?;
    let given = tag::of(&properties)?.unwrap_or_default();
    Ok(given.as_object().cloned().unwrap_or_default())
}

/// The tags that a scope has.
async fn present(app: &App, scope: &ResourceId) -> Result<Map<String, Value>, Problem> {
    let document = if scope.parent().is_none() {
        app.store.get(&own(scope)?).await?.map(|tags| tags.document)
    } else {
        Some(app.existing(scope).await?.document)
    };
    let tags = document.and_then(|document| document["tags"].as_object().cloned());
    Ok(tags.unwrap_or_default())
}

async fn write(
    app: &Arc<App>,
    call: &Call,
    tags: &Map<String, Value>,
) -> Result<(), Problem> {
    let scope = &call.id;
    tag::checked(tags)?;
    if scope.parent().is_none() {
        let record = Resource::new(own(scope)?, json!({ "tags": tags }));
        return Ok(app.store.put(&record).await?);
    }
    let body = Some(json!({ "tags": tags }));
    let call = Call::inner(&call.caller, scope.clone(), body);
    if let Answer::Writing { ticket, .. } | Answer::Accepted(ticket) =
        app.at_door(Deed::Patch, call).await?
    {
        app.finished(&ticket.operation).await?;
    }
    Ok(())
}

/// Where a subscription's own tags are kept.
fn own(scope: &ResourceId) -> Result<ResourceId, Problem> {
    scope
        .with_resource("Microsoft.Resources", "tags", "default")
        .map_err(|error| Problem::NotFound { message: error.to_string() })
}

fn shown(scope: &ResourceId, tags: &Map<String, Value>) -> Value {
    json!({
        "id": format!("{scope}/providers/Microsoft.Resources/tags/default"),
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": { "tags": tags },
    })
}
