//! What an extension is asked to be, read out of a PUT's properties.

use serde_json::{Map, Value};

use crate::app::Problem;

/// The one handler that can be asked for.
const VM_ACCESS: &str = "Microsoft.OSTCExtensions.VMAccessForLinux";

/// The version that the guest has. It does what all the versions did.
pub(super) const VERSION: &str = "1.5.25";

/// What can be asked for: a handler is chosen by its major and minor version.
pub(super) const VERSIONS: [&str; 4] = ["1.2", "1.3", "1.4", "1.5"];

/// Who publishes the handler, and what it is called.
pub(super) fn published() -> (&'static str, &'static str) {
    VM_ACCESS.rsplit_once('.').unwrap_or((VM_ACCESS, ""))
}

/// What clients add for themselves; the handler is not told.
const CLIENT_KEYS: [&str; 1] = ["task_id"];

/// What the handler takes as public settings; all else is protected.
const PUBLIC_KEYS: [&str; 3] = ["check_disk", "repair_disk", "disk_name"];

/// The handler that is asked for, in its own spelling.
pub(super) fn handler_of(given: &Map<String, Value>) -> Result<String, Problem> {
    let part = |field: &'static str| {
        given
            .get(field)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| {
                Problem::parameter(
                    field,
                    format!("Required parameter '{field}' is missing."),
                )
            })
    };
    let (publisher, kind) = (part("publisher")?, part("type")?);
    let version = part("typeHandlerVersion")?;
    let is_known = format!("{publisher}.{kind}").eq_ignore_ascii_case(VM_ACCESS);
    if is_known && VERSIONS.contains(&minor(version).as_str()) {
        return Ok(VM_ACCESS.to_owned());
    }
    let what_there_is = if is_known {
        format!("It has the versions {} here.", VERSIONS.join(", "))
    } else {
        format!("This cloud has {VM_ACCESS}, and scripts are run by run-command.")
    };
    Err(Problem::NoArtifact {
        message: format!(
            "Extension with publisher '{publisher}', type '{kind}', and type handler version \
             '{version}' could not be found in the extension repository. {what_there_is}"
        ),
    })
}

/// `1.5` of `1.5.25`.
fn minor(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// What the handler is told, public and protected, taken out of a PUT's
/// properties. Credentials belong into the protected settings; whoever writes them
/// (or `reset_ssh`, as Microsoft's own page does) into the public ones gets what
/// they want, but it is kept and sent as protected, and only flags are shown again.
pub(super) fn told(given: &mut Map<String, Value>) -> Result<(Value, Value), Problem> {
    let mut section = |field: &'static str| match given.remove(field) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(section)) => Ok(section),
        Some(_) => {
            Err(Problem::parameter(field, format!("'{field}' must be a JSON object.")))
        }
    };
    let (mut public, mut protected) =
        (section("settings")?, section("protectedSettings")?);
    for section in [&mut public, &mut protected] {
        section.retain(|key, value| {
            !value.is_null() && !CLIENT_KEYS.contains(&key.as_str())
        });
    }
    let visible: Map<String, Value> = public
        .iter()
        .filter(|(_, value)| value.is_boolean())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let moved: Vec<String> = public
        .keys()
        .filter(|key| !PUBLIC_KEYS.contains(&key.as_str()))
        .cloned()
        .collect();
    for key in moved {
        if let Some(value) = public.remove(&key) {
            protected.entry(key).or_insert(value);
        }
    }
    given.retain(|_, value| !value.is_null());
    given.insert("settings".to_owned(), Value::Object(visible));
    Ok((Value::Object(public), Value::Object(protected)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_in_public_settings_are_kept_as_protected_ones() {
        let mut given = json!({
            "settings": { "reset_ssh": true, "password": "x", "check_disk": null },
            "protectedSettings": { "username": "u", "task_id": "1" },
        });
        let given = given.as_object_mut().unwrap();
        let (public, protected) = told(given).unwrap();
        assert_eq!(public, json!({}));
        assert_eq!(
            protected,
            json!({ "username": "u", "reset_ssh": true, "password": "x" })
        );
        assert_eq!(given["settings"], json!({ "reset_ssh": true }));
    }
}
