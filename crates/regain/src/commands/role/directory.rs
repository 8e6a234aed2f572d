//! The directory: names of principals, from Microsoft Graph.

use std::collections::BTreeMap;

use arm::{Client, Method};
use serde_json::{Value, json};

use crate::api;
use crate::failure::Failure;
use crate::session::Session;

/// A principal.
#[derive(Debug)]
pub(in crate::commands) struct Principal {
    pub(in crate::commands) id: String,
    /// As ARM calls it; none if the directory would not say.
    pub(in crate::commands) kind: Option<String>,
}

/// Finds a principal by a sign-in name, an application or an object id. If the
/// directory cannot be asked, a GUID is taken for an object id.
pub(super) async fn resolve(
    session: &Session,
    assignee: &str,
) -> Result<Principal, Failure> {
    let is_guid = uuid::Uuid::parse_str(assignee).is_ok();
    match find(session, assignee).await {
        Ok(Some(principal)) => Ok(principal),
        Ok(None) => Err(Failure::new(format!(
            "Cannot find user or service principal in graph database for '{assignee}'. If the \
             assignee is an appId, make sure the corresponding service principal is created \
             with 'az ad sp create --id {assignee}'."
        ))),
        Err(_) if is_guid => Ok(Principal { id: assignee.to_owned(), kind: None }),
        Err(failure) => Err(failure),
    }
}

async fn find(session: &Session, assignee: &str) -> Result<Option<Principal>, Failure> {
    let graph = graph(session)?;
    if assignee.contains('@') {
        let filter = format!("userPrincipalName eq '{assignee}'");
        if let Some(user) = first(&graph, "users", &filter).await? {
            return Ok(principal(&user, Some("User")));
        }
    }
    let filter = format!("servicePrincipalNames/any(c:c eq '{assignee}')");
    if let Some(application) = first(&graph, "servicePrincipals", &filter).await? {
        return Ok(principal(&application, Some("ServicePrincipal")));
    }
    if uuid::Uuid::parse_str(assignee).is_err() {
        return Ok(None);
    }
    let found = by_ids(&graph, &[assignee]).await?;
    Ok(found.first().and_then(|object| principal(object, kind(object))))
}

/// The kind of a principal by its object id, if the directory says it.
pub(super) async fn kind_of(session: &Session, id: &str) -> Option<&'static str> {
    let found = by_ids(&graph(session).ok()?, &[id]).await.ok()?;
    found.first().and_then(kind)
}

/// What principals are called, by object id.
pub(super) async fn names(
    session: &Session,
    ids: &[&str],
) -> Result<BTreeMap<String, String>, Failure> {
    let mut names = BTreeMap::new();
    for object in by_ids(&graph(session)?, ids).await? {
        let name = object["userPrincipalName"]
            .as_str()
            .or_else(|| object["servicePrincipalNames"][0].as_str())
            .or_else(|| object["displayName"].as_str());
        if let (Some(id), Some(name)) = (object["id"].as_str(), name) {
            names.insert(id.to_owned(), name.to_owned());
        }
    }
    Ok(names)
}

async fn by_ids(graph: &Client, ids: &[&str]) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    // Graph takes a thousand at once.
    for ids in ids.chunks(1000) {
        let body = json!({
            "ids": ids,
            "types": ["user", "group", "servicePrincipal", "directoryObjectPartnerReference"],
        });
        let path = path(graph, "directoryObjects/getByIds");
        let (_, mut answer) = graph.request(&Method::POST, &path, Some(&body)).await?;
        if let Value::Array(objects) = answer["value"].take() {
            found.extend(objects);
        }
    }
    Ok(found)
}

pub(in crate::commands) async fn first(
    graph: &Client,
    what: &str,
    filter: &str,
) -> Result<Option<Value>, Failure> {
    let path = path(graph, &format!("{what}?$filter={}", api::encoded(filter)));
    Ok(graph.get(&path).await?["value"].get_mut(0).map(Value::take))
}

pub(in crate::commands) fn graph(session: &Session) -> Result<Client, Failure> {
    session.client.graph().ok_or_else(|| {
        Failure::new("this cloud has no directory that could be asked for names")
            .next("give --assignee-object-id and --assignee-principal-type")
    })
}

/// A path below the directory's own address, which may have one itself.
pub(in crate::commands) fn path(graph: &Client, what: &str) -> String {
    let address = graph.endpoints().audience.trim_end_matches('/');
    format!("{address}/v1.0/{what}")
}

fn principal(object: &Value, kind: Option<&'static str>) -> Option<Principal> {
    Some(Principal {
        id: object["id"].as_str()?.to_owned(),
        kind: kind.map(str::to_owned),
    })
}

fn kind(object: &Value) -> Option<&'static str> {
    match object["@odata.type"].as_str()? {
        "#microsoft.graph.user" => Some("User"),
        "#microsoft.graph.servicePrincipal" => Some("ServicePrincipal"),
        "#microsoft.graph.group" => Some("Group"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directorys_kinds_are_arms() {
        let object = |kind: &str| json!({"@odata.type": kind});
        assert_eq!(
            kind(&object("#microsoft.graph.servicePrincipal")),
            Some("ServicePrincipal")
        );
        assert_eq!(kind(&object("#microsoft.graph.device")), None);
    }
}
