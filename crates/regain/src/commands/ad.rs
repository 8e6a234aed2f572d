//! `ad sp create-for-rbac`: an application, its secret and its roles.

use arm::{Client, Method};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Value, json};

use super::role::assignment;
use super::role::directory::{self, Principal};
use crate::args::ad::{Ad, CreateForRbac, Sp};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(ad: Ad, context: &Context) -> Result<Answer, Failure> {
    let Ad::Sp(Sp::CreateForRbac(args)) = ad;
    create_for_rbac(args, context).await
}

async fn create_for_rbac(
    args: CreateForRbac,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let graph = directory::graph(&session)?;
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    let name = args
        .name
        .unwrap_or_else(|| now.strftime("azure-cli-%Y-%m-%d-%H-%M-%S").to_string());
    let end = now
        .checked_add(args.years.years())
        .map_err(|error| Failure::usage("--years is out of range").because(error))?;

    // The same name twice is one application with a new secret.
    let filter = format!("displayName eq '{name}'");
    let application = match directory::first(&graph, "applications", &filter).await? {
        Some(application) => application,
        None => post(&graph, "applications", &json!({ "displayName": name })).await?,
    };
    let (id, app_id) = (text(&application, "id"), text(&application, "appId"));
    let of = format!("appId eq '{app_id}'");
    let principal = match directory::first(&graph, "servicePrincipals", &of).await? {
        Some(principal) => principal,
        None => post(&graph, "servicePrincipals", &json!({ "appId": app_id })).await?,
    };
    for old in application["passwordCredentials"].as_array().into_iter().flatten() {
        let what = format!("applications/{id}/removePassword");
        post(&graph, &what, &json!({ "keyId": old["keyId"] })).await?;
    }
    let secret = post(
        &graph,
        &format!("applications/{id}/addPassword"),
        &json!({ "passwordCredential": {
            "displayName": "rbac",
            "startDateTime": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "endDateTime": end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }}),
    )
    .await?;

    let principal = Principal {
        id: text(&principal, "id"),
        kind: Some("ServicePrincipal".to_owned()),
    };
    for (role, scope) in args
        .role
        .iter()
        .flat_map(|role| args.scopes.iter().map(move |scope| (role, scope)))
    {
        context.printer.note(&format!(
            "WARNING: Creating '{role}' role assignment under scope '{scope}'"
        ));
        let given = uuid::Uuid::new_v4().to_string();
        match assignment::assign(&session, role, scope, &principal, &given, None).await {
            Err(failure) if !assignment::exists(&failure) => return Err(failure),
            _ => {}
        }
    }
    context.printer.note(
        "WARNING: The output includes credentials that you must protect. Be sure that you do \
         not include these credentials in your code or check the credentials into your source \
         control.",
    );
    let claims = session.client.claims().await?;
    Ok(Answer::new(json!({
        "appId": app_id,
        "displayName": name,
        "password": secret["secretText"],
        "tenant": claims["tid"],
    })))
}

async fn post(graph: &Client, what: &str, body: &Value) -> Result<Value, Failure> {
    let path = directory::path(graph, what);
    Ok(graph.request(&Method::POST, &path, Some(body)).await?.1)
}

fn text(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_default().to_owned()
}
