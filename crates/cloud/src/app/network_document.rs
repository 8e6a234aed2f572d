//! How a network document is written, and how packets follow it.
//!
//! A write is judged (see [`collection`](super::collection)) and promised under the
//! [network turn](App::network_turn); the work that follows only applies the topology
//! and marks the document as succeeded.

use std::sync::Arc;

use arm::ResourceId;
use serde_json::Value;

use super::child::part_of;
use super::document;
use super::journal::{Job, Progress};
use super::serial::Turn;
use super::work::Work;
use super::{App, Problem};
use crate::store::{Resource, key_of};

/// Promises a written document, which lets the network turn go, and waits a
/// moment. Gives how far it came and the document, or its child, meanwhile.
pub(super) async fn write(
    app: &Arc<App>,
    name: String,
    mut resource: Resource,
    child: Option<(String, String)>,
    turn: Turn,
) -> Result<(Progress, Value), Problem> {
    document::set_state(&mut resource.document, "Updating");
    let id = resource.id.clone();
    let work = Work::Settle { resource: id.clone(), child: child.clone() };
    let job = Job::new(name, &id, work).writing(resource).promised_in(turn);
    let progress = app.submit(job).await?;
    let mut body = Value::Null;
    if matches!(progress, Progress::Running(_))
        && let Some(written) = app.store.get(&id).await?
    {
        // Only now does it have its etag.
        body = part_of(app.dressed(&written).await?, child.as_ref()).unwrap_or_default();
    }
    Ok((progress, body))
}

/// Makes packets follow a written document; gives the document, or its child.
pub(super) async fn settle(
    app: &Arc<App>,
    id: &ResourceId,
    child: Option<&(String, String)>,
) -> Result<Value, Problem> {
    let applied = app.refresh_fabric().await;
    // Another writer may have been there meanwhile, or have deleted it.
    let turn = app.network_turn().await?;
    if let Some(mut resource) = app.store.get(id).await? {
        let state = if applied.is_ok() { "Succeeded" } else { "Failed" };
        document::set_state(&mut resource.document, state);
        app.store.put(&resource).await?;
    }
    drop(turn);
    applied?;
    let Some(resource) = app.store.get(id).await? else { return Ok(Value::Null) };
    let body = app.dressed(&resource).await?;
    match part_of(body, child) {
        Ok(part) => Ok(part),
        // The child was the thing deleted.
        Err(_gone) => Ok(Value::Null),
    }
}

/// Deletes a document and lets packets follow.
pub(super) async fn remove(app: &Arc<App>, id: &ResourceId) -> Result<Value, Problem> {
    app.store.remove(id).await?;
    app.refresh_fabric().await?;
    Ok(Value::Null)
}

/// Whether `id` names something in `other`'s group of names: same id, any case.
pub(super) fn same(id: &ResourceId, other: &ResourceId) -> bool {
    key_of(id) == key_of(other)
}
