//! Where a named resource is: names and ids to resource ids.

use std::fmt::Display;

use arm::ResourceId;
use serde_json::{Value, json};

use crate::api::{self, RESOURCES};
use crate::args::noun::{Named, Noun, Target};
use crate::failure::Failure;
use crate::session::Session;

/// A resource's id, with the session that reaches it.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Place {
    pub(in crate::commands) id: ResourceId,
    pub(in crate::commands) group: String,
}

impl Place {
    /// The request path.
    pub(in crate::commands) fn path<N: Noun>(&self) -> String {
        api::path(&self.id, N::VERSION)
    }
}

/// The id of a resource by its names.
pub(in crate::commands) fn place<N: Noun>(
    named: &Named<N>,
    session: &Session,
) -> Result<Place, Failure> {
    let Named { group, parent, name, .. } = named;
    let id = match (N::PARENT, parent) {
        (Some(parent), Some(above)) => session
            .resource(group, N::TYPE, above)?
            .with_child(parent.collection, name)
            .map_err(|_| {
                Failure::usage(format!("'{name}' cannot be the name of a {}", N::WHAT))
            })?,
        _ => session.resource(group, N::TYPE, name)?,
    };
    Ok(Place { id, group: group.clone() })
}

/// The resources that were named, by names or by ids.
pub(in crate::commands) fn ids<N: Noun>(
    target: &Target<N>,
    session: &Session,
) -> Result<Vec<Place>, Failure> {
    match target {
        Target::Named(named) => Ok(vec![place(named, session)?]),
        Target::Ids(ids) => ids.iter().map(|id| parsed::<N>(id)).collect(),
        Target::Missing(flag) => Err(Failure::new(format!(
            "InvalidArgumentValue: Missing required field: {flag}"
        ))),
    }
}

fn parsed<N: Noun>(text: &str) -> Result<Place, Failure> {
    let id =
        ResourceId::parse(text).map_err(|error| Failure::usage(error.to_string()))?;
    let kind = match N::PARENT {
        Some(parent) => format!("{}/{}", N::TYPE, parent.collection),
        None => N::TYPE.to_owned(),
    };
    match id.group().filter(|_| id.is_type(&kind)).map(str::to_owned) {
        Some(group) => Ok(Place { id, group }),
        None => Err(Failure::usage(format!("'{text}' is not the id of a {}", N::WHAT))),
    }
}

/// `{"id": …}` of a resource named beside another: an id, or a name in its group.
/// `kind` ends where the name goes, as in `Microsoft.Network/publicIPAddresses`
/// or `Microsoft.Network/virtualNetworks/v1/subnets`.
pub(in crate::commands) fn reference(
    session: &Session,
    group: &str,
    kind: impl Display,
    name: &str,
) -> Value {
    if name.starts_with('/') {
        return json!({ "id": name });
    }
    let subscription = &session.subscription;
    json!({
        "id": format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"),
    })
}

/// A list of references; `null` takes them away.
pub(in crate::commands) fn references(
    session: &Session,
    group: &str,
    kind: &str,
    names: Option<&[String]>,
) -> Option<Value> {
    let list = super::list(names?);
    let Value::Array(names) = list else { return Some(list) };
    let names = names.iter().filter_map(Value::as_str);
    Some(names.map(|name| reference(session, group, kind, name)).collect())
}

/// A reference, if a name was given; `null` and the empty text take it away.
pub(in crate::commands) fn attached(
    session: &Session,
    group: &str,
    kind: impl Display,
    name: Option<&String>,
) -> Option<Value> {
    let name = name?;
    let detach = name.is_empty() || name == "null";
    Some(if detach { Value::Null } else { reference(session, group, kind, name) })
}

/// The location that was named, or the group's.
pub(in crate::commands) async fn location(
    session: &Session,
    group: &str,
    named: Option<&String>,
) -> Result<Value, Failure> {
    if let Some(location) = named {
        // az takes display names too: "West US".
        return Ok(location.replace(' ', "").to_lowercase().into());
    }
    let path = api::path(&session.group(group)?, RESOURCES);
    Ok(session.client.get(&path).await?["location"].take())
}
