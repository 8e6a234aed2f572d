//! What a client has learned about a cloud, to be kept for the next one: its
//! endpoints, and the token with its end. A process that begins with it saves
//! three round trips.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::credential::Token;
use crate::{Endpoints, Secret};

/// What one client can tell the next. It holds a token: keep it as private as
/// the credential.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Learned {
    pub(crate) endpoints: Endpoints,
    token: Secret,
    /// Seconds since 1970.
    expires: i64,
}

impl Learned {
    pub(crate) fn new(endpoints: Endpoints, token: &Token) -> Option<Self> {
        let left = token.expires()?.checked_duration_since(Instant::now())?;
        let left = i64::try_from(left.as_secs()).ok()?;
        let expires = jiff::Timestamp::now().as_second().checked_add(left)?;
        Some(Self { endpoints, token: token.text().clone(), expires })
    }

    /// Whether the token is good for a while yet.
    pub fn is_good(&self) -> bool {
        self.token().is_some_and(|token| token.is_good())
    }

    pub(crate) fn token(&self) -> Option<Token> {
        let left = self.expires.checked_sub(jiff::Timestamp::now().as_second())?;
        let left = Duration::from_secs(u64::try_from(left).ok()?);
        Some(Token::until(self.token.clone(), Instant::now().checked_add(left)))
    }
}
