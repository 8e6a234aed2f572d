//! Long-running operations: what ARM goes on doing after it has answered.
//!
//! ```text
//! answer ─┬ Azure-AsyncOperation ─ poll until a terminal status ─┬ PUT, PATCH: GET the resource
//!         │                                                      ├ Location: GET it
//!         │                                                      └ else the operation's properties
//!         ├ Location (202) ─ poll until it is not 202 ─ its body
//!         ├ PUT, PATCH, provisioningState not terminal ─ poll the resource
//!         └ anything else has already ended
//! ```
//!
//! Where both headers are present, Azure-AsyncOperation goes first.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::http::Response;
use crate::retry::retry_after;
use crate::{ArmError, Client, Error};

/// An operation that has not ended by then is reported, not waited for.
const LONGEST: Duration = Duration::from_secs(45 * 60);
/// Where the server does not say, the first poll comes soon, because a cloud on
/// this host is done soon, and later ones come ever later.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// A cloud that asks for whole seconds is not on this host: there is little to be gained
/// by asking it more often than this, and Azure counts the questions (docs/azure.md).
const SPARING: Duration = Duration::from_millis(3300);
/// The longest wait that a server gets between two polls.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

/// A request that ARM has accepted, and whose work may still go on.
#[derive(Debug)]
pub struct Operation {
    client: Client,
    method: Method,
    path: String,
    body: Value,
    wait: Option<Duration>,
    stage: Stage,
}

/// How the end is recognised.
#[derive(Debug)]
enum Stage {
    Ended,
    Status { url: String, location: Option<String> },
    Location { url: String },
    Resource,
}

impl Operation {
    pub(crate) fn new(
        client: Client,
        method: Method,
        path: String,
        answer: &Response,
        body: Value,
    ) -> Self {
        let header = |name| answer.header(name).map(str::to_owned);
        let location = header("location");
        let stage = if let Some(url) = header("azure-asyncoperation") {
            Stage::Status { url, location }
        } else if answer.status == StatusCode::ACCEPTED
            && let Some(url) = location
        {
            Stage::Location { url }
        } else if replaces(&method) && !terminal(provisioning_state(&body)) {
            Stage::Resource
        } else {
            Stage::Ended
        };
        Self { client, method, path, body, wait: retry_after(&answer.headers), stage }
    }

    /// The body of ARM's first answer.
    pub fn accepted(&self) -> &Value {
        &self.body
    }

    /// Waits for the end and gives what a synchronous answer would have been:
    /// the resource for a PUT or PATCH, the result for a POST, null for a DELETE.
    pub async fn wait(mut self) -> Result<Value, Error> {
        let started = Instant::now();
        let mut growing = FIRST_WAIT;
        loop {
            let done = match &self.stage {
                Stage::Ended => return Ok(self.body),
                Stage::Status { url, .. } => self.poll_status(url).await?,
                Stage::Location { url } => self.poll_location(url).await?,
                Stage::Resource => self.poll_resource().await?,
            };
            match done {
                Poll::Ended(body) => return Ok(body),
                Poll::Running(asked) => self.wait = asked,
            }
            if started.elapsed() > LONGEST {
                let path = self.path.split('?').next().unwrap_or_default();
                return Err(Error::Unfinished {
                    request: format!("{} {path}", self.method),
                    after: LONGEST,
                });
            }
            // To come back at once would be to ask without pause; to come back in
            // an hour would be to learn of the end an hour late.
            let wait = match self.wait.filter(|wait| !wait.is_zero()) {
                Some(asked) if asked < Duration::from_secs(1) => asked,
                Some(asked) => asked.clamp(SPARING, LONGEST_ASKED),
                None => growing,
            };
            tokio::time::sleep(wait).await;
            growing = (growing * 2).min(LONGEST_WAIT);
        }
    }

    async fn poll_status(&self, url: &str) -> Result<Poll, Error> {
        let (answer, body) = self.client.exchange(&Method::GET, url, None, None).await?;
        let status = body["status"].as_str().unwrap_or_default();
        if !terminal(Some(status)) {
            return Ok(Poll::Running(retry_after(&answer.headers)));
        }
        succeeded(status, &body)?;
        self.result(body).await.map(Poll::Ended)
    }

    /// After success: where the result of the operation is.
    async fn result(&self, mut status: Value) -> Result<Value, Error> {
        if replaces(&self.method) {
            return self.client.get(&self.path).await;
        }
        if self.method == Method::DELETE {
            return Ok(Value::Null);
        }
        if let Stage::Status { location: Some(url), .. } = &self.stage {
            return self.client.get(url).await;
        }
        Ok(match status["properties"].take() {
            Value::Null => status,
            properties => properties,
        })
    }

    async fn poll_location(&self, url: &str) -> Result<Poll, Error> {
        let (answer, body) = self.client.exchange(&Method::GET, url, None, None).await?;
        if answer.status == StatusCode::ACCEPTED {
            return Ok(Poll::Running(retry_after(&answer.headers)));
        }
        if replaces(&self.method) && body.is_null() {
            return self.client.get(&self.path).await.map(Poll::Ended);
        }
        Ok(Poll::Ended(body))
    }

    async fn poll_resource(&self) -> Result<Poll, Error> {
        let (answer, body) =
            self.client.exchange(&Method::GET, &self.path, None, None).await?;
        let Some(state) = provisioning_state(&body) else { return Ok(Poll::Ended(body)) };
        if !terminal(Some(state)) {
            return Ok(Poll::Running(retry_after(&answer.headers)));
        }
        succeeded(state, &body)?;
        Ok(Poll::Ended(body))
    }
}

enum Poll {
    Running(Option<Duration>),
    Ended(Value),
}

fn replaces(method: &Method) -> bool {
    *method == Method::PUT || *method == Method::PATCH
}

fn provisioning_state(body: &Value) -> Option<&str> {
    body["properties"]["provisioningState"].as_str()
}

/// No state at all means that there is nothing to wait for.
fn terminal(state: Option<&str>) -> bool {
    state.is_none_or(|state| {
        ["succeeded", "failed", "canceled", "cancelled"]
            .iter()
            .any(|end| state.eq_ignore_ascii_case(end))
    })
}

fn succeeded(state: &str, body: &Value) -> Result<(), Error> {
    if state.eq_ignore_ascii_case("succeeded") {
        return Ok(());
    }
    let error = if body["error"].is_object() {
        ArmError::from_body(200, body.to_string().as_bytes())
    } else {
        ArmError::new(
            format!("Operation{state}"),
            format!("the operation ended '{state}'"),
        )
    };
    Err(Error::Operation { state: state.into(), error })
}
