//! The client: one cloud, one credential, requests by path.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

use crate::credential::Tokens;
use crate::http::{self, Response};
use crate::{
    AuthError, Credential, Endpoints, Error, Learned, Operation, endpoints, page,
};

/// A signed-in way to one cloud. Cheap to clone; clones share the connections
/// and the token.
///
/// Paths start with a slash and carry their own `api-version`:
/// `/subscriptions/{s}/resourceGroups?api-version=2024-11-01`.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Url,
    http: reqwest::Client,
    tokens: Tokens,
}

/// What must hold of a resource for a write to happen (RFC 9110, section 13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// It still has this etag, as ARM gave it (`If-Match`).
    Unchanged(String),
    /// It does not exist (`If-None-Match: *`).
    Absent,
}

impl Precondition {
    pub(crate) fn header(&self) -> (&'static str, &str) {
        match self {
            Self::Unchanged(etag) => ("if-match", etag),
            Self::Absent => ("if-none-match", "*"),
        }
    }
}

/// A request as somebody wrote it.
#[derive(Debug)]
pub struct Raw {
    /// The method.
    pub method: Method,
    /// A path of the cloud, or an address.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
    /// Whether the cloud's token goes along.
    pub signed: bool,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Whether the status is no refusal.
    pub ok: bool,
    /// The status in words, as in `Not Found`.
    pub reason: String,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Client {
    /// Finds the endpoints of the cloud at `endpoint`
    /// (`https://management.azure.com`). `ca` is a PEM bundle that replaces
    /// the system's roots. No token is fetched before one is needed.
    pub async fn connect(
        endpoint: &str,
        ca: Option<&Path>,
        credential: Credential,
    ) -> Result<Self, Error> {
        let endpoint = trusted(endpoint)?;
        let http = http::client(&endpoint, ca)?;
        let endpoints = endpoints::discover(&http, &endpoint).await?;
        let tokens = Tokens::new(credential, endpoints, http.clone());
        Ok(Self { shared: Arc::new(Shared { endpoint, http, tokens }) })
    }

    /// Goes on with what another client has learned. Nothing is asked before it is
    /// needed; a token that the cloud refuses is replaced.
    pub fn resume(
        endpoint: &str,
        ca: Option<&Path>,
        credential: Credential,
        learned: Learned,
    ) -> Result<Self, Error> {
        let endpoint = trusted(endpoint)?;
        let http = http::client(&endpoint, ca)?;
        let token = learned.token();
        let tokens = Tokens::new(credential, learned.endpoints, http.clone()).with(token);
        Ok(Self { shared: Arc::new(Shared { endpoint, http, tokens }) })
    }

    /// What the next client may go on with; nothing if the token has no end.
    pub async fn learned(&self) -> Result<Option<Learned>, Error> {
        self.shared.tokens.learned().await.map_err(|error| self.auth(error))
    }

    fn auth(&self, error: AuthError) -> Error {
        let endpoint = self.shared.endpoint.to_string();
        Error::Auth { endpoint, source: Box::new(error) }
    }

    /// What the cloud says about itself.
    pub fn endpoints(&self) -> &Endpoints {
        self.shared.tokens.endpoints()
    }

    /// GETs a resource.
    pub async fn get(&self, path: &str) -> Result<Value, Error> {
        Ok(self.request(&Method::GET, path, None).await?.1)
    }

    /// GETs a whole collection, page by page.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>, Error> {
        page::all(self, path).await
    }

    /// PUTs a resource and waits until it is made. Gives the resource.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.begin(Method::PUT, path, Some(body)).await?.wait().await
    }

    /// PUTs a resource only if it is as the caller believes, and waits until it is
    /// made. Where it is not, the error's [`Error::is_precondition_failed`] is true
    /// and nothing was written.
    pub async fn put_if(
        &self,
        path: &str,
        body: &Value,
        precondition: &Precondition,
    ) -> Result<Value, Error> {
        let begun = self.begin_if(Method::PUT, path, Some(body), Some(precondition));
        begun.await?.wait().await
    }

    /// DELETEs a resource only if it is as the caller believes, as [`Client::put_if`].
    pub async fn delete_if(
        &self,
        path: &str,
        precondition: &Precondition,
    ) -> Result<(), Error> {
        let begun = self.begin_if(Method::DELETE, path, None, Some(precondition));
        begun.await?.wait().await.map(drop)
    }

    /// PATCHes a resource and waits until it is changed. Gives the resource.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.begin(Method::PATCH, path, Some(body)).await?.wait().await
    }

    /// POSTs an action and waits for its end. A null body is not sent. Gives
    /// the action's result, null if it has none.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.begin(Method::POST, path, Some(body)).await?.wait().await
    }

    /// DELETEs a resource and waits until it is gone. One that did not exist is
    /// gone already (ARM answers 204).
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        self.begin(Method::DELETE, path, None).await?.wait().await.map(drop)
    }

    /// Sends a request and gives the operation that it started, without waiting
    /// for its end.
    pub async fn begin(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Operation, Error> {
        self.begin_if(method, path, body, None).await
    }

    async fn begin_if(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        precondition: Option<&Precondition>,
    ) -> Result<Operation, Error> {
        let body = body.filter(|body| !body.is_null());
        let (answer, value) = self.exchange(&method, path, body, precondition).await?;
        Ok(Operation::new(self.clone(), method, path.to_owned(), &answer, value))
    }

    /// Sends one request and gives its status and body. Nothing is waited for
    /// and no page is followed.
    pub async fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), Error> {
        let (answer, value) = self.exchange(method, path, body, None).await?;
        Ok((answer.status.as_u16(), value))
    }

    /// Fetches a document from an address that carries its own permission, such
    /// as a boot log's. No token is sent, so any address will do.
    pub async fn download(&self, url: &str) -> Result<Vec<u8>, Error> {
        let url = Url::parse(url).map_err(|_| Error::Untrusted {
            url: url.split('?').next().unwrap_or_default().to_owned(),
            why: "it is not a URL",
        })?;
        let answer =
            http::send(&self.shared.http, &Method::GET, &url, None, None, None).await?;
        Ok(answer.accepted()?.body)
    }

    /// The cloud's Microsoft Graph, with the same credential. None if the cloud
    /// does not say where it is.
    pub fn graph(&self) -> Option<Self> {
        let Shared { http, tokens, .. } = &*self.shared;
        let graph = tokens.endpoints().graph.clone()?;
        let endpoint = Url::parse(&graph).ok()?;
        let endpoints = Endpoints { audience: graph, ..tokens.endpoints().clone() };
        let tokens = Tokens::new(tokens.credential().clone(), endpoints, http.clone());
        Some(Self { shared: Arc::new(Shared { endpoint, http: http.clone(), tokens }) })
    }

    /// Who asks: the claims of the token, unverified, for showing only.
    pub async fn claims(&self) -> Result<Value, Error> {
        let Shared { endpoint, tokens, .. } = &*self.shared;
        let token = tokens.current().await.map_err(|error| Error::Auth {
            endpoint: endpoint.to_string(),
            source: Box::new(error),
        })?;
        let claims = token.reveal().split('.').nth(1).unwrap_or_default();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
        Ok(serde_json::from_slice(&claims).unwrap_or_default())
    }

    /// Sends one request just as it is said, and gives the answer just as it
    /// came. The token goes along where it may; an address elsewhere gets none.
    pub async fn send(&self, request: Raw) -> Result<Answer, Error> {
        let Shared { endpoint, http, tokens } = &*self.shared;
        let (url, known) = match http::resolve(endpoint, &request.url) {
            Ok(url) => (url, true),
            Err(error) => (Url::parse(&request.url).map_err(|_| error)?, false),
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let name = HeaderName::try_from(name.as_str());
            let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.as_str()))
            else {
                return Err(Error::Protocol {
                    request: http::describe(&request.method, &url),
                    why: "a header cannot be sent as it is".to_owned(),
                });
            };
            headers.insert(name, value);
        }
        let mut sent =
            http.request(request.method.clone(), url.clone()).headers(headers.clone());
        if known && request.signed && !headers.contains_key("authorization") {
            let token = tokens.current().await.map_err(|error| Error::Auth {
                endpoint: endpoint.to_string(),
                source: Box::new(error),
            })?;
            sent = sent.bearer_auth(token.reveal());
        }
        if let Some(body) = request.body {
            sent = sent.body(body);
        }
        let failed = |source: reqwest::Error| Error::Transport {
            request: http::describe(&request.method, &url),
            source: source.without_url(),
        };
        let answer = sent.send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(failed)?.to_vec();
        let reason = status.canonical_reason().unwrap_or_default().to_owned();
        Ok(Answer { ok: status.is_success() || status.is_redirection(), reason, body })
    }

    pub(crate) async fn exchange(
        &self,
        method: &Method,
        target: &str,
        body: Option<&Value>,
        precondition: Option<&Precondition>,
    ) -> Result<(Response, Value), Error> {
        let Shared { endpoint, http, tokens } = &*self.shared;
        let auth = |error| self.auth(error);
        let url = http::resolve(endpoint, target)?;
        let token = tokens.current().await.map_err(auth)?;
        let send =
            |token| http::send(http, method, &url, Some(token), body, precondition);
        let mut answer = send(&token).await?;
        // A token can be revoked before it expires. ARM refuses before it does
        // anything, so that even a POST can be sent once more.
        if answer.status == StatusCode::UNAUTHORIZED
            && let Some(renewed) = tokens.renew(&token).await.map_err(auth)?
        {
            answer = send(&renewed).await?;
        }
        let answer = answer.accepted()?;
        let value = answer.json(method, &url)?;
        Ok((answer, value))
    }
}

/// The endpoint, if a token may be sent there at all.
fn trusted(endpoint: &str) -> Result<Url, Error> {
    let untrusted = |why| Error::Untrusted { url: endpoint.to_owned(), why };
    let url = Url::parse(endpoint).map_err(|_| untrusted("it is not a URL"))?;
    if url.scheme() == "https" || http::on_this_host(&url) {
        Ok(url)
    } else {
        Err(untrusted("it is not https"))
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.shared.endpoint.as_str())
            .finish()
    }
}
