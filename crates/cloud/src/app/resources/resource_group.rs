//! Resource groups: where everything else lives, and with which it dies.

use std::sync::Arc;
use std::time::Duration;

use arm::ResourceId;
use serde_json::{Value, json};

use super::filter::Filter;
use super::{resource, tag};
use crate::app::compute::{machine_life, virtual_machine};
use crate::app::document::{self, check_precondition};
use crate::app::journal::Job;
use crate::app::network::usage;
use crate::app::work::Work;
use crate::app::{Answer, App, Call, Page, Problem};
use crate::store::{Resource, key_of};

/// The full type in lower case.
pub(in crate::app) const KIND: &str = "microsoft.resources/resourcegroups";

/// `GET /subscriptions/{subscription}/resourcegroups`, with a `$filter` by tag
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let filter = call.parameter("$filter").unwrap_or_default();
    let filter = Filter::parse(filter, &["name", "location", "tagname", "tagvalue"])?;
    let (found, next) = app.page(&call, KIND).await?;
    let items = found
        .into_iter()
        .filter(|group| resource::passes(&filter, group))
        .map(|group| group.document)
        .collect();
    Ok(Answer::Listed(Page { items, next }))
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
    let turn = app.turn(&key_of(&call.id)).await?;
    let before = app.store.get(&call.id).await?;
    check_precondition(&call, before.as_ref())?;
    let properties = json!({ "provisioningState": "Succeeded" });
    let properties = properties.as_object().cloned().unwrap_or_default();
    let mut group = document::framed(&call, before.as_ref(), properties)?;
    if let Some(manager) = call.object()?.get("managedBy").filter(|by| by.is_string()) {
        group.document["managedBy"] = manager.clone();
    }
    let created = before.is_none();
    if before.is_some_and(|group| is_going(&group)) {
        return Err(going(&call.id));
    }
    app.store.put(&group).await?;
    drop(turn);
    Ok(if created {
        Answer::Created(group.document)
    } else {
        Answer::Found(group.document)
    })
}

/// `PATCH …/resourcegroups/{group}`: its tags, replaced as a whole.
pub(crate) async fn patch(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let _turn = app.turn(&key_of(&call.id)).await?;
    let mut group = app.group_of(&call.id).await?;
    check_precondition(&call, Some(&group))?;
    if is_going(&group) {
        return Err(going(&call.id));
    }
    if let Some(tags) = tag::of(call.object()?)? {
        group.document["tags"] = tags;
    }
    app.store.put(&group).await?;
    Ok(Answer::Found(group.document))
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
const NETWORKS: [&str; 7] = [
    "microsoft.network/networkinterfaces",
    "microsoft.network/loadbalancers",
    "microsoft.network/publicipaddresses",
    "microsoft.network/virtualnetworks",
    "microsoft.network/networksecuritygroups",
    "microsoft.network/routetables",
    "microsoft.network/applicationsecuritygroups",
];

/// Deletes a group with all that is in it. If something cannot go, the group stays
/// with what is left.
pub(in crate::app) async fn delete_all(
    app: &Arc<App>,
    id: &ResourceId,
) -> Result<Value, Problem> {
    let emptied = empty(app, id).await;
    if emptied.is_ok() {
        app.forget_roles_below(id).await?;
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
    const ROUNDS: usize = 100;
    for kind in NETWORKS {
        for resource in app.store.list(group, kind).await? {
            usage::check_use_from_elsewhere(app, &resource.id, group).await?;
        }
    }
    // A writer who had been let in before the group was marked may still add
    // something after the first round.
    for _ in 0..ROUNDS {
        for vm in app.store.list(group, virtual_machine::KIND).await? {
            let turn = app.serial.take(&key_of(&vm.id), PATIENCE).await;
            machine_life::destroy(app, &vm.id).await?;
            drop(turn);
        }
        let turn = app.network_turn().await?;
        for left in app.store.list_all(group).await? {
            if !left.id.is_type("Microsoft.Compute/virtualMachines") {
                app.store.remove(&left.id).await?;
            }
        }
        drop(turn);
        if app.store.list_all(group).await?.is_empty() {
            break;
        }
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
