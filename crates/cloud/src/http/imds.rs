//! The instance metadata service, inside a virtual network: a machine asks who it is.

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::token::Tokens;
use super::wire_server::{Caller, Site};
use super::{call, sign_in};
use crate::app::Problem;

/// `169.254.169.254:80`
pub(super) fn metadata(site: Site) -> Router {
    Router::new()
        .route("/metadata/instance", get(instance))
        .route("/metadata/instance/compute", get(compute))
        .route("/metadata/instance/network", get(network))
        .route("/metadata/identity/oauth2/token", get(token))
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

/// `GET /metadata/identity/oauth2/token`: a token of the machine's own identity.
async fn token(
    State(site): State<Site>,
    Caller(agent): Caller,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = refusal_without_header(&headers) {
        return refusal;
    }
    match site.app.machine_identity(&agent.vm) {
        Some(who) => sign_in::managed(&Tokens::new(site.app), &who, &query),
        None => sign_in::refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "Identity not found",
        ),
    }
}

/// As in Azure: a browser that was tricked into asking sends no such header.
fn refusal_without_header(headers: &HeaderMap) -> Option<Response> {
    let sent = headers.get("metadata");
    if sent.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true")) {
        return None;
    }
    let why = json!({ "error": "Bad request. Required metadata header not specified" });
    Some((StatusCode::BAD_REQUEST, Json(why)).into_response())
}

async fn answer(
    site: &Site,
    Caller(agent): &Caller,
    headers: &HeaderMap,
    part: fn(Value) -> Value,
) -> Response {
    if let Some(refusal) = refusal_without_header(headers) {
        return refusal;
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
