//! A service principal's secret, exchanged for a token (RFC 6749 section 4.4).
//!
//! Two dialects. An authority that ends in `/adfs` is asked where its token
//! endpoint is, as `az` does; the Microsoft identity platform's is known.

use reqwest::Url;
use serde_json::Value;

use super::{Token, exchange, parse_url, require_tls, shown};
use crate::{AuthError, Endpoints, Secret};

pub(super) async fn token(
    http: &reqwest::Client,
    endpoints: &Endpoints,
    tenant: &str,
    client_id: &str,
    secret: &Secret,
) -> Result<Token, AuthError> {
    let url = token_endpoint(http, &endpoints.login, tenant).await?;
    require_tls(&url)?;
    // The double slash that this can make is what `az` sends as well.
    let scope = format!("{}/.default", endpoints.audience);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client_id),
        ("client_secret", secret.reveal()),
        ("scope", &scope),
    ];
    let (status, body) = exchange(&url, http.post(url.clone()).form(&form)).await?;
    Token::from_answer(&url, status, &body)
}

async fn token_endpoint(
    http: &reqwest::Client,
    login: &str,
    tenant: &str,
) -> Result<Url, AuthError> {
    let login = login.trim_end_matches('/');
    if !login.to_ascii_lowercase().ends_with("/adfs") {
        return parse_url(&format!("{login}/{tenant}/oauth2/v2.0/token"));
    }
    let discovery = parse_url(&format!("{login}/.well-known/openid-configuration"))?;
    require_tls(&discovery)?;
    let (_, body) = exchange(&discovery, http.get(discovery.clone())).await?;
    let unusable =
        |why: &str| AuthError::Answer { url: shown(&discovery), why: why.to_owned() };
    let document: Value =
        serde_json::from_slice(&body).map_err(|_| unusable("it is not JSON"))?;
    let endpoint = document["token_endpoint"]
        .as_str()
        .ok_or_else(|| unusable("'token_endpoint' is missing"))?;
    let url = parse_url(endpoint)?;
    if url.host_str() != discovery.host_str() {
        return Err(unusable("the token endpoint is on another host"));
    }
    Ok(url)
}
