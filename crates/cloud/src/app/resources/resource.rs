//! Resources of whatever type: the lists that span types.

use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Value, json};

use super::filter::Filter;
use crate::app::{Answer, App, Call, Page, Problem};
use crate::store::{Resource, key_of};

/// How many rows are looked at together, whatever of them the filter lets through.
const CHUNK: usize = 500;

const FIELDS: [&str; 6] =
    ["name", "resourcetype", "resourcegroup", "location", "tagname", "tagvalue"];

/// `GET /subscriptions/{subscription}/resources` and `GET …/resourceGroups/{g}/resources`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    if call.id.group().is_some() {
        app.group_of(&call.id).await?;
    }
    let filter = Filter::parse(call.parameter("$filter").unwrap_or_default(), &FIELDS)?;
    let expand: Vec<String> = call
        .parameter("$expand")
        .unwrap_or_default()
        .split(',')
        .map(|part| part.trim().to_ascii_lowercase())
        .filter(|part| !part.is_empty())
        .collect();
    if let Some(unknown) = expand.iter().find(|part| {
        !matches!(part.as_str(), "createdtime" | "changedtime" | "provisioningstate")
    }) {
        return Err(Problem::parameter(
            "$expand",
            format!(
                "'{unknown}' is not valid for $expand: createdTime, changedTime and \
                 provisioningState are."
            ),
        ));
    }
    let most = call.top(app.limits.page)?;
    let mut after = call.after.clone().unwrap_or_default();
    let mut items = Vec::new();
    loop {
        let chunk = app.store.page_of_all(&call.id, &after, CHUNK).await?;
        let last = chunk.len() < CHUNK;
        for one in chunk {
            let key = key_of(&one.id);
            if is_tracked(&one) && passes(&filter, &one) {
                if items.len() == most {
                    return Ok(Answer::Listed(Page { items, next: Some(after) }));
                }
                items.push(summary(&one, &expand));
            }
            after = key;
        }
        if last {
            return Ok(Answer::Listed(Page { items, next: None }));
        }
    }
}

/// Whether a resource is one of those that ARM lists: it is somewhere, and no part
/// of ARM itself.
pub(super) fn is_tracked(resource: &Resource) -> bool {
    resource.document.get("location").is_some()
        && !resource
            .id
            .resource_type()
            .to_ascii_lowercase()
            .starts_with("microsoft.resources/")
}

/// Whether a filter lets a group or a resource through.
pub(super) fn passes(filter: &Filter, resource: &Resource) -> bool {
    let document = &resource.document;
    let tags: Vec<(&str, &str)> = document["tags"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
        .collect();
    filter.lets_through(
        |field| match field {
            "name" => full_name(&resource.id),
            "resourcetype" => resource.id.resource_type(),
            "resourcegroup" => resource.id.group().unwrap_or_default().to_owned(),
            "location" => document["location"].as_str().unwrap_or_default().to_owned(),
            _ => String::new(),
        },
        &tags,
    )
}

/// A resource's name in a list; that of a child begins with that of its parent.
fn full_name(id: &ResourceId) -> String {
    let depth = id.resource_type().matches('/').count();
    let mut names: Vec<&str> = id.as_str().rsplit('/').step_by(2).take(depth).collect();
    names.reverse();
    if names.is_empty() { id.name().to_owned() } else { names.join("/") }
}

/// A resource as lists show it: its frame without its properties.
fn summary(resource: &Resource, expand: &[String]) -> Value {
    let document = &resource.document;
    let mut shown = json!({
        "id": document["id"],
        "name": full_name(&resource.id),
        "type": document["type"],
        "location": document["location"],
    });
    for field in ["tags", "sku", "zones", "identity", "kind", "managedBy", "plan"] {
        let value = document.get(field).filter(|value| {
            !value.is_null() && value.as_object().is_none_or(|all| !all.is_empty())
        });
        if let Some(value) = value {
            shown[field] = value.clone();
        }
    }
    let all = [
        ("createdTime", json!(resource.created_at)),
        ("changedTime", json!(resource.changed_at)),
        ("provisioningState", document["properties"]["provisioningState"].clone()),
    ];
    for (field, value) in all {
        if expand.contains(&field.to_ascii_lowercase()) {
            shown[field] = value;
        }
    }
    shown
}
