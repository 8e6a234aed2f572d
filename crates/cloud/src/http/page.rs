//! Pages of lists: the address of the next one.
//!
//! It is the address of this one with a `$skiptoken`, which says after which key to
//! go on. The token is signed together with the path and the filter, so that nobody
//! takes it elsewhere or makes one up.

use aws_lc_rs::hmac;
use axum::extract::{Query, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::path::Spelling;
use crate::app::Problem;
use crate::store::Seal;

const SKIP_TOKEN: &str = "$skiptoken";
/// How much of a signature a token carries.
const SIGNATURE: usize = 16;

/// Where a request was sent to.
#[derive(Clone, Debug)]
pub(super) struct Place {
    path: String,
    query: Vec<(String, String)>,
}

impl Place {
    /// Where `request` was sent to.
    pub(super) fn of(request: &Request) -> Self {
        let path = request
            .extensions()
            .get::<Spelling>()
            .map_or_else(|| request.uri().path().to_owned(), Spelling::path);
        let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri())
            .map(|Query(pairs)| pairs)
            .unwrap_or_default();
        Self { path, query }
    }

    /// The path as it was sent.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The query, decoded.
    pub(super) fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// The key after which the client wants to go on.
    pub(super) fn after(&self, seal: &Seal) -> Result<Option<String>, Problem> {
        let Some(token) = self.parameter(SKIP_TOKEN) else { return Ok(None) };
        let refused = || Problem::Invalid {
            code: "InvalidSkipToken",
            message:
                "The $skiptoken is not one that this server gave for this list. Start \
                      again without it."
                    .to_owned(),
            target: Some(SKIP_TOKEN),
        };
        let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused())?;
        let (signature, key) = token.split_at_checked(SIGNATURE).ok_or_else(refused)?;
        let key = String::from_utf8(key.to_vec()).map_err(|_| refused())?;
        if self.signature(seal, &key) == signature {
            Ok(Some(key))
        } else {
            Err(refused())
        }
    }

    /// The address of the page after `key`.
    pub(super) fn link(&self, seal: &Seal, endpoint: &str, key: &str) -> String {
        let mut token = self.signature(seal, key);
        token.extend(key.as_bytes());
        let mut link = format!("{endpoint}{}?", encoded(&self.path, true));
        for (name, value) in &self.query {
            if !name.eq_ignore_ascii_case(SKIP_TOKEN) {
                link += &format!("{}={}&", encoded(name, false), encoded(value, false));
            }
        }
        link + &format!("%24skiptoken={}", URL_SAFE_NO_PAD.encode(token))
    }

    fn signature(&self, seal: &Seal, key: &str) -> Vec<u8> {
        let signer = hmac::Key::new(hmac::HMAC_SHA256, &seal.derive("skip token"));
        let filter = self.parameter("$filter").unwrap_or_default();
        let signed = format!("{}\n{filter}\n{key}", self.path.to_lowercase());
        hmac::sign(&signer, signed.as_bytes()).as_ref()[..SIGNATURE].to_vec()
    }

    fn parameter(&self, wanted: &str) -> Option<&str> {
        let (_, value) =
            self.query.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        Some(value)
    }
}

/// Percent-encoded, with or without slashes.
fn encoded(text: &str, path: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric()
            || b"-._~".contains(&byte)
            || (path && b"/()".contains(&byte));
        if plain {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn place(uri: &str) -> Place {
        Place::of(&Request::builder().uri(uri).body(Body::empty()).unwrap())
    }

    #[test]
    fn a_link_carries_the_query_and_its_token_holds_for_its_list_only() {
        let seal = Seal::new([7; 32]);
        let here = place("/a/b?api-version=1&$filter=name%20eq%20'x%26y'&$top=2");
        let link = here.link(&seal, "https://h", "/some/key");
        assert!(
            link.starts_with(
                "https://h/a/b?api-version=1&%24filter=name%20eq%20%27x%26y%27&%24top=2&%24skiptoken="
            ),
            "{link}"
        );
        let next = link.strip_prefix("https://h").unwrap();
        assert_eq!(place(next).after(&seal).unwrap().as_deref(), Some("/some/key"));
        assert!(place(&next.replace("/a/b", "/a/c")).after(&seal).is_err());
        assert!(place(&next.replace("x%26y", "z")).after(&seal).is_err());
        assert!(place(next).after(&Seal::new([8; 32])).is_err());
        for token in ["x", "", "AAAA", "%FF"] {
            assert!(place(&format!("/a/b?$skiptoken={token}")).after(&seal).is_err());
        }
        assert_eq!(here.after(&seal).unwrap(), None);
    }
}
