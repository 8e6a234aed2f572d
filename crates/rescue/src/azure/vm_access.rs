//! VMAccess: the platform's own resets, which replace what they reset.

use serde_json::{Value, json};

use super::{COMPUTE, Vm, array, refused, text, view};
use crate::platform::{PlatformError, Reset, silent};

const PUBLISHER: &str = "Microsoft.OSTCExtensions";
const KIND: &str = "VMAccessForLinux";

/// Puts the extension, and waits until its handler has done it.
pub(super) async fn run(vm: &Vm, reset: &Reset) -> Result<(), PlatformError> {
    let (protected, what) = match reset {
        Reset::Sshd => (json!({ "reset_ssh": true }), "reset sshd's configuration"),
        Reset::Credentials { user, key } => {
            (json!({ "username": user, "ssh_key": key }), "set the account's key")
        }
    };
    let view = view::look(vm).await?;
    // The request would hang until Azure gives it up.
    if let Some(why) = silent(&view.section) {
        return Err(PlatformError::Impossible(format!("VMAccess cannot be used: {why}")));
    }
    let document = view.said;
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
    let path = format!("{}/extensions/{name}?api-version={COMPUTE}", vm.id);
    vm.cloud.put(&path, &body).await.map(drop).map_err(|error| refused(what, error))
}

/// Azure allows one instance of a handler: the one that is there is used again.
fn extension_name(vm: &Value) -> &str {
    array(vm, "/properties/instanceView/extensions")
        .iter()
        .find(|extension| {
            text(extension, "/type").is_some_and(|kind| {
                kind.eq_ignore_ascii_case(&format!("{PUBLISHER}.{KIND}"))
            })
        })
        .and_then(|extension| text(extension, "/name"))
        .unwrap_or("enablevmaccess")
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
