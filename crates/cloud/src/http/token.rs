//! Tokens: JWTs (HS256) that this server signs and checks, each for one audience.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::throttle::Throttle;
use crate::Weather;
use crate::app::{App, Caller, Problem};
use crate::weather::Client;

/// Whom a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Resource management.
    Management,
    /// Microsoft Graph.
    Graph,
}

/// By which names a server's audiences go. Both are taken, whatever the weather, so that
/// a token outlives a change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Those that say whose cloud it is.
    Regain,
    /// Those that do not.
    Plain,
}

/// What signs tokens and checks them.
pub(super) struct Tokens {
    pub(super) app: Arc<App>,
    pub(super) throttle: Throttle,
    lifetime: Duration,
    sign: EncodingKey,
    check: DecodingKey,
}

/// A token, issued.
pub(super) struct Issued {
    pub(super) token: String,
    /// The audience as it stands in the token.
    pub(super) audience: String,
    /// Seconds.
    pub(super) lifetime: u64,
    /// Seconds since 1970.
    pub(super) not_before: i64,
    /// Seconds since 1970.
    pub(super) expires_on: i64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    appid: String,
    idtyp: String,
    oid: String,
    sub: String,
    tid: String,
    ver: String,
    uti: String,
    /// From where the token was asked for, if that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ipaddr: Option<Ipv4Addr>,
}

impl Family {
    const ALL: [Self; 2] = [Self::Regain, Self::Plain];

    /// The one that is used in a weather.
    pub(super) fn of(weather: &Weather) -> Self {
        if weather.hide { Self::Plain } else { Self::Regain }
    }

    /// What stands in its names.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Regain => "regain",
            Self::Plain => "cloud",
        }
    }
}

impl Audience {
    /// How it stands in a token. It names this kind of cloud, not this server, so
    /// that a token outlives a change of port.
    pub(super) fn name(self, family: Family) -> String {
        let service = match self {
            Self::Management => "management",
            Self::Graph => "graph",
        };
        format!("https://{service}.{}.invalid/", family.as_str())
    }

    /// Whether that is how it stands in a token.
    fn is(self, name: &str) -> bool {
        let known = |family| {
            self.name(family).trim_end_matches('/') == name.trim_end_matches('/')
        };
        Family::ALL.into_iter().any(known)
    }

    /// The audience that a client names: by its name or by its address, as a
    /// resource (`https://x/`) or as a scope (`https://x//.default`; `az` adds a
    /// slash to the one that is there). Nothing means management.
    pub(super) fn named(asked: &str, endpoint: &str) -> Option<Self> {
        let asked = asked.trim().trim_end_matches(".default").trim_end_matches('/');
        if asked.is_empty() || asked == endpoint || Self::Management.is(asked) {
            Some(Self::Management)
        } else if Self::Graph.is(asked) || asked.strip_prefix(endpoint) == Some("/graph")
        {
            Some(Self::Graph)
        } else {
            None
        }
    }
}

impl Tokens {
    /// The tokens of one server.
    pub(super) fn new(app: Arc<App>) -> Self {
        let key = app.seal.derive("token");
        Self {
            throttle: Throttle::new(&app.limits),
            lifetime: app.limits.token,
            sign: EncodingKey::from_secret(&key),
            check: DecodingKey::from_secret(&key),
            app,
        }
    }

    /// Who sent these headers, with a token for this audience.
    pub(super) fn check(
        &self,
        headers: &HeaderMap,
        audience: Audience,
    ) -> Result<Caller, Problem> {
        let authorization = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .ok_or(Problem::AuthenticationFailed)?;
        let token = authorization
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Problem::AuthenticationFailed)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_aud = false;
        validation.validate_nbf = true;
        validation.leeway = 0;
        // A token ends with its last second, not after it.
        validation.reject_tokens_expiring_in_less_than = 1;
        let claims = match jsonwebtoken::decode::<Claims>(token, &self.check, &validation)
        {
            Ok(token) => token.claims,
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                return Err(Problem::ExpiredToken);
            }
            Err(error) => return Err(Problem::InvalidToken { why: error.to_string() }),
        };
        if !audience.is(&claims.aud) {
            return Err(Problem::WrongAudience {
                audience: claims.aud,
                right: audience.name(Family::of(&self.app.weather())),
            });
        }
        self.app.directory.principal(&claims.oid).ok_or_else(|| Problem::InvalidToken {
            why: format!("its principal '{}' does not exist any more", claims.oid),
        })
    }

    /// A token for somebody.
    pub(super) fn issue(
        &self,
        who: &Caller,
        audience: Audience,
    ) -> Result<Issued, jsonwebtoken::errors::Error> {
        let now = jiff::Timestamp::now().as_second();
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX / 2);
        let weather = self.app.weather();
        let audience = audience.name(Family::of(&weather));
        let claims = Claims {
            aud: audience.clone(),
            iss: format!("{}/adfs", self.app.endpoint),
            iat: now,
            nbf: now,
            exp: now + lifetime,
            appid: who.app_id.clone(),
            idtyp: "app".to_owned(),
            oid: who.id.clone(),
            sub: who.id.clone(),
            tid: self.app.tenant.clone(),
            ver: "1.0".to_owned(),
            uti: Uuid::new_v4().to_string(),
            ipaddr: match weather.client {
                Client::Elsewhere(address) => Some(address),
                // A principal that is no user has no such claim by itself.
                Client::Known | Client::Unknown => None,
            },
        };
        let token =
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)?;
        Ok(Issued {
            token,
            audience,
            lifetime: self.lifetime.as_secs(),
            not_before: now,
            expires_on: now + lifetime,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_known_by_its_name_and_by_its_address() {
        let here = "https://127.0.0.1:8443";
        for (asked, audience) in [
            ("", Some(Audience::Management)),
            ("https://management.regain.invalid//.default", Some(Audience::Management)),
            ("https://management.regain.invalid/", Some(Audience::Management)),
            ("https://127.0.0.1:8443", Some(Audience::Management)),
            ("https://127.0.0.1:8443/.default", Some(Audience::Management)),
            ("https://127.0.0.1:8443/graph/.default", Some(Audience::Graph)),
            ("https://graph.regain.invalid", Some(Audience::Graph)),
            ("https://management.cloud.invalid//.default", Some(Audience::Management)),
            ("https://graph.cloud.invalid", Some(Audience::Graph)),
            ("https://vault.azure.net", None),
            ("https://127.0.0.1:8443/other", None),
        ] {
            assert_eq!(Audience::named(asked, here), audience, "{asked}");
        }
    }
}
