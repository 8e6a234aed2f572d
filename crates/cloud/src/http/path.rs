//! Paths: ARM compares them without regard to case, and clients write them in any.
//!
//! One layer in front of the router replaces each request's path by its lower-case
//! form, in which all routes are written, and keeps the spelling. [`Spelling::id`] then makes
//! a resource id from the spelling, with Azure's own spelling of type names, so
//! that ids look the same whoever wrote them first.

use arm::ResourceId;
use axum::extract::Request;
use axum::http::Uri;

use crate::app::spelling;

/// A request's path as it was sent: decoded segments.
#[derive(Clone, Debug)]
pub(super) struct Spelling(Vec<String>);

/// Brings a request's path into the form in which routes are written.
pub(super) fn normalise(mut request: Request) -> Request {
    let uri = request.uri();
    let segments: Vec<&str> =
        uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let spelling = Spelling(segments.iter().map(|segment| decoded(segment)).collect());
    let mut path = format!("/{}", segments.join("/").to_ascii_lowercase());
    if let Some(query) = uri.query() {
        path = format!("{path}?{query}");
    }
    // Only case and empty segments have changed, so it parses again.
    if let Ok(uri) = path.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(spelling);
    request
}

impl Spelling {
    /// The id made of the first `depth` segments.
    pub(super) fn id(&self, depth: usize) -> Result<ResourceId, arm::InvalidResourceId> {
        let mut path = String::new();
        // After `providers` and the namespace come types and names by turns.
        let mut since_provider = None;
        for segment in self.0.iter().take(depth) {
            let odd = |c: char| c == '/' || c.is_control();
            if matches!(segment.as_str(), "." | "..") || segment.contains(odd) {
                return Err(arm::InvalidResourceId {
                    text: segment.escape_default().to_string(),
                    why: "it has characters that no id has",
                });
            }
            path.push('/');
            if segment.eq_ignore_ascii_case("providers") {
                since_provider = Some(0);
                path.push_str(segment);
                continue;
            }
            let is_word = since_provider.is_some_and(|at| at == 0 || at % 2 == 1);
            path.push_str(if is_word { spelling::of(segment) } else { segment });
            since_provider = since_provider.map(|at| at + 1);
        }
        ResourceId::parse(&path)
    }

    /// The segments after the first `depth`.
    pub(super) fn after(&self, depth: usize) -> Vec<String> {
        self.0.iter().skip(depth).cloned().collect()
    }

    /// The path as it was sent.
    pub(super) fn path(&self) -> String {
        format!("/{}", self.0.join("/"))
    }
}

/// Percent-decoded; what is not well encoded stays as it is.
fn decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| segment.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(plain).unwrap_or_else(|_| segment.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn normalised(path: &str) -> Request {
        normalise(Request::builder().uri(path).body(Body::empty()).unwrap())
    }

    #[test]
    fn routes_see_lower_case_and_ids_keep_their_spelling() {
        let request = normalised(
            "/Subscriptions/S/resourcegroups/My%20G/PROVIDERS/microsoft.compute/virtualmachines/VM1/?x=Y",
        );
        assert_eq!(
            request.uri(),
            "/subscriptions/s/resourcegroups/my%20g/providers/microsoft.compute/virtualmachines/vm1?x=Y"
        );
        let request = normalised(
            "/SUBSCRIPTIONS/S/resourcegroups/G/Providers/microsoft.compute/virtualmachines/VM1/restart",
        );
        let spelling = request.extensions().get::<Spelling>().unwrap();
        assert_eq!(
            spelling.id(8).unwrap().as_str(),
            "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/VM1"
        );
    }

    #[test]
    fn what_is_not_well_encoded_stays() {
        assert_eq!(decoded("a%2Db%zz%4"), "a-b%zz%4");
        assert_eq!(decoded("%ff"), "%ff");
    }
}
