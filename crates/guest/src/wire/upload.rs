//! `PUT :32526/status`: the request by which an agent hands its status blob to the
//! host's plugin.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::WireError;

const DOCUMENT: &str = "the status upload";

/// The body of `PUT :32526/status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusUpload {
    /// The blob's address out of the goal state; the host uploads there.
    pub request_uri: String,
    /// The status blob's JSON text.
    pub content: Vec<u8>,
}

impl StatusUpload {
    /// The request's body; `date` is the value of `x-ms-date` (RFC 1123 or ISO 8601).
    pub fn to_json(&self, date: &str) -> String {
        let header =
            |name: &str, value: &str| json!({"headerName": name, "headerValue": value});
        json!({
            "requestUri": self.request_uri,
            "headers": [
                header("Content-Length", &self.content.len().to_string()),
                header("x-ms-blob-type", "BlockBlob"),
                header("x-ms-date", date),
                header("x-ms-version", "2014-02-14"),
            ],
            "content": STANDARD.encode(&self.content),
        })
        .to_string()
    }

    /// Reads a request's body; the headers are the host's business and are skipped.
    pub fn parse(body: &[u8]) -> Result<StatusUpload, WireError> {
        let body: Value = serde_json::from_slice(body)
            .map_err(|source| WireError::Json { document: DOCUMENT, source })?;
        let text = |part: &'static str| {
            body.get(part)
                .and_then(Value::as_str)
                .ok_or(WireError::Missing { document: DOCUMENT, part })
        };
        let packed: String = text("content")?.split_whitespace().collect();
        let content = STANDARD
            .decode(packed)
            .map_err(|source| WireError::Base64 { document: DOCUMENT, source })?;
        Ok(StatusUpload { request_uri: text("requestUri")?.to_owned(), content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_read_back() {
        let upload = StatusUpload {
            request_uri: "http://blob/status?sig=a&b".into(),
            content: b"{\"version\":\"1.1\"}".to_vec(),
        };
        let body = upload.to_json("2026-01-01T00:00:00Z");
        assert_eq!(StatusUpload::parse(body.as_bytes()).expect("own text"), upload);
    }
}
