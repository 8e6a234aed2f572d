//! Route tables: kept and shown, and read by the effective routes and the next hop.
//!
//! Packets do not follow them yet: the fabric has system routes only.

use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Map, Value};

use super::child::{child_of, drop_child, parent_of, place_child};
use super::document::{self, properties};
use super::{Answer, App, Call, Problem, network_document};

const KIND: &str = "microsoft.network/routetables";
const ROUTES: &str = "routes";

/// `GET …/routeTables`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::list(&app, &call.id, KIND).await
}

/// `GET …/routeTables/{table}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::get(&app, &call.id).await
}

/// `DELETE …/routeTables/{table}`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::delete(app, call, "routeTables/delete").await
}

/// `PUT …/routeTables/{table}`
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let before = app.before_put(&call).await?;
    let mut given = properties(call.object()?)?;
    let id = before.as_ref().map_or(&call.id, |table| &table.id).clone();
    let routes = match given.remove(ROUTES) {
        Some(Value::Array(routes)) => routes
            .iter()
            .map(|route| {
                let name = route["name"].as_str().unwrap_or_default();
                stored(&id, name, route["properties"].as_object())
            })
            .collect::<Result<_, _>>()?,
        _ => Vec::new(),
    };
    let mut table = document::framed(&call, before.as_ref(), given)?;
    table.document["properties"][ROUTES] = Value::Array(routes);
    let name = "routeTables/write";
    let (progress, body) = network_document::write(&app, name, table, None, turn).await?;
    Ok(progress.written(body, before.is_none()))
}

/// `GET …/routeTables/{table}/routes`
pub(crate) async fn list_routes(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::list_children(&app, &call.id, ROUTES).await
}

/// `GET …/routeTables/{table}/routes/{route}`
pub(crate) async fn get_route(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::get_child(&app, &call.id, ROUTES).await
}

/// `PUT …/routeTables/{table}/routes/{route}`
pub(crate) async fn put_route(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let mut table = app.existing(&parent_of(&call.id)?).await?;
    let given = properties(call.object()?)?;
    let route = stored(&table.id, call.id.name(), Some(&given))?;
    let created = place_child(&mut table.document, ROUTES, route);
    let child = Some((ROUTES.to_owned(), call.id.name().to_owned()));
    let name = "routeTables/routes/write";
    let (progress, body) =
        network_document::write(&app, name, table, child, turn).await?;
    Ok(progress.written(body, created))
}

/// `DELETE …/routeTables/{table}/routes/{route}`
pub(crate) async fn delete_route(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let mut table = app.existing(&parent_of(&call.id)?).await?;
    if !drop_child(&mut table.document, ROUTES, call.id.name()) {
        return Ok(Answer::Nothing);
    }
    let name = "routeTables/routes/delete";
    let (progress, _) = network_document::write(&app, name, table, None, turn).await?;
    Ok(progress.deleted())
}

fn stored(
    table: &ResourceId,
    name: &str,
    given: Option<&Map<String, Value>>,
) -> Result<Value, Problem> {
    Ok(child_of(table, ROUTES, name, given.cloned().unwrap_or_default()))
}
