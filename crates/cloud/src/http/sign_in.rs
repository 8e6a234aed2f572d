//! Sign-in: OAuth's client credentials, and managed identities.
//!
//! The authority ends in `/adfs`, because that is what keeps `az` from asking
//! Microsoft whether it knows the authority; `/{tenant}` answers alike. Both forms
//! of the request are taken: `resource=` (v1) and `scope=` (v2).
//!
//! A managed identity has no secret of its own. A machine's is known by where its
//! request comes from ([`imds`](super::imds)); this host's by a secret that stands
//! in `credentials.json` and goes into a header (`IDENTITY_ENDPOINT` and
//! `IDENTITY_HEADER`) or into a path (`AZURE_POD_IDENTITY_AUTHORITY_HOST`).

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde_json::{Value, json};

use super::token::{Audience, Family, Issued, Tokens};
use crate::app::Caller;

/// Tenants that clients write who leave it to the server.
const ANY_TENANT: [&str; 3] = ["adfs", "common", "organizations"];

/// `GET /adfs/.well-known/openid-configuration`
pub(super) async fn discovery(State(tokens): State<Arc<Tokens>>) -> Json<Value> {
    Json(configuration(&tokens, "adfs", "oauth2/token"))
}

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`, and the same without `v2.0`
pub(super) async fn tenant_discovery(
    State(tokens): State<Arc<Tokens>>,
    Path(tenant): Path<String>,
) -> Response {
    match unknown_tenant(&tokens, &tenant) {
        None => {
            Json(configuration(&tokens, &tenant, "oauth2/v2.0/token")).into_response()
        }
        Some(refusal) => refusal,
    }
}

fn configuration(tokens: &Tokens, tenant: &str, token: &str) -> Value {
    let authority = format!("{}/{tenant}", tokens.app.endpoint);
    json!({
        "issuer": authority,
        "authorization_endpoint": format!("{authority}/oauth2/authorize"),
        "token_endpoint": format!("{authority}/{token}"),
        "device_authorization_endpoint": format!("{authority}/oauth2/devicecode"),
        "jwks_uri": format!("{}/adfs/discovery/keys", tokens.app.endpoint),
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "grant_types_supported": ["client_credentials"],
    })
}

/// `GET /adfs/discovery/keys`: the key is symmetric, so there is none to show.
pub(super) async fn keys() -> Json<Value> {
    Json(json!({ "keys": [] }))
}

/// `POST /adfs/oauth2/token`
pub(super) async fn token(
    State(tokens): State<Arc<Tokens>>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    sign_in(&tokens, &form).await
}

/// `POST /{tenant}/oauth2/token` and `POST /{tenant}/oauth2/v2.0/token`
pub(super) async fn tenant_token(
    State(tokens): State<Arc<Tokens>>,
    Path(tenant): Path<String>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    match unknown_tenant(&tokens, &tenant) {
        None => sign_in(&tokens, &form).await,
        Some(refusal) => refusal,
    }
}

async fn sign_in(tokens: &Tokens, form: &HashMap<String, String>) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("grant_type") != "client_credentials" {
        return refusal(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "AADSTS70003: Only a service principal with a secret can sign in here \
             (grant_type=client_credentials).",
        );
    }
    let who = match tokens.app.sign_in(field("client_id"), field("client_secret")).await {
        Ok(who) => who,
        Err(problem) => {
            let status = match problem.kind() {
                crate::app::Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            return refusal(status, "invalid_client", &problem.to_string());
        }
    };
    let asked = match field("resource") {
        "" => field("scope"),
        resource => resource,
    };
    let Some(audience) = Audience::named(asked, &tokens.app.endpoint) else {
        return unknown_audience(tokens, asked);
    };
    match tokens.issue(&who, audience) {
        Ok(issued) => Json(json!({
            "token_type": "Bearer",
            "expires_in": issued.lifetime,
            "ext_expires_in": issued.lifetime,
            "expires_on": issued.expires_on.to_string(),
            "not_before": issued.not_before.to_string(),
            "resource": issued.audience,
            "access_token": issued.token,
        }))
        .into_response(),
        Err(error) => failure(&error),
    }
}

/// `GET /msi/token`, with the secret in a header: what App Service has.
pub(super) async fn host_by_header(
    State(tokens): State<Arc<Tokens>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let sent = headers.get("x-identity-header").and_then(|value| value.to_str().ok());
    by_secret(&tokens, sent.unwrap_or_default(), &query)
}

/// `GET /identity/{secret}/metadata/identity/oauth2/token`: what a VM has, for
/// clients that let the beginning of the address be set.
pub(super) async fn host_by_path(
    State(tokens): State<Arc<Tokens>>,
    Path(secret): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    by_secret(&tokens, &secret, &query)
}

fn by_secret(tokens: &Tokens, secret: &str, query: &HashMap<String, String>) -> Response {
    match tokens.app.host_identity(secret) {
        Some(who) => managed(tokens, &who, query),
        None => refusal(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "The identity's secret is wrong. `regain lab env` prints the variables of a \
             login by managed identity on this host.",
        ),
    }
}

/// A managed identity's token, in the words of all of its endpoints: numbers are
/// texts there.
pub(super) fn managed(
    tokens: &Tokens,
    who: &Caller,
    query: &HashMap<String, String>,
) -> Response {
    for (name, known) in
        [("client_id", &who.app_id), ("object_id", &who.id), ("principal_id", &who.id)]
    {
        if query.get(name).is_some_and(|asked| !asked.eq_ignore_ascii_case(known)) {
            return refusal(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "Identity not found",
            );
        }
    }
    let asked = query.get("resource").map(String::as_str).unwrap_or_default();
    if asked.is_empty() {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "Required query variable 'resource' is missing",
        );
    }
    let Some(audience) = Audience::named(asked, &tokens.app.endpoint) else {
        return unknown_audience(tokens, asked);
    };
    match tokens.issue(who, audience) {
        Ok(Issued { token, audience, lifetime, not_before, expires_on }) => Json(json!({
            "access_token": token,
            "client_id": who.app_id,
            "expires_in": lifetime.to_string(),
            "expires_on": expires_on.to_string(),
            "ext_expires_in": lifetime.to_string(),
            "not_before": not_before.to_string(),
            "resource": audience,
            "token_type": "Bearer",
        }))
        .into_response(),
        Err(error) => failure(&error),
    }
}

fn unknown_tenant(tokens: &Tokens, tenant: &str) -> Option<Response> {
    let known = tenant.eq_ignore_ascii_case(&tokens.app.tenant)
        || ANY_TENANT.iter().any(|any| any.eq_ignore_ascii_case(tenant));
    if known {
        return None;
    }
    Some(refusal(
        StatusCode::BAD_REQUEST,
        "invalid_request",
        &format!(
            "AADSTS90002: Tenant '{tenant}' not found. This cloud's tenant is in \
             credentials.json in the server's state directory."
        ),
    ))
}

fn unknown_audience(tokens: &Tokens, asked: &str) -> Response {
    let family = Family::of(&tokens.app.weather());
    let (management, graph) =
        (Audience::Management.name(family), Audience::Graph.name(family));
    refusal(
        StatusCode::BAD_REQUEST,
        "invalid_resource",
        &format!(
            "AADSTS500011: The resource principal named {asked} was not found in the tenant. \
             Tokens are for {management} and {graph}."
        ),
    )
}

pub(super) fn refusal(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    (status, Json(body)).into_response()
}

fn failure(error: &jsonwebtoken::errors::Error) -> Response {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "server_error", &error.to_string())
}
