//! Resource groups: where everything else lives, and with which it dies.

use std::sync::Arc;
use std::time::Duration;

use arm::ResourceId;
use serde_json::{Value, json};

use super::document::{self, listed};
use super::journal::Job;
use super::work::Work;
use super::{Answer, App, Call, Problem, machine_life, usage, virtual_machine};
use crate::store::{Resource, key_of};

const KIND: &str = "microsoft.resources/resourcegroups";

/// `GET /subscriptions/{subscription}/resourcegroups`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let groups = app.store.list(&call.id, KIND).await?;
    Ok(Answer::Found(listed(groups.into_iter().map(|group| group.document))))
}

/// `GET …/resourcegroups/{group}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    Ok(Answer::Found(app.group_of(&call.id).await?.document))
}

/// `HEAD …/resourcegroups/{group}`
pub(crate) async fn head(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    app.group_of(&call.id).await?;
    Ok(Answer::Nothing)
}

/// `PUT …/resourcegroups/{group}`: one write, so there is nothing to journal.
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let before = app.store.get(&call.id).await?;
    let properties = json!({ "provisioningState": "Succeeded" });
    let properties = properties.as_object().cloned().unwrap_or_default();
    let group = document::framed(&call, before.as_ref(), properties)?;
    if before.is_some_and(|group| is_going(&group)) {
        return Err(going(&call.id));
    }
    let created = group.etag.is_empty();
    app.store.put(&group).await?;
    Ok(if created {
        Answer::Created(group.document)
    } else {
        Answer::Found(group.document)
    })
}

/// `DELETE …/resourcegroups/{group}`: with everything in it.
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let mut group = app.group_of(&call.id).await?;
    let turn = app.turn(&key_of(&group.id)).await?;
    document::set_state(&mut group.document, "Deleting");
    let work = Work::DeleteGroup { group: group.id.clone() };
    let job =
        Job::new("resourceGroups/delete", &call.id, work).writing(group).holding(turn);
    Ok(app.submit(job).await?.deleted())
}

/// What is in a group beside machines, in the order in which it can go.
const NETWORKS: [&str; 5] = [
    "microsoft.network/networkinterfaces",
    "microsoft.network/publicipaddresses",
    "microsoft.network/virtualnetworks",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/routetables",
];

/// Deletes a group with all that is in it. If something cannot go, the group stays
/// with what is left.
pub(super) async fn delete_all(
    app: &Arc<App>,
    id: &ResourceId,
) -> Result<Value, Problem> {
    let emptied = empty(app, id).await;
    if emptied.is_ok() {
        app.store.remove(id).await?;
    } else if let Some(mut group) = app.store.get(id).await? {
        document::set_state(&mut group.document, "Succeeded");
        app.store.put(&group).await?;
    }
    emptied.map(|()| Value::Null)
}

/// Machines go first. Each is waited for: what is being done to it ends before.
async fn empty(app: &Arc<App>, group: &ResourceId) -> Result<(), Problem> {
    const PATIENCE: Duration = Duration::from_secs(300);
    for kind in NETWORKS {
        for resource in app.store.list(group, kind).await? {
            usage::check_use_from_elsewhere(app, &resource.id, group).await?;
        }
    }
    for vm in app.store.list(group, virtual_machine::KIND).await? {
        let turn = app.serial.take(&key_of(&vm.id), PATIENCE).await;
        machine_life::destroy(app, &vm.id).await?;
        drop(turn);
    }
    let _turn = app.network_turn().await?;
    for kind in NETWORKS {
        for resource in app.store.list(group, kind).await? {
            app.store.remove(&resource.id).await?;
        }
    }
    for left in app.store.list_all(group).await? {
        app.store.remove(&left.id).await?;
    }
    app.refresh_fabric().await
}

fn is_going(group: &Resource) -> bool {
    document::text(&group.document, "/properties/provisioningState") == Some("Deleting")
}

fn going(id: &ResourceId) -> Problem {
    Problem::Conflict {
        code: "ResourceGroupBeingDeleted",
        message: format!(
            "The resource group '{}' is in deprovisioning state and cannot perform this \
             operation. Wait until it is gone.",
            id.name()
        ),
    }
}
