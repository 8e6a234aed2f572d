//! Credentials: four ways to a token, and the one token that is kept.
//!
//! A [`Credential`] says how; [`Tokens`] holds the token until shortly before
//! it expires. A 401 drops it early, once per request ([`Tokens::renew`]).

mod azure_cli;
mod client_secret;
mod managed_identity;

pub use managed_identity::IdentityEndpoint;

use std::time::{Duration, Instant};

use reqwest::Url;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::http::on_this_host;
use crate::{ArmError, AuthError, Endpoints, Learned, Secret};

/// A token this close to its end is replaced: a request that is on its way when
/// the token expires would fail.
const MARGIN: Duration = Duration::from_secs(120);

/// How to sign in.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A service principal with a secret.
    ClientSecret {
        /// The tenant's id.
        tenant: String,
        /// The application's id.
        client_id: String,
        /// Its secret.
        secret: Secret,
    },
    /// The identity of the machine or service that this program runs on.
    ManagedIdentity {
        /// Where it is asked for.
        endpoint: IdentityEndpoint,
        /// The user-assigned identity, if it is not the system-assigned one.
        client_id: Option<String>,
    },
    /// Whatever `az login` left behind.
    AzureCli,
    /// A token that somebody else got. It cannot be renewed.
    Token(Secret),
}

/// A token and its end.
pub(crate) struct Token {
    text: Secret,
    expires: Option<Instant>,
}

/// The one token of a client.
pub(crate) struct Tokens {
    credential: Credential,
    endpoints: Endpoints,
    http: reqwest::Client,
    kept: Mutex<Option<Token>>,
}

impl Tokens {
    pub(crate) fn new(
        credential: Credential,
        endpoints: Endpoints,
        http: reqwest::Client,
    ) -> Self {
        Self { credential, endpoints, http, kept: Mutex::new(None) }
    }

    /// The same, with a token that another client has got.
    pub(crate) fn with(self, token: Option<Token>) -> Self {
        Self { kept: Mutex::new(token), ..self }
    }

    /// What the next client may begin with; nothing if the token has no end.
    pub(crate) async fn learned(&self) -> Result<Option<Learned>, AuthError> {
        self.current().await?;
        let kept = self.kept.lock().await;
        let learned = |token| Learned::new(self.endpoints.clone(), token);
        Ok(kept.as_ref().and_then(learned))
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    /// A token that is good for a while.
    pub(crate) async fn current(&self) -> Result<Secret, AuthError> {
        // The lock is held while a token is fetched, so that many requests at
        // once fetch one.
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.as_ref()
            && token.is_good()
        {
            return Ok(token.text.clone());
        }
        let token = self.fetch().await?;
        Ok(kept.insert(token).text.clone())
    }

    /// A token other than `refused`, or none if this credential cannot renew.
    pub(crate) async fn renew(
        &self,
        refused: &Secret,
    ) -> Result<Option<Secret>, AuthError> {
        if matches!(self.credential, Credential::Token(_)) {
            return Ok(None);
        }
        {
            let mut kept = self.kept.lock().await;
            // Another request may have renewed it meanwhile.
            if kept.as_ref().is_some_and(|token| token.text == *refused) {
                *kept = None;
            }
        }
        let token = self.current().await?;
        Ok((token != *refused).then_some(token))
    }

    async fn fetch(&self) -> Result<Token, AuthError> {
        match &self.credential {
            Credential::ClientSecret { tenant, client_id, secret } => {
                client_secret::token(
                    &self.http,
                    &self.endpoints,
                    tenant,
                    client_id,
                    secret,
                )
                .await
            }
            Credential::ManagedIdentity { endpoint, client_id } => {
                let audience = &self.endpoints.audience;
                managed_identity::token(
                    &self.http,
                    endpoint,
                    client_id.as_deref(),
                    audience,
                )
                .await
            }
            Credential::AzureCli => azure_cli::token(&self.endpoints.audience).await,
            Credential::Token(text) => Ok(Token { text: text.clone(), expires: None }),
        }
    }
}

impl Token {
    pub(crate) fn until(text: Secret, expires: Option<Instant>) -> Self {
        Self { text, expires }
    }

    pub(crate) fn text(&self) -> &Secret {
        &self.text
    }

    pub(crate) fn expires(&self) -> Option<Instant> {
        self.expires
    }

    pub(crate) fn is_good(&self) -> bool {
        self.expires.is_none_or(|end| Instant::now() + MARGIN < end)
    }

    fn lasting(text: &str, seconds: Option<u64>) -> Self {
        let expires = seconds
            .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
        Self { text: Secret::new(text), expires }
    }

    /// Reads a token endpoint's answer. Lifetimes come as numbers or as text,
    /// as `expires_in` (seconds) or only as `expires_on` (seconds since 1970).
    fn from_answer(url: &Url, status: u16, body: &[u8]) -> Result<Self, AuthError> {
        if !(200..300).contains(&status) {
            return Err(AuthError::Refused {
                status,
                error: ArmError::from_body(status, body),
            });
        }
        let unusable =
            |why: &str| AuthError::Answer { url: shown(url), why: why.to_owned() };
        let answer: Value =
            serde_json::from_slice(body).map_err(|_| unusable("it is not JSON"))?;
        let text = answer["access_token"]
            .as_str()
            .ok_or_else(|| unusable("'access_token' is missing"))?;
        let lifetime = seconds(&answer["expires_in"])
            .or_else(|| seconds(&answer["expires_on"]).map(until));
        Ok(Self::lasting(text, lifetime))
    }
}

fn seconds(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Seconds from now until a moment given in seconds since 1970.
fn until(epoch: u64) -> u64 {
    let now = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default();
    epoch.saturating_sub(now)
}

/// Secrets go over TLS, or stay on this host.
fn require_tls(url: &Url) -> Result<(), AuthError> {
    if url.scheme() == "https" || on_this_host(url) {
        return Ok(());
    }
    Err(AuthError::Insecure { url: shown(url) })
}

fn parse_url(text: &str) -> Result<Url, AuthError> {
    Url::parse(text).map_err(|error| AuthError::Answer {
        url: text.to_owned(),
        why: error.to_string(),
    })
}

async fn exchange(
    url: &Url,
    request: reqwest::RequestBuilder,
) -> Result<(u16, Vec<u8>), AuthError> {
    let lost = |source: reqwest::Error| AuthError::Transport {
        url: shown(url),
        source: source.without_url(),
    };
    let answer = request.send().await.map_err(lost)?;
    let status = answer.status().as_u16();
    let body = answer.bytes().await.map_err(lost)?;
    tracing::debug!(url = shown(url), status, "token endpoint answered");
    Ok((status, body.to_vec()))
}

fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Token, AuthError> {
        let url = Url::parse("https://127.0.0.1/token").unwrap();
        Token::from_answer(&url, 200, body.as_bytes())
    }

    #[test]
    fn lifetimes_are_numbers_or_text() {
        for body in [
            r#"{"access_token":"t","expires_in":3600}"#,
            r#"{"access_token":"t","expires_in":"3600"}"#,
            r#"{"access_token":"t","expires_on":"99999999999"}"#,
        ] {
            assert!(read(body).unwrap().is_good(), "{body}");
        }
        assert!(!read(r#"{"access_token":"t","expires_in":60}"#).unwrap().is_good());
        assert!(!read(r#"{"access_token":"t","expires_on":1}"#).unwrap().is_good());
    }

    #[test]
    fn an_answer_without_a_token_says_so() {
        let error = read(r#"{"token_type":"Bearer"}"#).err().unwrap();
        assert!(error.to_string().contains("'access_token' is missing"));
    }

    #[test]
    fn a_secret_does_not_leave_this_host_in_clear() {
        assert!(require_tls(&Url::parse("http://127.0.0.1:1/token").unwrap()).is_ok());
        assert!(require_tls(&Url::parse("https://login.example/token").unwrap()).is_ok());
        assert!(require_tls(&Url::parse("http://login.example/token").unwrap()).is_err());
    }

    #[test]
    fn debug_of_a_credential_hides_the_secret() {
        let credential = Credential::ClientSecret {
            tenant: "t".into(),
            client_id: "c".into(),
            secret: Secret::new("hunter2"),
        };
        assert!(!format!("{credential:?}").contains("hunter2"));
    }
}
