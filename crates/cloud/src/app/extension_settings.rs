//! What an extension is asked to be, read out of a PUT's properties.

use serde_json::{Map, Value};

use super::Problem;

/// The one handler that can be asked for.
const VM_ACCESS: &str = "Microsoft.OSTCExtensions.VMAccessForLinux";

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
    let asked = format!("{}.{}", part("publisher")?, part("type")?);
    if asked.eq_ignore_ascii_case(VM_ACCESS) {
        return Ok(VM_ACCESS.to_owned());
    }
    Err(Problem::NotFound {
        message: format!(
            "The handler '{asked}' was not found in this cloud. It has {VM_ACCESS}, and scripts \
             are run by runCommand."
        ),
    })
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
