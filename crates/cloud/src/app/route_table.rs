//! Route tables: kept and shown, and read by the effective routes and the next hop.
//!
//! Packets do not follow them yet: the fabric has system routes only.

use arm::ResourceId;
use serde_json::{Map, Value};

use super::Problem;
use super::child::child_of;
use super::document::{drop_property, items, text};
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
        .collect::<Result<_, _>>()?;
    drop_property(&mut draft.document, "subnets");
    draft.document["properties"][ROUTES] = Value::Array(routes);
    Ok(())
}

fn stored(
    table: &ResourceId,
    name: &str,
    given: Option<&Map<String, Value>>,
) -> Result<Value, Problem> {
    Ok(child_of(table, ROUTES, name, given.cloned().unwrap_or_default()))
}
