//! The instance metadata service, inside a virtual network: a machine asks who it is.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::token::Tokens;
use super::wire_server::{Caller, Site};
use super::{call, sign_in};
use crate::app::Problem;

/// What clients may ask for; all of them get the same.
const VERSIONS: [&str; 4] = ["2017-04-02", "2019-06-01", "2020-09-01", "2021-02-01"];

/// `169.254.169.254:80`
pub(super) fn metadata(site: Site) -> Router {
    Router::new()
        .route("/metadata/versions", get(versions))
        .route("/metadata/instance", get(whole))
        .route("/metadata/instance/{*part}", get(part))
        .route("/metadata/identity/oauth2/token", get(token))
        .with_state(site)
}

/// `GET /metadata/versions`
async fn versions(headers: HeaderMap) -> Response {
    refusal_without_header(&headers)
        .unwrap_or_else(|| Json(json!({ "apiVersions": VERSIONS })).into_response())
}

/// `GET /metadata/instance`
async fn whole(
    State(site): State<Site>,
    caller: Caller,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    answer(&site, &caller, &headers, &query, "").await
}

/// `GET /metadata/instance/{part}`: a part of it, or a single value.
async fn part(
    State(site): State<Site>,
    caller: Caller,
    Path(part): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    answer(&site, &caller, &headers, &query, &part).await
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
    query: &HashMap<String, String>,
    part: &str,
) -> Response {
    if let Some(refusal) = refusal_without_header(headers) {
        return refusal;
    }
    if !query.contains_key("api-version") {
        let why = json!({
            "error": "Bad request. api-version was not specified in the request. For more \
                      information refer to aka.ms/azureimds",
            "newest-versions": VERSIONS,
        });
        return (StatusCode::BAD_REQUEST, Json(why)).into_response();
    }
    let mut document = match document(site, &agent.vm).await {
        Ok(document) => document,
        Err(problem) => return call::refuse(&problem),
    };
    let segments = part.split('/').filter(|segment| !segment.is_empty());
    let pointer: String = segments.map(|segment| format!("/{segment}")).collect();
    let Some(found) = document.pointer_mut(&pointer).map(Value::take) else {
        let why = json!({ "error": "Not found" });
        return (StatusCode::NOT_FOUND, Json(why)).into_response();
    };
    let as_text = query.get("format").is_some_and(|f| f.eq_ignore_ascii_case("text"));
    match found {
        Value::String(text) if as_text => text.into_response(),
        Value::Object(_) | Value::Array(_) if as_text => {
            let why = json!({ "error": "Bad request. This part is no single value: ask for JSON" });
            (StatusCode::BAD_REQUEST, Json(why)).into_response()
        }
        found => Json(found).into_response(),
    }
}

async fn document(site: &Site, vm: &arm::ResourceId) -> Result<Value, Problem> {
    let facts = site.app.identity_of(vm).await?;
    let properties = &facts.vm["properties"];
    let image = &properties["storageProfile"]["imageReference"];
    let tags: Vec<(&String, &str)> = facts.vm["tags"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name, value.as_str()?)))
        .collect();
    let in_one: Vec<String> =
        tags.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    let listed: Vec<Value> = tags
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    Ok(json!({
        "compute": {
            "azEnvironment": match site.app.cloud_name() {
                // The one name that is another here.
                "AzureCloud" => "AzurePublicCloud",
                name => name,
            },
            "location": facts.vm["location"],
            "name": vm.name(),
            "offer": image["offer"],
            "osProfile": {
                "adminUsername": properties["osProfile"]["adminUsername"],
                "computerName": properties["osProfile"]["computerName"],
            },
            "osType": "Linux",
            "provider": "Microsoft.Compute",
            "publisher": image["publisher"],
            "resourceGroupName": vm.group(),
            "resourceId": vm,
            "sku": image["sku"],
            "subscriptionId": vm.subscription(),
            "tags": in_one.join(";"),
            "tagsList": listed,
            "version": image["version"],
            "vmId": properties["vmId"],
            "vmSize": properties["hardwareProfile"]["vmSize"],
        },
        "network": { "interface": [{
            "macAddress": facts.mac,
            "ipv4": { "ipAddress": [{
                "privateIpAddress": facts.private,
                "publicIpAddress": facts.public.unwrap_or_default(),
            }] },
        }] },
    }))
}
