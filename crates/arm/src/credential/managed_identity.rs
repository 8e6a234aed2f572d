//! The identity of the machine that this program runs on.
//!
//! A VM asks its metadata service; App Service and its kin name an endpoint and
//! a header in the environment. Neither needs a secret to be stored anywhere.

use reqwest::Url;

use super::{Token, exchange, parse_url};
use crate::{AuthError, Secret};

/// Where a managed identity's token is asked for.
#[derive(Debug, Clone)]
pub enum IdentityEndpoint {
    /// The instance metadata service of a VM.
    Imds {
        /// Its base address: [`IdentityEndpoint::IMDS`] on Azure.
        base: String,
    },
    /// What `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` name.
    AppService {
        /// The endpoint's address.
        url: String,
        /// The header's value, which proves that the caller is this service.
        header: Secret,
    },
}

impl IdentityEndpoint {
    /// The metadata service's address in every Azure VM.
    pub const IMDS: &str = "http://169.254.169.254";
}

pub(super) async fn token(
    http: &reqwest::Client,
    endpoint: &IdentityEndpoint,
    client_id: Option<&str>,
    audience: &str,
) -> Result<Token, AuthError> {
    let (mut url, version, header): (Url, _, _) = match endpoint {
        IdentityEndpoint::Imds { base } => {
            let base = base.trim_end_matches('/');
            let url = parse_url(&format!("{base}/metadata/identity/oauth2/token"))?;
            (url, "2018-02-01", ("metadata", "true"))
        }
        IdentityEndpoint::AppService { url, header } => {
            (parse_url(url)?, "2019-08-01", ("x-identity-header", header.reveal()))
        }
    };
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("api-version", version).append_pair("resource", audience);
        if let Some(client_id) = client_id {
            query.append_pair("client_id", client_id);
        }
    }
    let (status, body) =
        exchange(&url, http.get(url.clone()).header(header.0, header.1)).await?;
    Token::from_answer(&url, status, &body)
}
