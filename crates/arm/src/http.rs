//! HTTP as ARM wants it: one connection pool, no redirects, retries, and a
//! token that goes to the cloud's own addresses only.

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Method, StatusCode, Url, redirect};
use serde_json::Value;

use crate::retry::{self, Outcome};
use crate::{ArmError, Error, Precondition, Secret};

/// ARM ends a request itself after 60 s; more than that is a dead connection.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(100);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Sets up the pool. `ca` replaces the system's roots, as `REQUESTS_CA_BUNDLE`
/// does for `az`.
pub(crate) fn client(
    endpoint: &Url,
    ca: Option<&Path>,
) -> Result<reqwest::Client, Error> {
    let setup = |source| Error::Setup { endpoint: endpoint.to_string(), source };
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("regain/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT);
    if let Some(path) = ca {
        let pem = std::fs::read(path)
            .map_err(|source| Error::CaFile { path: path.to_owned(), source })?;
        builder =
            builder.tls_certs_only(Certificate::from_pem_bundle(&pem).map_err(setup)?);
    }
    if on_this_host(endpoint) {
        // A proxy could not reach it, and must not see it.
        builder = builder.no_proxy();
    }
    builder.build().map_err(setup)
}

/// Sends until an outcome stands (see [`retry`]). A status is an outcome, not
/// an error: the caller knows which ones it expects.
pub(crate) async fn send(
    http: &reqwest::Client,
    method: &Method,
    url: &Url,
    token: Option<&Secret>,
    body: Option<&Value>,
    precondition: Option<&Precondition>,
) -> Result<Response, Error> {
    let mut attempt = 1;
    loop {
        let mut request = http
            .request(method.clone(), url.clone())
            .header("accept", "application/json")
            .header("x-ms-client-request-id", uuid::Uuid::new_v4().to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token.reveal());
        }
        if let Some(precondition) = precondition {
            let (name, value) = precondition.header();
            request = request.header(name, value);
        }
        match body {
            Some(body) => request = request.json(body),
            None if *method == Method::POST => {
                request = request.header("content-length", "0");
            }
            None => {}
        }
        let started = Instant::now();
        let result = exchange(request).await;
        // The path only: a query may hold a signature.
        match &result {
            Ok(response) => tracing::debug!(
                %method, path = url.path(), status = response.status.as_u16(),
                sent = body.map_or(0, |body| body.to_string().len()),
                received = response.body.len(),
                millis = started.elapsed().as_millis(), attempt, "answered"
            ),
            Err(error) => tracing::debug!(
                %method, path = url.path(), %error,
                millis = started.elapsed().as_millis(), attempt, "no answer"
            ),
        }
        let outcome = match &result {
            Ok(response) => Outcome::Answered(response.status, &response.headers),
            Err(error) if error.is_connect() => Outcome::NotConnected,
            Err(_) => Outcome::Broken,
        };
        match retry::wait_before_next(method, attempt, &outcome) {
            Some(wait) => tokio::time::sleep(wait).await,
            None => {
                return result.map_err(|source| Error::Transport {
                    request: describe(method, url),
                    source: source.without_url(),
                });
            }
        }
        attempt += 1;
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<Response, reqwest::Error> {
    let mut response = request.send().await?;
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let body = response.bytes().await?.to_vec();
    Ok(Response { status, headers, body })
}

impl Response {
    /// The body as JSON; an empty body is null.
    pub(crate) fn json(&self, method: &Method, url: &Url) -> Result<Value, Error> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|error| Error::Protocol {
            request: describe(method, url),
            why: format!("the body is not JSON: {error}"),
        })
    }

    /// The same answer, unless its status says that ARM refused.
    pub(crate) fn accepted(self) -> Result<Self, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        let status = self.status.as_u16();
        Err(Error::Api { status, error: ArmError::from_body(status, &self.body) })
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A request in words. Queries are left out, because they may hold a signature.
pub(crate) fn describe(method: &Method, url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    format!("{method} {shown}")
}

/// Whether the address is loopback, where plain HTTP shows nothing to anybody.
pub(crate) fn on_this_host(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        host == "localhost"
            || host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .parse::<IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    })
}

/// Resolves a path, or an absolute address that ARM gave us, against the
/// endpoint. Only the endpoint itself and, over TLS, hosts below its name
/// (`westus.management.azure.com`) may see the token.
pub(crate) fn resolve(endpoint: &Url, target: &str) -> Result<Url, Error> {
    let untrusted = |why| Error::Untrusted { url: without_query(target), why };
    let url = endpoint.join(target).map_err(|_| untrusted("it is not a URL"))?;
    let same = url.scheme() == endpoint.scheme()
        && url.host_str() == endpoint.host_str()
        && url.port_or_known_default() == endpoint.port_or_known_default();
    if same {
        return Ok(url);
    }
    let below = match (url.domain(), endpoint.domain()) {
        (Some(host), Some(parent)) => host
            .strip_suffix(parent)
            .is_some_and(|rest| rest.ends_with('.') && url.scheme() == "https"),
        _ => false,
    };
    if below { Ok(url) } else { Err(untrusted("it is not part of the cloud's endpoint")) }
}

fn without_query(target: &str) -> String {
    target.split('?').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(endpoint: &str, target: &str) -> Option<String> {
        resolve(&Url::parse(endpoint).unwrap(), target).ok().map(String::from)
    }

    #[test]
    fn paths_and_own_addresses_are_resolved() {
        let endpoint = "https://127.0.0.1:18443/";
        let expected =
            Some("https://127.0.0.1:18443/subscriptions?api-version=1".to_owned());
        assert_eq!(resolved(endpoint, "/subscriptions?api-version=1"), expected);
        assert_eq!(
            resolved(endpoint, "https://127.0.0.1:18443/subscriptions?api-version=1"),
            expected
        );
    }

    #[test]
    fn the_token_goes_below_the_endpoints_name_and_nowhere_else() {
        let azure = "https://management.azure.com/";
        assert!(resolved(azure, "https://westus.management.azure.com/x").is_some());
        for foreign in [
            "https://evilmanagement.azure.com/x",
            "http://westus.management.azure.com/x",
            "http://management.azure.com/x",
            "https://management.azure.com:8443/x",
            "//example.net/x",
            "https://management.azure.com.example.net/x",
        ] {
            assert_eq!(resolved(azure, foreign), None, "{foreign}");
        }
    }

    #[test]
    fn loopback_is_on_this_host() {
        for (url, expected) in [
            ("http://127.0.0.1:1/", true),
            ("http://127.64.0.5/", true),
            ("http://[::1]:1/", true),
            ("http://localhost/", true),
            ("http://127.0.0.1.example.net/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(on_this_host(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
