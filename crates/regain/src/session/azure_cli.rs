//! What `az` knows: the cloud that it is set to, and its subscription.
//!
//! Both come from az's own files, so that nothing goes over a network before it
//! is known that somebody is logged in.

use std::env;
use std::path::PathBuf;
use std::process::Stdio;

use arm::Credential;
use serde_json::Value;
use tokio::process::Command;

use crate::failure::Failure;

/// Where `az` is logged in.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) endpoint: String,
    pub(super) subscription: String,
}

/// The credential of `az`, if there is an `az`.
pub(super) fn credential() -> Result<Credential, Failure> {
    if installed() { Ok(Credential::AzureCli) } else { Err(nothing()) }
}

/// Asks `az` for its cloud and its subscription.
pub(super) async fn account() -> Result<Account, Failure> {
    if !installed() {
        return Err(nothing());
    }
    let (cloud, account) =
        tokio::join!(ask(&["cloud", "show"]), ask(&["account", "show"]));
    let logged_out = || {
        Failure::new("`az` is not logged in, and no lab is running")
            .next("`az login` for Azure, or `regain lab up` for a local cloud")
    };
    let account = account.ok_or_else(logged_out)?;
    let endpoint = cloud
        .as_ref()
        .and_then(|cloud| cloud["endpoints"]["resourceManager"].as_str())
        .unwrap_or(super::environment::AZURE)
        .to_owned();
    let subscription = account["id"].as_str().ok_or_else(logged_out)?.to_owned();
    Ok(Account { endpoint, subscription })
}

async fn ask(question: &[&str]) -> Option<Value> {
    let output = Command::new("az")
        .args(question)
        .args(["--output", "json", "--only-show-errors"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    output.status.success().then(|| serde_json::from_slice(&output.stdout).ok())?
}

/// Whether somebody is logged in by `az`, as far as its files say.
pub(super) fn is_logged_in() -> bool {
    let own = env::var_os("AZURE_CONFIG_DIR").map(PathBuf::from);
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".azure"));
    let profile = own.or_else(home).map(|dir| dir.join("azureProfile.json"));
    let text = profile.and_then(|profile| std::fs::read_to_string(profile).ok());
    // az writes a byte order mark.
    let text = text.unwrap_or_default();
    let profile: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    let subscriptions = profile["subscriptions"].as_array();
    installed() && subscriptions.is_some_and(|all| !all.is_empty())
}

fn installed() -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|dir| dir.join("az").is_file()))
}

fn nothing() -> Failure {
    Failure::new(
        "there is no cloud to ask: no lab is running, and nobody is logged in to Azure",
    )
    .next(
        "`regain lab up` for a local cloud; or `az login`; or set REGAIN_ENDPOINT, \
         REGAIN_TENANT, REGAIN_CLIENT_ID and REGAIN_CLIENT_SECRET",
    )
}
