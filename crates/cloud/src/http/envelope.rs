//! What every response of ARM carries: the ids by which it can be found again.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

const REQUEST: HeaderName = HeaderName::from_static("x-ms-request-id");
const CORRELATION: HeaderName = HeaderName::from_static("x-ms-correlation-request-id");
const CLIENT_REQUEST: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const RETURN_CLIENT_REQUEST: HeaderName =
    HeaderName::from_static("x-ms-return-client-request-id");

/// The ids of one request.
#[derive(Clone, Default)]
pub(super) struct Ids {
    /// Our own.
    pub(super) request: String,
    /// What it belongs to.
    pub(super) correlation: String,
    /// The client's own.
    pub(super) client: Option<String>,
}

/// Adds ids to a response, and writes one line to the log.
pub(super) async fn wrap(mut request: Request, next: Next) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let correlation =
        sent(request.headers(), &CORRELATION).unwrap_or_else(|| request_id.clone());
    let client = sent(request.headers(), &CLIENT_REQUEST).filter(|_| {
        sent(request.headers(), &RETURN_CLIENT_REQUEST).is_some_and(|v| v == "true")
    });
    let ids = Ids {
        request: request_id.clone(),
        correlation: correlation.clone(),
        client: sent(request.headers(), &CLIENT_REQUEST),
    };
    request.extensions_mut().insert(ids);
    let method = request.method().clone();
    let path = match request.uri().path() {
        // Its second segment is a secret.
        path if path.starts_with("/identity/") => "/identity/…".to_owned(),
        path => path.to_owned(),
    };
    let mut response = next.run(request).await;
    tracing::info!(%method, path, status = response.status().as_u16(), correlation, "answered");
    let headers = response.headers_mut();
    let ids = [
        (REQUEST, Some(request_id)),
        (CORRELATION, Some(correlation)),
        (CLIENT_REQUEST, client),
    ];
    for (name, id) in ids {
        if let Some(id) = id.and_then(|id| HeaderValue::from_str(&id).ok()) {
            headers.insert(name, id);
        }
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A header that is fit to be sent back.
fn sent(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    (text.len() <= 100).then(|| text.to_owned())
}
