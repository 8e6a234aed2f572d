//! VMAccess: the platform's own resets, which replace what they reset.
//!
//! The extension keeps no undo that anybody can call, so what it is about to replace
//! is recorded in the guest. Where that channel does not answer, the reset goes ahead (it is a last resort) and the journal says that it cannot be taken back.

use doctor::Step;
use serde_json::{Value, json};

use crate::Request;
use crate::apply::{ApplyError, document};
use crate::channel::Guest;
use crate::collect::{COMPUTE, client, text};
use crate::edit::{self, Keep};
use crate::journal::{Journal, Undo};
use crate::ssh::Settings;

const PUBLISHER: &str = "Microsoft.OSTCExtensions";
const KIND: &str = "VMAccessForLinux";

/// A stock sshd configuration.
pub(crate) async fn reset_ssh(
    request: &Request,
    step: &Step,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let settings = json!({ "reset_ssh": true });
    run(request, step, journal, Keep::Sshd, &settings, "reset sshd's configuration").await
}

/// The account with the client's own public key.
pub(crate) async fn reset_credentials(
    request: &Request,
    step: &Step,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let key = public_key(request).await.ok_or_else(|| {
        let why = "no private key of this client can be read; name one with -i";
        ApplyError::Impossible(why.to_owned())
    })?;
    let settings = json!({ "username": request.user, "ssh_key": key });
    run(
        request,
        step,
        journal,
        Keep::Account(&request.user),
        &settings,
        "set the account's key",
    )
    .await
}

async fn run(
    request: &Request,
    step: &Step,
    journal: &mut Journal,
    keep: Keep<'_>,
    protected: &Value,
    what: &'static str,
) -> Result<(u32, Vec<String>), ApplyError> {
    let (cloud, vm) =
        request.cloud().map_err(|why| ApplyError::Impossible(why.to_owned()))?;
    let document = document(cloud, vm).await?;
    let number = journal.begin(step, Undo::Guest)?;
    if let Err(error) = record(request, journal, number, keep).await {
        let why = format!(
            "{what} cannot be taken back: the guest did not record what was there \
             before ({})",
            error.explain()
        );
        journal.amend(number, Undo::Nothing { why })?;
    }
    let name = extension_name(&document);
    let body = json!({
        "location": text(&document, "/location").unwrap_or_default(),
        "properties": {
            "publisher": PUBLISHER,
            "type": KIND,
            "typeHandlerVersion": "1.5",
            "autoUpgradeMinorVersion": true,
            "settings": {},
            "protectedSettings": protected,
        },
    });
    let path = format!("{vm}/extensions/{name}?api-version={COMPUTE}");
    cloud.put(&path, &body).await.map_err(ApplyError::arm(what))?;
    Ok((number, Vec::new()))
}

/// Has the guest record what the extension will replace.
async fn record(
    request: &Request,
    journal: &Journal,
    number: u32,
    keep: Keep<'_>,
) -> Result<(), ApplyError> {
    let script = edit::keep(&format!("{}/{number}", journal.id), keep);
    let ran = Guest::of(request)?.run(&script).await?;
    match ran.exit {
        0 => Ok(()),
        exit => {
            let why = ran.stderr.trim().to_owned();
            Err(ApplyError::Script { exit, why, remains: Vec::new() })
        }
    }
}

/// Azure allows one instance of a handler: the one that is there is used again.
fn extension_name(vm: &Value) -> &str {
    vm.pointer("/properties/instanceView/extensions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|extension| {
            text(extension, "/type").is_some_and(|kind| {
                kind.eq_ignore_ascii_case(&format!("{PUBLISHER}.{KIND}"))
            })
        })
        .and_then(|extension| text(extension, "/name"))
        .unwrap_or("enablevmaccess")
}

/// The public half of the first key that the client has.
async fn public_key(request: &Request) -> Option<String> {
    let host = request.host.as_deref().unwrap_or("localhost");
    let settings = Settings::of(request, host).await;
    let client = client(&settings, &|_| {}).await;
    let identities = &client.collected()?.identities;
    identities.iter().find_map(|identity| identity.public_key.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_under_another_name_is_used_again() {
        let view = |kind: &str| {
            json!({ "properties": { "instanceView": { "extensions": [
                { "name": "mine", "type": kind },
            ]}}})
        };
        let ours = view("microsoft.ostcextensions.vmaccessforlinux");
        assert_eq!(extension_name(&ours), "mine");
        assert_eq!(extension_name(&view("Other.Thing")), "enablevmaccess");
        assert_eq!(extension_name(&json!({})), "enablevmaccess");
    }
}
