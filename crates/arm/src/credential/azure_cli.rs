//! The login that `az` keeps.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::{Token, seconds, until};
use crate::AuthError;

pub(super) async fn token(audience: &str) -> Result<Token, AuthError> {
    let output = Command::new("az")
        .args(["account", "get-access-token", "--output", "json", "--resource", audience])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(AuthError::AzureCli)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let line = said
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("it said nothing");
        return Err(AuthError::AzureCliRefused(
            line.trim_start_matches("ERROR: ").to_owned(),
        ));
    }
    // Never quoted in an error: this text holds the token.
    read(&output.stdout).ok_or_else(|| {
        AuthError::AzureCliRefused("its answer has no accessToken".to_owned())
    })
}

fn read(stdout: &[u8]) -> Option<Token> {
    let answer: Value = serde_json::from_slice(stdout).ok()?;
    let text = answer["accessToken"].as_str()?;
    // `expires_on` is absent before az 2.54; such a token is used until ARM
    // refuses it.
    Some(Token::lasting(text, seconds(&answer["expires_on"]).map(until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ages_of_az_are_read() {
        let new =
            br#"{"accessToken":"t","expiresOn":"2026-01-01 00:00:00","expires_on":1}"#;
        assert!(!read(new).unwrap().is_good());
        let old = br#"{"accessToken":"t","expiresOn":"2026-01-01 00:00:00"}"#;
        assert!(read(old).unwrap().is_good());
        assert!(read(b"{}").is_none());
    }
}
