//! The instance metadata service, inside a virtual network: a machine asks who it is.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::call;
use super::wire_server::{Caller, Site};
use crate::app::Problem;

/// `169.254.169.254:80`
pub(super) fn metadata(site: Site) -> Router {
    Router::new()
        .route("/metadata/instance", get(instance))
        .route("/metadata/instance/compute", get(compute))
        .route("/metadata/instance/network", get(network))
        .with_state(site)
}

async fn instance(
    State(site): State<Site>,
    caller: Caller,
    headers: HeaderMap,
) -> Response {
    answer(&site, &caller, &headers, |document| document).await
}

async fn compute(
    State(site): State<Site>,
    caller: Caller,
    headers: HeaderMap,
) -> Response {
    answer(&site, &caller, &headers, |mut document| document["compute"].take()).await
}

async fn network(
    State(site): State<Site>,
    caller: Caller,
    headers: HeaderMap,
) -> Response {
    answer(&site, &caller, &headers, |mut document| document["network"].take()).await
}

async fn answer(
    site: &Site,
    Caller(agent): &Caller,
    headers: &HeaderMap,
    part: fn(Value) -> Value,
) -> Response {
    // As in Azure: a browser that was tricked into asking sends no such header.
    if !headers
        .get("metadata")
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"))
    {
        let why =
            json!({ "error": "Bad request. Required metadata header not specified" });
        return (StatusCode::BAD_REQUEST, Json(why)).into_response();
    }
    match document(site, &agent.vm).await {
        Ok(document) => Json(part(document)).into_response(),
        Err(problem) => call::refuse(&problem),
    }
}

async fn document(site: &Site, vm: &arm::ResourceId) -> Result<Value, Problem> {
    let facts = site.app.identity_of(vm).await?;
    Ok(json!({
        "compute": {
            "azEnvironment": "regain",
            "location": facts.vm["location"],
            "name": vm.name(),
            "osType": "Linux",
            "resourceGroupName": vm.group(),
            "resourceId": vm,
            "subscriptionId": vm.subscription(),
            "vmId": facts.vm["properties"]["vmId"],
            "vmSize": facts.vm["properties"]["hardwareProfile"]["vmSize"],
            "osProfile": {
                "adminUsername": facts.vm["properties"]["osProfile"]["adminUsername"],
                "computerName": facts.vm["properties"]["osProfile"]["computerName"],
            },
            "provider": "Microsoft.Compute",
            "tagsList": [],
        },
        "network": { "interface": [{
            "macAddress": facts.mac,
            "ipv4": { "ipAddress": [{
                "privateIpAddress": facts.private,
                "publicIpAddress": facts.public,
            }] },
        }] },
    }))
}
