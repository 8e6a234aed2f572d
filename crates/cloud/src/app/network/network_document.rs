//! How a network document is written, and how packets follow it.
//!
//! A write is judged (see [`collection`](super::collection)) and promised under the
//! [network turn](App::network_turn); the work that follows only applies the topology
//! and marks the document as succeeded.

use std::collections::BTreeSet;
use std::sync::Arc;

use arm::ResourceId;
use serde_json::Value;

use super::topology::reach;
use crate::app::child::part_of;
use crate::app::document;
use crate::app::journal::{Job, Progress};
use crate::app::serial::Turn;
use crate::app::work::Work;
use crate::app::{App, Problem};
use crate::store::{Resource, key_of};

/// What a request writes.
pub(super) struct Written {
    /// The document.
    pub(super) document: Resource,
    /// Others that change with it.
    pub(super) companions: Vec<Resource>,
    /// The collection and the name of the child that the request is about, if it is
    /// about one.
    pub(super) child: Option<(String, String)>,
}

/// Promises a written document, which lets the network turn go, and waits a
/// moment. Gives how far it came and the document, or its child, meanwhile.
pub(super) async fn write(
    app: &Arc<App>,
    name: String,
    before: Option<&Resource>,
    written: Written,
    turn: Turn,
) -> Result<(Progress, Value), Problem> {
    let Written { mut document, companions, child } = written;
    document::set_state(&mut document.document, "Updating");
    let id = document.id.clone();
    // What it had a say in may be out of its reach afterwards.
    let mut networks = reach(app, &document).await?;
    if let Some(before) = before {
        networks.extend(reach(app, before).await?);
    }
    let networks = Some(networks);
    let work = Work::Settle { resource: id.clone(), child: child.clone(), networks };
    let mut job = Job::new(name, &id, work).writing(document).promised_in(turn);
    for companion in companions {
        job = job.writing(companion);
    }
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
pub(in crate::app) async fn settle(
    app: &Arc<App>,
    id: &ResourceId,
    child: Option<&(String, String)>,
    networks: Option<BTreeSet<String>>,
) -> Result<Value, Problem> {
    let applied = refresh(app, networks).await;
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

/// Deletes a document, with the roles given at it, and lets packets follow.
pub(in crate::app) async fn remove(
    app: &Arc<App>,
    id: &ResourceId,
    networks: Option<BTreeSet<String>>,
) -> Result<Value, Problem> {
    app.store.remove(id).await?;
    app.forget_roles_below(id).await?;
    refresh(app, networks).await?;
    Ok(Value::Null)
}

/// Refreshes the virtual networks that a document had a say in; all of them, if an
/// older server's promise does not name them.
async fn refresh(
    app: &Arc<App>,
    networks: Option<BTreeSet<String>>,
) -> Result<(), Problem> {
    match networks {
        Some(networks) => app.refresh_networks(networks).await,
        None => app.refresh_fabric().await,
    }
}

/// Whether `id` names something in `other`'s group of names: same id, any case.
pub(in crate::app) fn same(id: &ResourceId, other: &ResourceId) -> bool {
    key_of(id) == key_of(other)
}
