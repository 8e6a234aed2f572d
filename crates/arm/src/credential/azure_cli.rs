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
        return Err(AuthError::AzureCliRefused(words(&said)));
    }
    // Never quoted in an error: this text holds the token.
    read(&output.stdout).ok_or_else(|| {
        AuthError::AzureCliRefused("its answer has no accessToken".to_owned())
    })
}

/// What az says, and what it says to do: `az login --scope ...` stands a line later.
fn words(said: &str) -> String {
    let lines = said.lines().map(|line| line.trim().trim_start_matches("ERROR: "));
    let said: Vec<&str> = lines.filter(|line| !line.is_empty()).take(6).collect();
    if said.is_empty() { "it said nothing".to_owned() } else { said.join("; ") }
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
    fn az_s_advice_is_passed_on() {
        let said = "ERROR: AADSTS50076: you must use multi-factor authentication.\n\
                    Trace ID: 1\nInteractive authentication is needed. Please run:\n\
                    az login --scope https://management.core.windows.net//.default\n";
        let words = words(said);
        assert!(words.starts_with("AADSTS50076") && words.contains("az login --scope"));
        assert!(super::words("").contains("nothing"));
    }

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
