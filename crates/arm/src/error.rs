//! What can go wrong between this program and ARM.

use std::path::PathBuf;
use std::time::Duration;

use crate::ArmError;

/// A request that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// ARM refused the request.
    #[error("{error}")]
    Api {
        /// The HTTP status.
        status: u16,
        /// ARM's reason.
        error: ArmError,
    },
    /// ARM accepted the request and failed later.
    #[error("{error}")]
    Operation {
        /// The terminal state: `Failed` or `Canceled`.
        state: Box<str>,
        /// ARM's reason.
        error: ArmError,
    },
    /// An accepted operation did not end in time. It may still go on.
    #[error("{request} was accepted and has not ended after {} s", after.as_secs())]
    Unfinished {
        /// What was asked, as in `PUT /subscriptions/…`.
        request: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// No answer came.
    #[error("no answer to {request}")]
    Transport {
        /// What was asked, as in `GET https://127.0.0.1:18443/subscriptions`.
        request: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// There is no token to send.
    #[error("signing in to {endpoint} failed")]
    Auth {
        /// The cloud's endpoint.
        endpoint: String,
        /// Why.
        #[source]
        source: Box<AuthError>,
    },
    /// The answer is not what ARM's protocol says.
    #[error("the answer to {request} is not ARM: {why}")]
    Protocol {
        /// What was asked.
        request: String,
        /// What is wrong with it.
        why: String,
    },
    /// The address is not one that a token may be sent to.
    #[error("refusing to send a token to {url}: {why}")]
    Untrusted {
        /// The address.
        url: String,
        /// Why it is not trusted.
        why: &'static str,
    },
    /// The CA bundle cannot be used.
    #[error("cannot read the CA bundle {}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// TLS or the connection pool cannot be set up, for instance because the
    /// CA bundle is not PEM.
    #[error("cannot set up TLS for {endpoint}")]
    Setup {
        /// The cloud's endpoint.
        endpoint: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

impl Error {
    /// ARM's own reason, if ARM gave one.
    pub fn arm(&self) -> Option<&ArmError> {
        match self {
            Self::Api { error, .. } | Self::Operation { error, .. } => Some(error),
            _ => None,
        }
    }

    /// The HTTP status, if ARM refused the request.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Api { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the thing that was asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Whether a condition of the write does not hold: somebody else was faster.
    pub fn is_precondition_failed(&self) -> bool {
        self.status() == Some(412)
    }

    /// Whether nothing listens at the endpoint.
    pub fn is_connect(&self) -> bool {
        matches!(self, Self::Transport { source, .. } if source.is_connect())
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The token endpoint refused.
    #[error("{error}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its reason.
        error: ArmError,
    },
    /// The token endpoint did not answer.
    #[error("no answer from {url}")]
    Transport {
        /// The token endpoint.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The token endpoint's answer cannot be used.
    #[error("the answer of {url} cannot be used: {why}")]
    Answer {
        /// The token endpoint.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Secrets go over TLS only, except on this host.
    #[error("refusing to send a secret to {url} without TLS")]
    Insecure {
        /// The token endpoint.
        url: String,
    },
    /// `az` cannot be run.
    #[error("cannot run `az account get-access-token`")]
    AzureCli(#[source] std::io::Error),
    /// `az` ran and gave no token.
    #[error("`az account get-access-token` gave no token: {0}")]
    AzureCliRefused(String),
}
