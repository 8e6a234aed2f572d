//! Deployments of templates: what `az vm create` sends. Each of a
//! [template](super::template)'s resources becomes a PUT of its own, in order,
//! through the same doors as any other client's.

use std::sync::Arc;
use std::time::Duration;

use arm::{ArmError, ResourceId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::document::text;
use super::journal::Job;
use super::template::{id_of, resources_of};
use super::work::Work;
use super::{
    Answer, App, Call, Caller, Page, Problem, collection, extension, virtual_machine,
};
use crate::store::{Resource, key_of, now};

/// `GET …/deployments`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let (found, next) = app.page(&call, "microsoft.resources/deployments").await?;
    let items = found.into_iter().map(|one| one.document).collect();
    Ok(Answer::Listed(Page { items, next }))
}

/// `GET …/deployments/{deployment}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let deployment = app.store.get(&call.id).await?.ok_or_else(|| Problem::NotFound {
        message: format!("Deployment '{}' could not be found.", call.id.name()),
    })?;
    Ok(Answer::Found(deployment.document))
}

/// `POST …/deployments/{deployment}/validate`
pub(crate) async fn validate(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    app.group_of(&call.id).await?;
    let resources = resources_of(&call)?;
    check_access(&app, &call, &resources)?;
    Ok(Answer::Found(shown(&call.id, "Succeeded", &resources)))
}

/// `PUT …/deployments/{deployment}`
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    app.before_put(&call).await?;
    let resources = resources_of(&call)?;
    check_access(&app, &call, &resources)?;
    let turn = app.turn(&key_of(&call.id)).await?;
    let body = shown(&call.id, "Running", &resources);
    let document = Resource::new(call.id.clone(), body.clone());
    let caller = (*call.caller).clone();
    let work = Work::Deploy { deployment: call.id.clone(), resources, caller };
    // `az` cannot read the answer to a PUT that fails at once.
    let job = Job::new("deployments/write", &call.id, work)
        .writing(document)
        .holding(turn)
        .failing_later();
    Ok(app.submit(job).await?.written(body, true))
}

/// Who deploys a template must be allowed to write everything in it.
fn check_access(app: &App, call: &Call, resources: &[Value]) -> Result<(), Problem> {
    let mut refused = Vec::new();
    for resource in resources {
        let id = id_of(&call.id, resource)?;
        let action = format!("{}/write", id.resource_type());
        if let Err(problem) = app.require(&call.caller, &action, &id) {
            refused.push((id, problem));
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = refused
        .iter()
        .map(|(id, problem)| {
            format!(
                "Authorization failed for template resource '{}' of type '{}'. {problem}",
                id.name(),
                id.resource_type()
            )
        })
        .collect();
    Err(Problem::DeploymentRefused {
        why: told.join(":"),
        details: refused.iter().map(|(_, problem)| problem.to_arm()).collect(),
    })
}

/// `DELETE …/deployments/{deployment}`: the record, not what it made.
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    app.store.remove(&call.id).await?;
    Ok(Answer::Nothing)
}

/// Makes the resources, one after the other. Begun again after a crash it waits
/// for what an earlier run began and leaves alone what is there.
pub(super) async fn make(
    app: &Arc<App>,
    id: &ResourceId,
    resources: Vec<Value>,
    caller: &Caller,
    again: bool,
) -> Result<Value, Problem> {
    let mut outcome = Ok(());
    for resource in &resources {
        outcome = make_one(app, id, resource, caller, again).await;
        if outcome.is_err() {
            break;
        }
    }
    let state = if outcome.is_ok() { "Succeeded" } else { "Failed" };
    let document = shown(id, state, &resources);
    app.store.put(&Resource::new(id.clone(), document.clone())).await?;
    outcome.map(|()| document).map_err(|problem| {
        Problem::Recorded(
            ArmError::new(
                "DeploymentFailed",
                "At least one resource deployment operation failed. Please see the details.",
            )
            .with_detail(problem.to_arm()),
        )
    })
}

async fn make_one(
    app: &Arc<App>,
    deployment: &ResourceId,
    resource: &Value,
    caller: &Caller,
    again: bool,
) -> Result<(), Problem> {
    let id = id_of(deployment, resource)?;
    if again && let Some(there) = app.store.get(&id).await? {
        app.finished_with(&id).await?;
        let there = app.store.get(&id).await?.unwrap_or(there);
        if text(&there.document, "/properties/provisioningState") == Some("Succeeded") {
            return Ok(());
        }
    }
    let call = Call {
        caller: Arc::clone(caller),
        id: id.clone(),
        query: Default::default(),
        body: Some(resource.clone()),
        if_match: None,
        if_none_match: false,
        after: None,
    };
    let app = Arc::clone(app);
    let answer = match id.resource_type().to_ascii_lowercase().as_str() {
        kind if collection::is_noun(kind) => collection::put(app.clone(), call).await,
        "microsoft.compute/virtualmachines" => {
            virtual_machine::put(app.clone(), call).await
        }
        extension::KIND => extension::put(app.clone(), call).await,
        other => Err(Problem::Invalid {
            code: "InvalidTemplate",
            message: format!("This cloud has no resources of type '{other}'."),
            target: None,
        }),
    }?;
    if let Answer::Writing { ticket, .. } | Answer::Accepted(ticket) = answer {
        app.finished(&ticket.operation).await?;
    }
    Ok(())
}

/// A deployment as it is shown and stored: without its template, which may hold
/// secrets.
fn shown(id: &ResourceId, state: &str, resources: &[Value]) -> Value {
    let made: Vec<Value> = resources
        .iter()
        .filter_map(|resource| id_of(id, resource).ok())
        .map(|id| json!({ "id": id }))
        .collect();
    json!({
        "id": id,
        "name": id.name(),
        "type": "Microsoft.Resources/deployments",
        "properties": {
            "mode": "Incremental",
            "provisioningState": state,
            "correlationId": Uuid::new_v4(),
            "timestamp": now(),
            "duration": "PT0S",
            "dependencies": [],
            "outputs": {},
            "outputResources": made,
        },
    })
}

impl App {
    /// Waits until nothing is being done to a resource any more.
    async fn finished_with(&self, id: &ResourceId) -> Result<(), Problem> {
        while !self.store.running_on(id).await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}
