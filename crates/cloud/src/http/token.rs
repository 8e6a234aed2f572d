//! Sign-in: OAuth's client credentials for tokens that this server signs.
//!
//! The authority ends in `/adfs`, because that is what keeps `az` from asking
//! Microsoft whether it knows the authority. Tokens are JWTs (HS256): who issues
//! them is who checks them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::app::Problem;
use crate::state::Credentials;
use crate::store::Seal;

/// Whom a token is for. It names this kind of cloud, not this server, so that a
/// token outlives a change of port.
pub(super) const AUDIENCE: &str = "https://management.regain.invalid/";

/// What signs tokens and checks them.
pub(crate) struct Tokens {
    credentials: Credentials,
    endpoint: String,
    lifetime: Duration,
    sign: EncodingKey,
    check: DecodingKey,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    appid: String,
    oid: String,
    sub: String,
    tid: String,
    ver: String,
    jti: String,
}

impl Tokens {
    /// Tokens of one server for one service principal.
    pub(super) fn new(
        credentials: Credentials,
        endpoint: String,
        lifetime: Duration,
        seal: &Seal,
    ) -> Self {
        let key = seal.derive("token");
        Self {
            credentials,
            endpoint,
            lifetime,
            sign: EncodingKey::from_secret(&key),
            check: DecodingKey::from_secret(&key),
        }
    }

    /// Checks an `Authorization` header.
    pub(super) fn check(&self, authorization: Option<&str>) -> Result<(), Problem> {
        let authorization = authorization.ok_or(Problem::AuthenticationFailed)?;
        let token = authorization
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Problem::AuthenticationFailed)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_nbf = true;
        validation.leeway = 0;
        // A token ends with its last second, not after it.
        validation.reject_tokens_expiring_in_less_than = 1;
        match jsonwebtoken::decode::<Claims>(token, &self.check, &validation) {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => {
                Err(Problem::ExpiredToken)
            }
            Err(error) => Err(Problem::InvalidToken { why: error.to_string() }),
        }
    }

    fn issue(&self) -> Result<String, jsonwebtoken::errors::Error> {
        let now = jiff::Timestamp::now().as_second();
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX / 2);
        let who = &self.credentials.client_id;
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            iss: format!("{}/adfs", self.endpoint),
            iat: now,
            nbf: now,
            exp: now + lifetime,
            appid: who.clone(),
            oid: who.clone(),
            sub: who.clone(),
            tid: self.credentials.tenant.clone(),
            ver: "1.0".to_owned(),
            jti: Uuid::new_v4().to_string(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
    }
}

/// `GET /adfs/.well-known/openid-configuration`
pub(super) async fn discovery(State(tokens): State<Arc<Tokens>>) -> Response {
    let authority = format!("{}/adfs", tokens.endpoint);
    Json(json!({
        "issuer": authority,
        "authorization_endpoint": format!("{authority}/oauth2/authorize"),
        "token_endpoint": format!("{authority}/oauth2/token"),
        "device_authorization_endpoint": format!("{authority}/oauth2/devicecode"),
        "jwks_uri": format!("{authority}/discovery/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "grant_types_supported": ["client_credentials"],
    }))
    .into_response()
}

/// `GET /adfs/discovery/keys`: the key is symmetric, so there is none to show.
pub(super) async fn keys() -> Response {
    Json(json!({ "keys": [] })).into_response()
}

/// `POST /adfs/oauth2/token`
pub(super) async fn token(
    State(tokens): State<Arc<Tokens>>,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("grant_type") != "client_credentials" {
        return refusal(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "Only a service principal with a secret can sign in here \
             (grant_type=client_credentials).",
        );
    }
    let known = field("client_id").eq_ignore_ascii_case(&tokens.credentials.client_id);
    let secret = tokens.credentials.client_secret.as_bytes();
    let right =
        constant_time::verify_slices_are_equal(field("client_secret").as_bytes(), secret)
            .is_ok();
    if !known || !right {
        return refusal(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            "The client id or the client secret is wrong. Both are in credentials.json in \
             the server's state directory.",
        );
    }
    // az writes the audience with its slash, and then another one.
    let asked = match field("resource") {
        "" => field("scope").trim_end_matches(".default"),
        resource => resource,
    };
    let asked = asked.trim_end_matches('/');
    let known = [AUDIENCE.trim_end_matches('/'), tokens.endpoint.as_str(), ""];
    if !known.contains(&asked) {
        return refusal(
            StatusCode::BAD_REQUEST,
            "invalid_resource",
            &format!("Tokens are for {AUDIENCE} only, not for '{asked}'."),
        );
    }
    match tokens.issue() {
        Ok(token) => Json(json!({
            "token_type": "Bearer",
            "expires_in": tokens.lifetime.as_secs(),
            "ext_expires_in": tokens.lifetime.as_secs(),
            "access_token": token,
        }))
        .into_response(),
        Err(error) => {
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "server_error", &error.to_string())
        }
    }
}

fn refusal(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    (status, Json(body)).into_response()
}
