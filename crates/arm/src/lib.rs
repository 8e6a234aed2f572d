//! Azure Resource Manager: its vocabulary, and a client that speaks it.
//!
//! The vocabulary is [`ResourceId`] and [`ArmError`]; servers and clients both
//! use it. The [`Client`] finds a cloud's endpoints, signs in with a
//! [`Credential`], and sends requests to paths that carry their own
//! `api-version`. Each request moves through the same stations:
//!
//! ```text
//! Client ─ where may the token go? ─ token (credential/) ─ send (http, retry)
//!        └ operation: wait for the end of what the cloud does afterwards
//!        └ page: follow nextLink
//! ```
//!
//! Nothing here knows about virtual machines or networks: bodies are
//! [`serde_json::Value`]s, and who looks into one says what it looks for.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod arm_error;
mod client;
mod credential;
mod endpoints;
mod error;
mod http;
mod id;
mod learned;
mod operation;
mod page;
mod retry;
mod secret;

pub use arm_error::ArmError;
pub use client::{Answer, Client, Precondition, Raw};
pub use credential::{Credential, IdentityEndpoint};
pub use endpoints::{Endpoints, RegainExtras};
pub use error::{AuthError, Error};
pub use id::{InvalidResourceId, ResourceId};
pub use learned::Learned;
pub use operation::Operation;
pub use reqwest::Method;
pub use secret::Secret;
