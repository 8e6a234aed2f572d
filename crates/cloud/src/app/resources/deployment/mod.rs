//! Deployments of templates: what `az vm create` sends. Each of a
//! [template](super::template)'s resources becomes a PUT of its own, in order,
//! through the same [doors](crate::app::door) as any other client's.

mod making;

use std::sync::Arc;

use arm::ResourceId;
use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::subscription;
use super::template::{self, Plan, Surroundings, problem};
use crate::app::compute::virtual_machine;
use crate::app::document::{self, check_precondition};
use crate::app::door::Deed;
use crate::app::journal::Job;
use crate::app::work::Work;
use crate::app::{Answer, App, Call, Page, Problem};

use crate::store::{Principal, Resource, key_of, now};

pub(in crate::app) use making::make;

/// The full type in lower case.
const KIND: &str = "microsoft.resources/deployments";

/// What a deployment is asked to do.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Request {
    template: Value,
    /// The value of every parameter.
    values: Map<String, Value>,
    /// Delete what the group has and the template has not.
    complete: bool,
    started: String,
    correlation: Uuid,
    /// Who deploys.
    caller: Principal,
}

/// `GET …/deployments`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let (found, next) = app.page(&call, KIND).await?;
    let items = found.into_iter().map(|one| one.document).collect();
    Ok(Answer::Listed(Page { items, next }))
}

/// `GET …/deployments/{deployment}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    Ok(Answer::Found(existing(&app, &call.id).await?.document))
}

/// `HEAD …/deployments/{deployment}`
pub(crate) async fn head(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    existing(&app, &call.id).await?;
    Ok(Answer::Nothing)
}

/// `GET …/deployments/{deployment}/operations`: what was made, one by one
pub(crate) async fn operations(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    // ARM has an older path for this, in which the provider is left out.
    let id = match call.rest.as_slice() {
        [kind, name, _] if kind.eq_ignore_ascii_case("deployments") => call
            .id
            .with_resource("Microsoft.Resources", "deployments", name)
            .map_err(|_| Problem::DeploymentNotFound { name: name.clone() })?,
        _ => call.id,
    };
    let deployment = existing(&app, &id).await?;
    let properties = &deployment.document["properties"];
    let made = properties["outputResources"].as_array().into_iter().flatten();
    let all = made.enumerate().map(|(at, one)| {
        let made = one["id"].as_str().and_then(|id| ResourceId::parse(id).ok());
        json!({
            "id": format!("{id}/operations/{at}"),
            "operationId": at.to_string(),
            "properties": {
                "provisioningOperation": "Create",
                "provisioningState": "Succeeded",
                "statusCode": "OK",
                "timestamp": properties["timestamp"],
                "targetResource": {
                    "id": one["id"],
                    "resourceName": made.as_ref().map(ResourceId::name),
                    "resourceType": made.as_ref().map(ResourceId::resource_type),
                },
            },
        })
    });
    Ok(Answer::Listed(Page::whole(all)))
}

/// `POST …/deployments/{deployment}/validate`
pub(crate) async fn validate(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    app.group_of(&call.id).await?;
    let around = surroundings(&app, &call.id).await?;
    let request = requested(&call, &around)?;
    let plan = planned(&app, &request, &around)?;
    check_access(&app, &call, &plan)?;
    check_machines(&plan)?;
    let all: Vec<Value> =
        plan.resources.iter().map(|one| json!({ "id": one.id })).collect();
    let mut body = shown(&call.id, &request, "Succeeded");
    body["properties"]["validatedResources"] = json!(all);
    Ok(Answer::Found(body))
}

/// `PUT …/deployments/{deployment}`
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.serial.try_take(&key_of(&call.id)).ok_or_else(|| Problem::Conflict {
        code: "DeploymentActive",
        message: format!(
            "Unable to edit or replace deployment '{}': the previous one of this name is still \
             active. Wait until it has ended and try again, or use another name.",
            call.id.name()
        ),
    })?;
    let before = app.before_put(&call).await?;
    document::check_name(call.id.name())?;
    let around = surroundings(&app, &call.id).await?;
    let request = requested(&call, &around)?;
    check_access(&app, &call, &planned(&app, &request, &around)?)?;
    let body = shown(&call.id, &request, "Accepted");
    let id = before.as_ref().map_or(&call.id, |one| &one.id).clone();
    let document = match &before {
        Some(before) => Resource { document: body.clone(), ..before.clone() },
        None => Resource::new(id.clone(), body.clone()),
    };
    let work = Work::Deploy { deployment: id.clone(), request };
    // `az` cannot read the answer to a PUT that fails at once.
    let job = Job::new("deployments/write", &id, work)
        .writing(document)
        .holding(turn)
        .failing_later();
    Ok(app.submit(job).await?.written(body, before.is_none()))
}

/// Who deploys a template must be allowed to write everything in it.
fn check_access(app: &App, call: &Call, plan: &Plan<'_>) -> Result<(), Problem> {
    let mut refused = Vec::new();
    for one in &plan.resources {
        let action = format!("{}/write", one.id.resource_type());
        if let Err(problem) = app.require(&call.caller, &action, &one.id) {
            refused.push((&one.id, problem));
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

/// What can be told of machines before anything is made.
fn check_machines(plan: &Plan<'_>) -> Result<(), Problem> {
    for one in &plan.resources {
        // What refers to the state of others is judged when that is there.
        if one.id.resource_type().eq_ignore_ascii_case(virtual_machine::KIND)
            && let Ok(body) = plan.body(one)
            && let Some(properties) = body["properties"].as_object()
        {
            virtual_machine::judge(&one.id, properties)?;
        }
    }
    Ok(())
}

/// `DELETE …/deployments/{deployment}`: the record, not what it made.
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let _turn = app.turn(&key_of(&call.id)).await?;
    app.group_of(&call.id).await?;
    let before = app.store.get(&call.id).await?;
    check_precondition(&call, before.as_ref())?;
    app.store.remove(&call.id).await?;
    Ok(Answer::Nothing)
}

/// Reads what is asked for.
fn requested(call: &Call, around: &Surroundings) -> Result<Request, Problem> {
    let body = call.object()?;
    let (template, values) = template::read(body, around)?;
    let mode = body["properties"]["mode"].as_str().unwrap_or("Incremental");
    let complete = mode.eq_ignore_ascii_case("Complete");
    if !complete && !mode.eq_ignore_ascii_case("Incremental") {
        return Err(Problem::Invalid {
            code: "InvalidDeploymentMode",
            message: format!(
                "The deployment mode '{mode}' is not valid: Incremental and Complete are."
            ),
            target: Some("properties.mode"),
        });
    }
    let (started, correlation) = (now(), Uuid::new_v4());
    let caller = Principal::clone(&call.caller);
    Ok(Request { template, values, complete, started, correlation, caller })
}

/// The plan of a request, all of whose types this cloud has.
fn planned<'a>(
    app: &App,
    request: &'a Request,
    around: &'a Surroundings,
) -> Result<Plan<'a>, Problem> {
    let plan = Plan::of(&request.template, &request.values, around).map_err(problem)?;
    for one in &plan.resources {
        let kind = one.id.resource_type();
        if !app.doors.has(Deed::Put, &kind) {
            return Err(Problem::Invalid {
                code: "InvalidTemplate",
                message: format!(
                    "Deployment template validation failed: 'the resource '{}' has the type \
                     '{kind}', which this cloud does not have'.",
                    one.id.name()
                ),
                target: None,
            });
        }
    }
    Ok(plan)
}

async fn surroundings(app: &App, id: &ResourceId) -> Result<Surroundings, Problem> {
    let group = app.group_of(id).await?;
    Ok(Surroundings {
        deployment: id.clone(),
        group: group.document,
        subscription: subscription::shown(app),
        environment: json!({
            "name": app.cloud_name(),
            "resourceManager": app.endpoint,
            "authentication": { "loginEndpoint": app.endpoint, "tenant": app.tenant },
        }),
    })
}

async fn existing(app: &App, id: &ResourceId) -> Result<Resource, Problem> {
    app.group_of(id).await?;
    app.store
        .get(id)
        .await?
        .ok_or_else(|| Problem::DeploymentNotFound { name: id.name().to_owned() })
}

/// A deployment as it is shown and stored: without its template, which may hold
/// secrets, and of secret parameters the type only.
fn shown(id: &ResourceId, request: &Request, state: &str) -> Value {
    let hash = digest::digest(&digest::SHA256, request.template.to_string().as_bytes());
    let hash =
        hash.as_ref().iter().take(8).fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    json!({
        "id": id,
        "name": id.name(),
        "type": "Microsoft.Resources/deployments",
        "properties": {
            "templateHash": hash.to_string(),
            "parameters": template::shown_parameters(&request.template, &request.values),
            "mode": if request.complete { "Complete" } else { "Incremental" },
            "provisioningState": state,
            "correlationId": request.correlation,
            "timestamp": now(),
            "duration": "PT0S",
            "providers": [],
            "dependencies": [],
            "outputs": {},
            "outputResources": [],
        },
    })
}
