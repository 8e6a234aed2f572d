//! Children that live in their parent's document: subnets, security rules, routes.
//! There is one copy of each, so parent and child are always in step.

use arm::ResourceId;
use serde_json::{Map, Value, json};

use super::Problem;
use super::document::{is_named, items};

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

/// The resource that a child is in.
pub(super) fn parent_of(id: &ResourceId) -> Result<ResourceId, Problem> {
    id.parent().ok_or_else(|| Problem::ResourceNotFound { id: id.clone() })
}
