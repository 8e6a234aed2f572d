//! WireServer and the host's plugin, inside a virtual network: the platform's side
//! of the conversation with guest agents, Microsoft's own included.
//!
//! Who calls is known by its address: the fabric lets no machine use another's.
//! A goal state request may wait for the next goal (`x-regain-wait-incarnation`),
//! which is why a reset takes a fraction of a second.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{
    ConnectInfo, DefaultBodyLimit, FromRequestParts, Path, Query, State,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use guest::envelope::{self, Cipher};
use guest::wire::{
    self, LONG_POLL_HEADER, StatusBlob, StatusUpload, WAIT_HEADER,
    plugin_version_manifest,
};

use super::call;
use crate::app::{Agent, App, Problem};

/// A goal state request is held back no longer than this.
const LONG_POLL: Duration = Duration::from_secs(25);
/// A status holds what a script printed, in base64.
const STATUS_BYTES: usize = 16 * 1024 * 1024;

/// What is served inside one virtual network.
#[derive(Clone)]
pub(super) struct Site {
    /// The cloud.
    pub(super) app: Arc<App>,
    /// Key of the virtual network.
    pub(super) vnet: Arc<str>,
}

/// The agent that calls.
pub(super) struct Caller(pub(super) Arc<Agent>);

impl FromRequestParts<Site> for Caller {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        site: &Site,
    ) -> Result<Self, Response> {
        let ConnectInfo(peer) =
            ConnectInfo::<SocketAddr>::from_request_parts(parts, site)
                .await
                .map_err(IntoResponse::into_response)?;
        let agent = match peer {
            SocketAddr::V4(peer) => site.app.agent_at(&site.vnet, *peer.ip()).await,
            SocketAddr::V6(_) => Ok(None),
        };
        match agent {
            Ok(Some(agent)) => Ok(Self(agent)),
            // What agents understand as "ask for the goal state again".
            Ok(None) => Err(StatusCode::GONE.into_response()),
            Err(problem) => Err(call::refuse(&problem)),
        }
    }
}

/// Port 80.
pub(super) fn wire_server(site: Site) -> Router {
    Router::new()
        .route("/", get(versions))
        .route("/machine", get(machine).post(telemetry))
        .route("/machine/", get(machine).post(telemetry))
        .route("/machine/{machine}/{instance}", get(part))
        .route("/manifest/{handler}", get(manifest))
        .route("/status/{machine}", put(blob))
        .route("/healthservice", post(StatusCode::OK))
        .route("/HealthService", post(StatusCode::OK))
        .route("/provisioning/health", post(StatusCode::CREATED))
        .layer(DefaultBodyLimit::max(STATUS_BYTES))
        .with_state(site)
}

/// Port 32526.
pub(super) fn host_plugin(site: Site) -> Router {
    Router::new()
        .route("/versions", get(|| async { axum::Json(["2015-09-01"]) }))
        .route("/health", get(StatusCode::OK))
        .route("/vmSettings", get(StatusCode::NOT_FOUND))
        .route("/status", put(status))
        .route("/vmAgentLog", put(StatusCode::OK))
        .layer(DefaultBodyLimit::max(STATUS_BYTES))
        .with_state(site)
}

/// `GET /?comp=versions`
async fn versions() -> Response {
    xml(wire::versions())
}

/// `GET /machine/?comp=goalstate`
async fn machine(
    State(site): State<Site>,
    Caller(agent): Caller,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if query.get("comp").map(String::as_str) != Some("goalstate") {
        return StatusCode::NOT_FOUND.into_response();
    }
    agent.heard();
    if let Some(known) = text(&headers, WAIT_HEADER) {
        agent.wait(known).for_another(LONG_POLL).await;
        agent.heard();
    }
    let mut response = match site.app.goal_state(&agent).await {
        Ok(goal) => xml(goal.to_xml()),
        Err(problem) => call::refuse(&problem),
    };
    response
        .headers_mut()
        .insert(LONG_POLL_HEADER, header::HeaderValue::from_static("1"));
    response
}

/// `POST /machine?comp=telemetrydata|health|roleProperties`: taken, not read.
async fn telemetry(
    Caller(_agent): Caller,
    Query(query): Query<HashMap<String, String>>,
) -> StatusCode {
    match query.get("comp").map(String::as_str) {
        Some("roleProperties") => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    }
}

/// The documents that the goal state names.
async fn part(
    State(site): State<Site>,
    Caller(agent): Caller,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    agent.heard();
    let app = &site.app;
    let name = agent.vm.name();
    let document = match query.get("comp").map(String::as_str) {
        Some("extensionsConfig") => {
            app.extensions_config(&agent).await.map(|config| config.to_xml())
        }
        Some("certificates") => certificates(app, &agent, &headers).await,
        Some("hostingEnvironmentConfig") => {
            Ok(wire::hosting_environment_config(name, name))
        }
        Some("sharedConfig") => Ok(wire::shared_config(name)),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    document.map_or_else(|problem| call::refuse(&problem), xml)
}

async fn certificates(
    app: &App,
    agent: &Agent,
    headers: &HeaderMap,
) -> Result<String, Problem> {
    let asked = "x-ms-guest-agent-public-x509-cert";
    let transport = text(headers, asked).unwrap_or_default();
    let transport = envelope::certificate_from_pem(transport)
        .map_err(|error| Problem::parameter(asked, error.to_string()))?;
    let cipher = text(headers, "x-ms-cipher-name")
        .and_then(Cipher::from_name)
        .unwrap_or(Cipher::DesEde3Cbc);
    Ok(app.certificates(agent, &transport, cipher).await?.to_xml())
}

/// `GET /manifest/{handler}`: our agent has its handlers built in; there is no
/// archive to fetch.
async fn manifest(Path(_handler): Path<String>) -> Response {
    xml(plugin_version_manifest(&[]))
}

/// `PUT /status/{machine}`: a status that did not come through the plugin.
async fn blob(State(site): State<Site>, Caller(agent): Caller, body: Bytes) -> Response {
    match take(&site, &agent, &body).await {
        Ok(()) => StatusCode::CREATED.into_response(),
        Err(problem) => call::refuse(&problem),
    }
}

/// `PUT :32526/status`
async fn status(
    State(site): State<Site>,
    Caller(agent): Caller,
    body: Bytes,
) -> Response {
    let taken = match StatusUpload::parse(&body) {
        Ok(upload) => take(&site, &agent, &upload.content).await,
        Err(error) => Err(Problem::InvalidContent { why: error.to_string() }),
    };
    match taken {
        Ok(()) => StatusCode::OK.into_response(),
        Err(problem) => call::refuse(&problem),
    }
}

async fn take(site: &Site, agent: &Agent, content: &[u8]) -> Result<(), Problem> {
    let blob = StatusBlob::parse(content)
        .map_err(|error| Problem::InvalidContent { why: error.to_string() })?;
    site.app.take_status(agent, blob).await
}

fn xml(document: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], document).into_response()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
