//! The shape of a machine's document: what Azure adds to what was asked for, what it
//! never shows, and what cannot change.

use arm::ResourceId;
use guest::provision::Provision;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::machine_size;
use crate::app::Problem;
use crate::app::document::text;
use crate::store::now;

/// What Azure adds to a new machine's properties, and what it takes away: no GET
/// ever shows a password.
pub(super) fn fill_in(
    given: &mut Map<String, Value>,
    id: &ResourceId,
    provision: &Provision,
) {
    given.retain(|_, value| !value.is_null());
    given.remove("instanceView");
    given.insert("vmId".to_owned(), json!(Uuid::new_v4()));
    given.insert("provisioningState".to_owned(), json!("Creating"));
    given.insert("timeCreated".to_owned(), json!(now()));
    given.entry("hardwareProfile").or_insert(json!({ "vmSize": machine_size::USUAL }));
    given
        .entry("diagnosticsProfile")
        .or_insert(json!({ "bootDiagnostics": { "enabled": true } }));
    if let Some(profile) = given.get_mut("osProfile").and_then(Value::as_object_mut) {
        profile.remove("adminPassword");
        profile.remove("customData");
        profile.insert("computerName".to_owned(), json!(provision.hostname));
        profile.entry("secrets").or_insert(json!([]));
        profile.entry("allowExtensionOperations").or_insert(json!(true));
        let linux = profile.entry("linuxConfiguration").or_insert(json!({}));
        if let Some(linux) = linux.as_object_mut() {
            let keys_only = provision.password_hash.is_none();
            linux.entry("disablePasswordAuthentication").or_insert(json!(keys_only));
            linux.entry("provisionVMAgent").or_insert(json!(true));
        }
    }
    let storage = given.entry("storageProfile").or_insert(json!({}));
    let disk = &mut storage["osDisk"];
    if !disk.is_object() {
        *disk = json!({ "createOption": "FromImage", "caching": "ReadWrite" });
    }
    if disk["name"].is_null() {
        disk["name"] = json!(format!("{}_OsDisk_1", id.name()));
    }
    disk["osType"] = json!("Linux");
    storage["dataDisks"] = json!([]);
    let interfaces = given
        .get_mut("networkProfile")
        .and_then(|profile| profile.get_mut("networkInterfaces"))
        .and_then(Value::as_array_mut);
    for interface in interfaces.into_iter().flatten() {
        let properties = interface
            .as_object_mut()
            .map(|nic| nic.entry("properties").or_insert(json!({})));
        if let Some(properties) = properties.and_then(Value::as_object_mut) {
            properties.retain(|_, value| !value.is_null());
            properties.insert("primary".to_owned(), json!(true));
        }
    }
}

/// Takes over what a PUT of an existing machine does not say, and refuses what it
/// cannot change.
pub(super) fn keep_the_immutable(
    given: &mut Map<String, Value>,
    before: &Value,
) -> Result<(), Problem> {
    given.retain(|_, value| !value.is_null());
    given.remove("instanceView");
    let old = &before["properties"];
    if given.get("osProfile").is_some_and(|profile| !profile["adminPassword"].is_null()) {
        return Err(unchangeable("osProfile.adminPassword"));
    }
    for (pointer, name) in [
        ("/osProfile/adminUsername", "osProfile.adminUsername"),
        ("/osProfile/computerName", "osProfile.computerName"),
        ("/storageProfile/imageReference/publisher", "imageReference"),
        ("/storageProfile/imageReference/offer", "imageReference"),
        ("/storageProfile/imageReference/sku", "imageReference"),
        ("/networkProfile/networkInterfaces/0/id", "networkProfile.networkInterfaces"),
    ] {
        let new = Value::Object(given.clone());
        let (new, old) = (text(&new, pointer), text(old, pointer));
        if new.is_some_and(|new| !old.is_some_and(|old| old.eq_ignore_ascii_case(new))) {
            return Err(unchangeable(name));
        }
    }
    let lasting =
        ["vmId", "timeCreated", "osProfile", "storageProfile", "networkProfile"];
    for field in lasting {
        if let Some(value) = old.get(field) {
            given.insert(field.to_owned(), value.clone());
        }
    }
    for field in ["hardwareProfile", "diagnosticsProfile"] {
        if let Some(value) = old.get(field) {
            given.entry(field).or_insert_with(|| value.clone());
        }
    }
    Ok(())
}

fn unchangeable(property: &str) -> Problem {
    Problem::Conflict {
        code: "PropertyChangeNotAllowed",
        message: format!("Changing property '{property}' is not allowed."),
    }
}

/// RFC 7396: objects are merged, null removes, anything else replaces.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(target) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_merges_and_null_removes() {
        let mut target = json!({ "tags": { "a": "1", "b": "2" }, "x": [1] });
        merge(&mut target, &json!({ "tags": { "a": null, "c": "3" }, "x": [2] }));
        assert_eq!(target, json!({ "tags": { "b": "2", "c": "3" }, "x": [2] }));
    }

    #[test]
    fn what_a_machine_was_made_with_cannot_change() {
        let before = json!({ "properties": {
            "vmId": "v", "osProfile": { "adminUsername": "u" },
            "networkProfile": { "networkInterfaces": [{ "id": "/A" }] },
        } });
        let given = |value: Value| value.as_object().unwrap().clone();
        let mut same =
            given(json!({ "networkProfile": { "networkInterfaces": [{ "id": "/a" }] } }));
        keep_the_immutable(&mut same, &before).unwrap();
        assert_eq!(same["vmId"], "v");
        let mut other = given(json!({ "osProfile": { "adminUsername": "w" } }));
        assert!(keep_the_immutable(&mut other, &before).is_err());
        let mut password = given(json!({ "osProfile": { "adminPassword": "p" } }));
        assert!(keep_the_immutable(&mut password, &before).is_err());
    }
}
