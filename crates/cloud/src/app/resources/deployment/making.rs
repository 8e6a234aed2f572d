//! What a deployment does: one PUT after the other, then what is not to stay, then
//! its outputs.

use std::sync::Arc;
use std::time::Duration;

use arm::{ArmError, ResourceId};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::resource;
use super::super::template::{Fault, Plan, problem};
use super::{Request, planned, shown, surroundings};
use crate::app::activity::Asking;
use crate::app::document::text;
use crate::app::door::Deed;
use crate::app::{Answer, App, Call, Caller, Problem};
use crate::store::{Resource, now};

/// Makes the resources, one after the other. Begun again after a crash it waits
/// for what an earlier run began and leaves alone what that made.
pub(in crate::app) async fn make(
    app: &Arc<App>,
    id: &ResourceId,
    request: &Request,
    again: bool,
) -> Result<Value, Problem> {
    let mut document = shown(id, request, "Running");
    let outcome = make_all(app, id, request, again, &mut document).await;
    let properties = &mut document["properties"];
    properties["provisioningState"] =
        json!(if outcome.is_ok() { "Succeeded" } else { "Failed" });
    properties["timestamp"] = json!(now());
    properties["duration"] = json!(since(&request.started));
    let outcome = outcome.map_err(|problem| {
        ArmError::new(
            "DeploymentFailed",
            "At least one resource deployment operation failed. Please see the details.",
        )
        .with_detail(problem.to_arm())
    });
    if let Err(error) = &outcome {
        properties["error"] = json!(error);
    }
    // Its group may be gone by now, and with it the record.
    if let Some(record) = app.store.get(id).await? {
        app.store.put(&Resource { document: document.clone(), ..record }).await?;
    }
    outcome.map(|()| document).map_err(Problem::Recorded)
}

async fn make_all(
    app: &Arc<App>,
    id: &ResourceId,
    request: &Request,
    again: bool,
    document: &mut Value,
) -> Result<(), Problem> {
    let caller: Caller = Arc::new(request.caller.clone());
    let around = surroundings(app, id).await?;
    let mut plan = planned(app, request, &around)?;
    let mut made = Vec::new();
    for at in 0..plan.resources.len() {
        let one = plan.resources[at].id.clone();
        if !(again && was_made(app, &one, request).await?) {
            let part = |plan: &Plan<'_>| plan.body(&plan.resources[at]);
            let body = evaluated(app, &caller, &mut plan, part).await?;
            let call = Call::inner(&caller, one.clone(), Some(body));
            finished(app, logged(app, Deed::Put, call).await?).await?;
        }
        plan.forget(&one);
        made.push(json!({ "id": one }));
        document["properties"]["outputResources"] = json!(made);
    }
    if request.complete {
        let stays: Vec<ResourceId> =
            plan.resources.iter().map(|one| one.id.clone()).collect();
        delete_others(app, &caller, id, &stays).await?;
    }
    document["properties"]["outputs"] =
        evaluated(app, &caller, &mut plan, Plan::outputs).await?;
    Ok(())
}

/// Evaluates a part of a template, fetching what it refers to.
async fn evaluated<'a>(
    app: &Arc<App>,
    caller: &Caller,
    plan: &mut Plan<'a>,
    part: impl Fn(&Plan<'a>) -> Result<Value, Fault>,
) -> Result<Value, Problem> {
    loop {
        let needed = match part(plan) {
            Ok(value) => return Ok(value),
            Err(Fault::Needs(needed)) => needed,
            Err(fault) => return Err(problem(fault)),
        };
        app.require(caller, &format!("{}/read", needed.resource_type()), &needed)?;
        let call = Call::inner(caller, needed.clone(), None);
        let state = match app.at_door(Deed::Get, call).await? {
            Answer::Found(state) => state,
            _ => return Err(Problem::ResourceNotFound { id: needed }),
        };
        plan.learn(&needed, state);
    }
}

/// Whether an earlier run of the same deployment has made a resource.
async fn was_made(
    app: &App,
    id: &ResourceId,
    request: &Request,
) -> Result<bool, Problem> {
    while !app.store.running_on(id).await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(app.store.get(id).await?.is_some_and(|there| {
        there.changed_at >= request.started
            && text(&there.document, "/properties/provisioningState") == Some("Succeeded")
    }))
}

/// Does one part of a deployment, which has its own entries in the activity log.
async fn logged(app: &Arc<App>, deed: Deed, call: Call) -> Result<Answer, Problem> {
    let verb = if deed == Deed::Delete { "delete" } else { "write" };
    let Some(asking) = Asking::part(&call.id, verb) else {
        return app.at_door(deed, call).await;
    };
    let outcome = asking.within(app.at_door(deed, call)).await;
    app.log_end(&asking, &outcome).await?;
    outcome
}

/// Waits for the end of what was answered.
async fn finished(app: &App, answer: Answer) -> Result<(), Problem> {
    if let Answer::Writing { ticket, .. } | Answer::Accepted(ticket) = answer {
        app.finished(&ticket.operation).await?;
    }
    Ok(())
}

/// Deletes what the group has beside `stays`. What refers to others goes first,
/// which is found by trying.
async fn delete_others(
    app: &Arc<App>,
    caller: &Caller,
    deployment: &ResourceId,
    stays: &[ResourceId],
) -> Result<(), Problem> {
    let group = app.group_of(deployment).await?;
    let mut left: Vec<ResourceId> = app
        .store
        .list_all(&group.id)
        .await?
        .into_iter()
        .filter(resource::is_tracked)
        .filter(|one| one.id.resource_type().matches('/').count() == 1)
        .map(|one| one.id)
        .filter(|id| !stays.contains(id))
        .collect();
    while !left.is_empty() {
        let (mut still, mut last) = (Vec::new(), None);
        for id in &left {
            if let Err(problem) = delete_one(app, caller, id).await {
                still.push(id.clone());
                last = Some(problem);
            }
        }
        if still.len() == left.len() {
            return last.map_or(Ok(()), Err);
        }
        left = still;
    }
    Ok(())
}

async fn delete_one(
    app: &Arc<App>,
    caller: &Caller,
    id: &ResourceId,
) -> Result<(), Problem> {
    app.require(caller, &format!("{}/delete", id.resource_type()), id)?;
    let call = Call::inner(caller, id.clone(), None);
    finished(app, logged(app, Deed::Delete, call).await?).await
}

/// The time since then, as ISO 8601 has it.
fn since(started: &str) -> String {
    let passed = started
        .parse::<Timestamp>()
        .map_or(SignedDuration::ZERO, |started| Timestamp::now().duration_since(started));
    format!("PT{:.3}S", passed.as_secs_f64().max(0.0))
}
