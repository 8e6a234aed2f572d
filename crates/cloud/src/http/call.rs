//! From a request to a [`Call`], and from an [`Answer`] or a [`Problem`] back: the
//! only place where ARM's statuses and headers are decided.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use arm::ResourceId;
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::envelope::Ids;
use super::jsonc;
use super::page::Place;
use super::path::Spelling;
use crate::app::access::Asked;
use crate::app::{Answer, App, Call, Caller, Kind, Problem, Ticket};
use crate::store::{Request as Recorded, now};

/// The largest body that ARM takes.
pub(super) const BODY_BYTES: usize = 4 * 1024 * 1024;
/// How much is read of a body that is too large: a client that is cut off while it
/// sends does not get to read the answer.
const READ_BYTES: usize = 8 * BODY_BYTES;
/// Seconds until a client should ask again. Clients take fractions, and `az`
/// sleeps half a minute where there is no number or a zero.
const RETRY_AFTER: &str = "0.2";
/// The same where nothing is to be told of this cloud: Azure says whole seconds.
const RETRY_AFTER_WHOLE: &str = "1";
const ASYNC_OPERATION: HeaderName = HeaderName::from_static("azure-asyncoperation");
/// Version of the addresses that this server hands out.
const API_VERSION: &str = "2024-07-01";

/// Reads all but the body of a request whose id is made of the first `depth`
/// segments of its path. The body, which may be large, is [read](read_body) for
/// those only who may send one.
pub(super) fn read_head(
    app: &App,
    parts: &Parts,
    depth: usize,
    place: &Place,
) -> Result<Call, Problem> {
    let caller = parts.extensions.get::<Caller>().ok_or(Problem::AuthenticationFailed)?;
    let query: BTreeMap<String, String> = place
        .query()
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    check_version(query.get("api-version").map(String::as_str))?;
    let spelling = parts
        .extensions
        .get::<Spelling>()
        .cloned()
        .ok_or_else(|| Problem::NoSuchRoute { path: parts.uri.path().to_owned() })?;
    let id = spelling.id(depth).map_err(|error| Problem::Invalid {
        code: "InvalidResourceId",
        message: error.to_string(),
        target: None,
    })?;
    let header = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
            .map(str::to_owned)
    };
    Ok(Call {
        caller: Arc::clone(caller),
        rest: spelling.after(depth),
        after: place.after(&app.seal)?,
        id,
        query,
        body: None,
        if_match: header(header::IF_MATCH),
        if_none_match: header(header::IF_NONE_MATCH).is_some_and(|value| value == "*"),
    })
}

/// What the activity log says of a request.
pub(super) fn request_of(
    parts: &Parts,
    call: &Call,
    asked: &Asked,
    place: &Place,
) -> Recorded {
    let ids = parts.extensions.get::<Ids>().cloned().unwrap_or_default();
    let ConnectInfo(client) = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .copied()
        .unwrap_or(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 0))));
    Recorded {
        caller: call.caller.id.clone(),
        app_id: call.caller.app_id.clone(),
        action: asked.action.clone(),
        resource: call.id.to_string(),
        correlation: ids.correlation,
        operation: ids.request,
        method: parts.method.to_string(),
        uri: place.path().to_owned(),
        client: client.ip().to_string(),
        client_request: ids.client,
        came_at: now(),
    }
}

/// Reads a body of a request for `id`: nothing, or JSON.
pub(super) async fn read_body(
    app: &App,
    parts: &Parts,
    id: &ResourceId,
    body: Body,
) -> Result<Option<Value>, Problem> {
    let too_large = || Problem::ContentTooLarge { limit: BODY_BYTES };
    let body = tokio::time::timeout(app.limits.slow_client, to_bytes(body, READ_BYTES))
        .await
        .map_err(|_elapsed| Problem::RequestTimeout)?
        .map_err(|_| too_large())?;
    if body.len() > BODY_BYTES {
        return Err(too_large());
    }
    let text = body.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    check_media_type(parts)?;
    let mut read = serde_json::from_slice(text);
    if read.is_err() && id.is_type("Microsoft.Resources/deployments") {
        read = serde_json::from_slice(&jsonc::plain(text));
    }
    read.map(Some).map_err(|error| Problem::InvalidContent { why: error.to_string() })
}

/// Any version is taken, as long as it can be one.
fn check_version(version: Option<&str>) -> Result<(), Problem> {
    const LONGEST: usize = 40;
    let Some(version) = version.filter(|version| !version.is_empty()) else {
        return Err(Problem::MissingApiVersion);
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    if version.len() <= LONGEST && version.chars().all(fits) && !version.contains("..") {
        return Ok(());
    }
    Err(Problem::Invalid {
        code: "InvalidApiVersionParameter",
        message: "The api-version is invalid: a date such as 2024-11-01 is expected."
            .to_owned(),
        target: Some("api-version"),
    })
}

/// Bodies are JSON. Clients that do not say so are believed.
fn check_media_type(parts: &Parts) -> Result<(), Problem> {
    let given = parts.headers.get(header::CONTENT_TYPE);
    let Some(given) = given.map(|given| given.to_str().unwrap_or_default()) else {
        return Ok(());
    };
    let kind = given.split(';').next().unwrap_or_default().trim();
    let is_json = ["application/json", "text/json"]
        .iter()
        .any(|json| json.eq_ignore_ascii_case(kind));
    if is_json {
        Ok(())
    } else {
        Err(Problem::UnsupportedMediaType { kind: kind.to_owned() })
    }
}

/// An answer as a response.
pub(super) fn respond(app: &Arc<App>, answer: Answer, place: &Place) -> Response {
    match answer {
        Answer::Found(body) => shown(StatusCode::OK, body),
        Answer::Listed(page) => {
            let mut body = json!({ "value": page.items });
            if let Some(next) = page.next {
                body["nextLink"] = json!(place.link(&app.seal, &app.endpoint, &next));
            }
            shown(StatusCode::OK, body)
        }
        Answer::Created(body) => shown(StatusCode::CREATED, body),
        Answer::Done => StatusCode::OK.into_response(),
        Answer::Nothing => StatusCode::NO_CONTENT.into_response(),
        Answer::Writing { body, created, ticket } => {
            let status = if created { StatusCode::CREATED } else { StatusCode::OK };
            let mut response = shown(status, body);
            let headers = response.headers_mut();
            headers.insert(ASYNC_OPERATION, address(app, &ticket, "operations"));
            headers.insert(header::RETRY_AFTER, retry_after(app));
            response
        }
        Answer::Accepted(ticket) => {
            let mut response = StatusCode::ACCEPTED.into_response();
            let headers = response.headers_mut();
            headers.insert(ASYNC_OPERATION, address(app, &ticket, "operations"));
            headers.insert(header::LOCATION, address(app, &ticket, "operationResults"));
            headers.insert(header::RETRY_AFTER, retry_after(app));
            response
        }
        Answer::Underway(body) => {
            let mut response = shown(StatusCode::OK, body);
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, retry_after(app));
            response
        }
    }
}

/// A problem as a response.
pub(super) fn refuse(problem: &Problem) -> Response {
    let status = match problem.kind() {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Throttled => StatusCode::TOO_MANY_REQUESTS,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Timeout => StatusCode::REQUEST_TIMEOUT,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let error = problem.to_arm();
    if status.is_server_error() {
        tracing::error!(%error, "a request failed");
    }
    let code = HeaderValue::from_str(&error.code);
    let mut response = (status, Json(error.envelope())).into_response();
    let headers = response.headers_mut();
    if let Ok(code) = code {
        headers.insert("x-ms-error-code", code);
    }
    if matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
        // The rest of the body is still on its way and will not be read.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn shown(status: StatusCode, body: Value) -> Response {
    let etag =
        body.get("etag").and_then(Value::as_str).and_then(|etag| etag.parse().ok());
    let mut response = (status, Json(body)).into_response();
    if let Some(etag) = etag {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// When to ask again.
fn retry_after(app: &App) -> HeaderValue {
    let whole = app.weather().hide;
    HeaderValue::from_static(if whole { RETRY_AFTER_WHOLE } else { RETRY_AFTER })
}

/// Where to ask about an operation.
fn address(app: &App, ticket: &Ticket, what: &str) -> HeaderValue {
    let provider = if ticket.target.is_type("Microsoft.Resources/resourceGroups")
        || ticket.target.is_type("Microsoft.Resources/deployments")
    {
        "Microsoft.Resources"
    } else if ticket
        .target
        .resource_type()
        .to_ascii_lowercase()
        .starts_with("microsoft.network/")
    {
        "Microsoft.Network"
    } else {
        "Microsoft.Compute"
    };
    let address = format!(
        "{}/subscriptions/{}/providers/{provider}/locations/local/{what}/{}?api-version={API_VERSION}",
        app.endpoint, app.subscription, ticket.operation
    );
    HeaderValue::from_str(&address).unwrap_or_else(|_| HeaderValue::from_static("/"))
}
