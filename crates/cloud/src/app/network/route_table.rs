//! Route tables: what the packets of a subnet's machines follow, and what the effective
//! routes and the next hop explain.

use arm::ResourceId;
use network::route::{NextHop, Route, RouteError};
use serde_json::{Map, Value, json};

use crate::app::child::child_of;
use crate::app::document::is_named;
use crate::app::document::{check_name, drop_property, items, text};
use crate::app::{App, Problem};
use crate::store::Resource;

/// The full type in lower case.
pub(super) const KIND: &str = "microsoft.network/routetables";
const ROUTES: &str = "routes";

/// A table of routes that the engine understands.
pub(super) fn judge(draft: &mut Resource) -> Result<(), Problem> {
    let id = draft.id.clone();
    let routes = items(&draft.document, &format!("/properties/{ROUTES}"))
        .map(|route| {
            let name = text(route, "/name").unwrap_or_default();
            stored(&id, name, route["properties"].as_object())
        })
        .collect::<Result<Vec<_>, _>>()?;
    check_apart(&id, &routes)?;
    if !draft.document["properties"]["disableBgpRoutePropagation"].is_boolean() {
        draft.document["properties"]["disableBgpRoutePropagation"] = json!(false);
    }
    drop_property(&mut draft.document, "subnets");
    draft.document["properties"][ROUTES] = Value::Array(routes);
    Ok(())
}

/// The subnets that use the table.
pub(super) async fn dress(
    app: &App,
    id: &ResourceId,
    document: &mut Value,
) -> Result<(), Problem> {
    let users = app.store.links_to(id).await?;
    let users: Vec<Value> =
        users.iter().map(|user| json!({ "id": user.holder })).collect();
    if !users.is_empty() {
        document["properties"]["subnets"] = Value::Array(users);
    }
    Ok(())
}

/// A route as it is stored: judged by the engine that will follow it.
fn stored(
    table: &ResourceId,
    name: &str,
    given: Option<&Map<String, Value>>,
) -> Result<Value, Problem> {
    check_name(name)?;
    let mut given = given.cloned().unwrap_or_default();
    given.retain(|_, value| !value.is_null());
    let properties = Value::Object(given.clone());
    let route = Route::from_arm(table.as_str(), name, &properties).map_err(|error| {
        let (code, target) = match &error {
            RouteError::Prefix { .. } => ("InvalidAddressPrefixFormat", "addressPrefix"),
            RouteError::NextHopType { .. } => ("InvalidNextHopType", "nextHopType"),
            RouteError::NextHopAddress { .. } => {
                ("InvalidNextHopIpAddress", "nextHopIpAddress")
            }
        };
        Problem::Invalid { code, message: error.to_string(), target: Some(target) }
    })?;
    let is_appliance = matches!(route.next_hop, NextHop::VirtualAppliance(_));
    if !is_appliance && given.contains_key("nextHopIpAddress") {
        return Err(Problem::Invalid {
            code: "NextHopIpAddressNotAllowed",
            message: format!(
                "Route {name} of {table} has a nextHopIpAddress; only the next hop type \
                 VirtualAppliance takes one."
            ),
            target: Some("nextHopIpAddress"),
        });
    }
    given.insert("nextHopType".to_owned(), json!(route.next_hop.kind()));
    given.insert("hasBgpOverride".to_owned(), json!(false));
    Ok(child_of(table, ROUTES, name, given))
}

/// No two routes have one name, or speak of one prefix.
fn check_apart(table: &ResourceId, routes: &[Value]) -> Result<(), Problem> {
    for (at, route) in routes.iter().enumerate() {
        let rest = &routes[at + 1..];
        let name = text(route, "/name").unwrap_or_default();
        if rest.iter().any(|other| is_named(other, name)) {
            return Err(Problem::Invalid {
                code: "InvalidRequestFormat",
                message: format!(
                    "Cannot parse the request: two routes of {table} have the name {name}."
                ),
                target: None,
            });
        }
        let prefix =
            |route: &Value| text(route, "/properties/addressPrefix").map(str::to_owned);
        if let Some(other) = rest.iter().find(|other| prefix(other) == prefix(route)) {
            return Err(Problem::Invalid {
                code: "RouteConflict",
                message: format!(
                    "Route {name} conflicts with route {}: both are for {}.",
                    text(other, "/name").unwrap_or_default(),
                    prefix(route).unwrap_or_default()
                ),
                target: None,
            });
        }
    }
    Ok(())
}
