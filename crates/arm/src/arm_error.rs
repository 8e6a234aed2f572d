//! The error envelope of ARM: `{"error":{"code","message","target","details"}}`.
//!
//! One type for both ends: the cloud writes it, the client reads it. Reading is
//! lenient, because proxies and token endpoints answer in other shapes and the
//! operator must still see what they said.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

/// What ARM says when something went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArmError {
    /// The code that programs go by, as in `ResourceNotFound`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub code: String,
    /// The sentence that people go by.
    #[serde(default, deserialize_with = "null_is_default")]
    pub message: String,
    /// What the error is about: a property's path or a resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Errors below this one.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub details: Vec<Self>,
}

impl ArmError {
    /// An error with a code and a message.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            target: None,
            details: Vec::new(),
        }
    }

    /// The same error, about `target`.
    #[must_use]
    pub fn with_target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// The same error with one more below it.
    #[must_use]
    pub fn with_detail(mut self, detail: Self) -> Self {
        self.details.push(detail);
        self
    }

    /// The body of a response that carries this error.
    pub fn envelope(&self) -> Value {
        json!({ "error": self })
    }

    /// Reads the body of a failed response: ARM's envelope, OAuth's
    /// `error`/`error_description`, or whatever text there is.
    pub fn from_body(status: u16, body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            let text = String::from_utf8_lossy(body);
            return Self::new(status_code(status), brief(text.trim(), status));
        };
        if let Some(code) = value["error"].as_str() {
            let message = value["error_description"].as_str().unwrap_or(code);
            return Self::new(code, message);
        }
        let inner = if value["error"].is_object() { &value["error"] } else { &value };
        match Self::deserialize(inner) {
            Ok(error) if !error.code.is_empty() || !error.message.is_empty() => error,
            _ => Self::new(status_code(status), brief(&value.to_string(), status)),
        }
    }
}

impl fmt::Display for ArmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) {}", self.code, self.message)
    }
}

impl std::error::Error for ArmError {}

/// A code for a response that names none.
fn status_code(status: u16) -> String {
    reqwest::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .map_or_else(
            || format!("Http{status}"),
            |reason| reason.replace([' ', '-', '\''], ""),
        )
}

/// The text itself, cut where it stops being a message.
fn brief(text: &str, status: u16) -> String {
    const LONGEST: usize = 500;
    if text.is_empty() || text == "null" {
        return format!("the server answered {status} and gave no reason");
    }
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_survives_a_round_trip() {
        let error = ArmError::new("SecurityRuleConflict", "rules conflict")
            .with_target("nsg1")
            .with_detail(ArmError::new("Inner", "why"));
        let body = error.envelope().to_string();
        assert_eq!(ArmError::from_body(400, body.as_bytes()), error);
    }

    #[test]
    fn absent_parts_are_not_written() {
        let body = ArmError::new("X", "M").envelope().to_string();
        assert_eq!(body, r#"{"error":{"code":"X","message":"M"}}"#);
    }

    #[test]
    fn oauth_errors_and_nulls_are_read() {
        let body = br#"{"error":"invalid_client","error_description":"wrong secret"}"#;
        assert_eq!(
            ArmError::from_body(401, body),
            ArmError::new("invalid_client", "wrong secret")
        );
        let body =
            br#"{"error":{"code":"X","message":null,"target":null,"details":null}}"#;
        assert_eq!(ArmError::from_body(400, body), ArmError::new("X", ""));
    }

    #[test]
    fn anything_else_is_shown_as_it_came() {
        let error = ArmError::from_body(502, b"<html>bad gateway</html>");
        assert_eq!(error.to_string(), "(BadGateway) <html>bad gateway</html>");
        let error = ArmError::from_body(503, b"");
        assert_eq!(error.message, "the server answered 503 and gave no reason");
        assert!(
            ArmError::from_body(500, "あ".repeat(9000).as_bytes()).message.ends_with('…')
        );
    }
}
