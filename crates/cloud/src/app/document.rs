//! The frame that all resources share, and how their JSON is read.

use arm::ResourceId;
use serde_json::{Map, Value, json};

use super::resources::tag;
use super::{App, Call, Problem};
use crate::store::Resource;

/// A resource's frame around `properties`, from a PUT's body and what was there.
///
/// # Errors
/// The name cannot be one, the location is missing, or it would change.
pub(crate) fn framed(
    call: &Call,
    before: Option<&Resource>,
    properties: Map<String, Value>,
) -> Result<Resource, Problem> {
    let body = call.object()?;
    let id = before.map_or(&call.id, |resource| &resource.id);
    check_name(id.name())?;
    let old = |field: &str| before.and_then(|resource| resource.document.get(field));
    let asked = body.get("location").and_then(Value::as_str).map(normal_location);
    let location = match (asked, old("location").and_then(Value::as_str)) {
        (Some(asked), Some(old)) if asked != old => {
            return Err(Problem::Conflict {
                code: "InvalidResourceLocation",
                message: format!(
                    "The resource '{}' already exists in location '{old}'. A resource with the \
                     same name cannot be created in location '{asked}'.",
                    id.name()
                ),
            });
        }
        (Some(asked), _) => asked,
        (None, Some(old)) => old.to_owned(),
        (None, None) => {
            return Err(Problem::Invalid {
                code: "LocationRequired",
                message: "The location property is required for this definition."
                    .to_owned(),
                target: Some("location"),
            });
        }
    };
    let mut document = json!({
        "name": id.name(),
        "id": id,
        "type": id.resource_type(),
        "location": location,
        "tags": tag::of(body)?.unwrap_or(json!({})),
    });
    for field in ["sku", "zones", "identity", "plan"] {
        if let Some(value) =
            body.get(field).filter(|value| !value.is_null()).or(old(field))
        {
            document[field] = value.clone();
        }
    }
    document["properties"] = Value::Object(properties);
    Ok(match before {
        Some(resource) => Resource { document, ..resource.clone() },
        None => Resource::new(call.id.clone(), document),
    })
}

/// A resource as it is shown: with its etag.
pub(crate) fn shown(resource: &Resource) -> Value {
    let mut document = resource.document.clone();
    if !resource.etag.is_empty() && resource.id.group().is_some() {
        document["etag"] = json!(etag_of(resource));
    }
    document
}

/// A list as ARM shows it.
pub(crate) fn listed(values: impl IntoIterator<Item = Value>) -> Value {
    let values: Vec<Value> = values.into_iter().collect();
    json!({ "value": values })
}

/// A body's `properties`, empty if there are none.
pub(crate) fn properties(
    body: &Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    match body.get("properties") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(properties)) => Ok(properties.clone()),
        Some(_) => {
            Err(Problem::InvalidContent { why: "'properties' is not an object".into() })
        }
    }
}

/// The text at a JSON pointer.
pub(crate) fn text<'a>(document: &'a Value, pointer: &str) -> Option<&'a str> {
    document.pointer(pointer).and_then(Value::as_str)
}

/// The elements at a JSON pointer; none if there is no array.
pub(crate) fn items<'a>(
    document: &'a Value,
    pointer: &str,
) -> impl Iterator<Item = &'a Value> + use<'a> {
    document.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn is_named(child: &Value, name: &str) -> bool {
    child["name"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(name))
}

/// The resource id at a JSON pointer, if there is a reference.
///
/// # Errors
/// The text there is no id.
pub(crate) fn reference(
    document: &Value,
    pointer: &str,
) -> Result<Option<ResourceId>, Problem> {
    let Some(text) = text(document, pointer) else { return Ok(None) };
    ResourceId::parse(text).map(Some).map_err(|error| Problem::Invalid {
        code: "LinkedInvalidPropertyId",
        message: format!("Property id '{text}' is invalid: {error}."),
        target: None,
    })
}

/// Takes a property out of a document.
pub(crate) fn drop_property(document: &mut Value, name: &str) {
    if let Some(properties) =
        document.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.remove(name);
    }
}

/// Writes `properties.provisioningState`.
pub(crate) fn set_state(document: &mut Value, state: &str) {
    if let Some(properties) =
        document.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.insert("provisioningState".to_owned(), json!(state));
    }
}

/// `West US` and `westus` are one place.
fn normal_location(location: &str) -> String {
    location.to_ascii_lowercase().split_whitespace().collect()
}

/// Refuses names that no Azure resource can have.
pub(crate) fn check_name(name: &str) -> Result<(), Problem> {
    let allowed = |c: char| c.is_alphanumeric() || "-_.()".contains(c);
    let fits = (1..=90).contains(&name.chars().count()) && name.chars().all(allowed);
    if fits && !name.ends_with('.') {
        return Ok(());
    }
    Err(Problem::Invalid {
        code: "InvalidResourceName",
        message: format!(
            "The name '{name}' is not valid: 1 to 90 letters, digits, '-', '_', '.' and \
             parentheses, and no full stop at the end."
        ),
        target: None,
    })
}

impl App {
    /// The resource of this id, which must be there.
    pub(crate) async fn existing(&self, id: &ResourceId) -> Result<Resource, Problem> {
        if let Some(resource) = self.store.get(id).await? {
            return Ok(resource);
        }
        self.group_of(id).await?;
        Err(Problem::ResourceNotFound { id: id.clone() })
    }

    /// The group that `id` is in, which must be there.
    pub(crate) async fn group_of(&self, id: &ResourceId) -> Result<Resource, Problem> {
        let name = id.group().unwrap_or_default();
        let missing = || Problem::GroupNotFound { group: name.to_owned() };
        let group =
            ResourceId::of_group(id.subscription(), name).map_err(|_| missing())?;
        self.store.get(&group).await?.ok_or_else(missing)
    }

    /// What a PUT replaces, if anything; its group must be there to stay, and the
    /// request's preconditions must hold.
    pub(crate) async fn before_put(
        &self,
        call: &Call,
    ) -> Result<Option<Resource>, Problem> {
        let group = self.group_of(&call.id).await?;
        if text(&group.document, "/properties/provisioningState") == Some("Deleting") {
            return Err(Problem::Conflict {
                code: "ResourceGroupBeingDeleted",
                message: format!(
                    "The resource group '{}' is in deprovisioning state and cannot perform this \
                     operation.",
                    group.id.name()
                ),
            });
        }
        let before = self.store.get(&call.id).await?;
        check_precondition(call, before.as_ref())?;
        Ok(before)
    }

    /// The document in which a PUT or DELETE of a child writes; it must be there, and
    /// the request's preconditions must hold.
    pub(crate) async fn before_child(
        &self,
        call: &Call,
        collection: &str,
    ) -> Result<Resource, Problem> {
        let parent = call
            .id
            .parent()
            .ok_or_else(|| Problem::NoSuchRoute { path: call.id.to_string() })?;
        self.group_of(&parent).await?;
        let before = self.store.get(&parent).await?.ok_or_else(|| Problem::NoParent {
            kind: call.id.resource_type(),
            parent: parent.clone(),
        })?;
        let there = items(&before.document, &format!("/properties/{collection}"))
            .any(|one| is_named(one, call.id.name()));
        check_precondition(call, there.then_some(&before))?;
        Ok(before)
    }

    /// A resource that a draft refers to: it must be there, in the draft's region.
    pub(crate) async fn referenced_near(
        &self,
        to: &ResourceId,
        draft: &Resource,
    ) -> Result<Resource, Problem> {
        let found = self.referenced(to, &draft.id).await?;
        if found.document["location"] == draft.document["location"] {
            return Ok(found);
        }
        Err(Problem::InvalidReference { to: to.to_string(), from: draft.id.clone() })
    }

    /// A referenced resource, which must be there.
    pub(crate) async fn referenced(
        &self,
        to: &ResourceId,
        from: &ResourceId,
    ) -> Result<Resource, Problem> {
        self.store.get(to).await?.ok_or_else(|| Problem::InvalidReference {
            to: to.to_string(),
            from: from.clone(),
        })
    }
}

/// The etag of a stored resource, as its body and its header have it.
pub(crate) fn etag_of(resource: &Resource) -> String {
    format!("W/\"{}\"", resource.etag)
}

/// `If-Match` and `If-None-Match` against what is there. A child has the etag of
/// its parent; `before` is then the parent, if the child is there.
pub(crate) fn check_precondition(
    call: &Call,
    before: Option<&Resource>,
) -> Result<(), Problem> {
    let holds = match (&call.if_match, before) {
        _ if call.if_none_match && before.is_some() => false,
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wanted), Some(resource)) => wanted.split(',').map(str::trim).any(|one| {
            let one = one.strip_prefix("W/").unwrap_or(one);
            one == "*" || one.trim_matches('"') == resource.etag
        }),
    };
    if holds {
        return Ok(());
    }
    Err(Problem::PreconditionFailed)
}
