//! The shape in which `az` prints ARM's documents.
//!
//! ARM nests what matters under `properties`; az's commands for VMs and networks
//! merge it up, at every depth, leave nulls out, and add `resourceGroup` wherever
//! there is an id.

use arm::ResourceId;
use serde_json::{Map, Value};

/// What a client wrote, not ARM: passed on as it is.
const OPAQUE: [&str; 4] = ["tags", "settings", "protectedSettings", "additionalInfo"];

/// The document as az prints it.
pub(crate) fn flat(document: Value) -> Value {
    match document {
        Value::Array(items) => items.into_iter().map(flat).collect(),
        Value::Object(map) => Value::Object(flat_object(map)),
        scalar => scalar,
    }
}

/// A VM's extension as az prints it: az knows of no etag there.
pub(crate) fn extension(document: Value) -> Value {
    let mut document = flat(document);
    if let Some(map) = document.as_object_mut() {
        map.shift_remove("etag");
    }
    document
}

/// A VM as az prints it: of the resources in it only the handler's type is said.
pub(crate) fn vm(document: Value) -> Value {
    let mut document = flat(document);
    let resources = document.get_mut("resources").and_then(Value::as_array_mut);
    for resource in resources.into_iter().flatten().filter_map(Value::as_object_mut) {
        resource.shift_remove("etag");
        if resource.contains_key("typePropertiesType") {
            resource.shift_remove("type");
        }
    }
    document
}

/// Keys come out in az's own order, which a table of a query shows: sorted, with
/// what was below `properties` in its place, and the group last.
fn flat_object(map: Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    let outer: Vec<String> =
        map.keys().filter(|key| *key != "properties").cloned().collect();
    for (key, value) in sorted(map) {
        match value {
            Value::Object(properties) if key == "properties" => {
                let given = sorted(properties).into_iter();
                for (key, value) in given.filter(|(_, value)| !value.is_null()) {
                    // An extension has a type as a resource and one as a handler.
                    let name =
                        if outer.contains(&key) { renamed(&key) } else { key.clone() };
                    out.insert(name, below(&key, value));
                }
            }
            Value::Null => {}
            value => {
                let value = below(&key, value);
                out.insert(key, value);
            }
        }
    }
    with_group(&mut out);
    out
}

/// The document as az's SDK-based commands print it: as ARM gives it, null where
/// one of the `keys` of its kind is missing, and the group wherever there is an id.
pub(crate) fn with_nulls(mut document: Value, keys: &[&str]) -> Value {
    let mut out = Map::new();
    for key in keys {
        out.insert((*key).to_owned(), document[*key].take());
    }
    if let Value::Object(given) = document {
        // What az's model does not know is passed on.
        for (key, value) in given {
            out.entry(key).or_insert(value);
        }
    }
    let mut document = Value::Object(out);
    with_groups(&mut document);
    document
}

/// Adds the group to everything that has an id, at every depth.
pub(crate) fn with_groups(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(with_groups),
        Value::Object(object) => {
            with_group(object);
            object.values_mut().for_each(with_groups);
        }
        _ => {}
    }
}

/// Adds the group that an id names.
pub(crate) fn with_group(object: &mut Map<String, Value>) {
    let id = object.get("id").and_then(Value::as_str);
    let id = id.and_then(|id| ResourceId::parse(id).ok());
    // A group's own id is not the id of something in a group.
    let group = id
        .filter(|id| !id.is_type("Microsoft.Resources/resourceGroups"))
        .and_then(|id| id.group().map(str::to_owned));
    if let Some(group) = group {
        object.entry("resourceGroup").or_insert(Value::String(group));
    }
}

/// A time as Python's `isoformat` writes it, because az's SDK has read it:
/// `2026-11-22T15:00:32.811000+00:00`. What is no time stays.
pub(crate) fn python_time(value: &Value) -> Value {
    let Some(time) = value.as_str().and_then(|text| text.strip_suffix('Z')) else {
        return value.clone();
    };
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
    let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let micros = if micros == "000000" { String::new() } else { format!(".{micros}") };
    format!("{seconds}{micros}+00:00").into()
}

fn sorted(map: Map<String, Value>) -> Vec<(String, Value)> {
    let mut pairs: Vec<(String, Value)> = map.into_iter().collect();
    pairs.sort_by(|(left, _), (right, _)| left.cmp(right));
    pairs
}

fn below(key: &str, value: Value) -> Value {
    if OPAQUE.contains(&key) { value } else { flat(value) }
}

fn renamed(key: &str) -> String {
    if key == "type" {
        "typePropertiesType".to_owned()
    } else {
        format!("{key}Properties")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn properties_are_merged_up_at_every_depth() {
        let vm = json!({
            "id": "/subscriptions/s/resourceGroups/lab/providers/Microsoft.Compute/virtualMachines/vm1",
            "name": "vm1",
            "tags": {"properties": {"mine": 1}},
            "properties": {
                "provisioningState": "Succeeded",
                "networkProfile": {"networkInterfaces": [{"id": "/x", "properties": {"primary": true}}]},
            },
        });
        assert_eq!(
            flat(vm),
            json!({
                "id": "/subscriptions/s/resourceGroups/lab/providers/Microsoft.Compute/virtualMachines/vm1",
                "name": "vm1",
                "tags": {"properties": {"mine": 1}},
                "provisioningState": "Succeeded",
                "networkProfile": {"networkInterfaces": [{"id": "/x", "primary": true}]},
                "resourceGroup": "lab",
            })
        );
    }

    #[test]
    fn times_are_pythons() {
        for (arm, python) in [
            ("2026-11-22T15:00:32.811Z", "2026-11-22T15:00:32.811000+00:00"),
            ("2026-11-22T15:00:32Z", "2026-11-22T15:00:32+00:00"),
            ("soon", "soon"),
        ] {
            assert_eq!(python_time(&json!(arm)), json!(python));
        }
    }

    #[test]
    fn a_models_keys_are_all_there_and_others_stay() {
        let nic = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n";
        let vm =
            json!({"name": "vm", "etag": "1", "properties": {"nics": [{"id": nic}]}});
        assert_eq!(
            with_nulls(vm, &["name", "plan", "properties"]),
            json!({
                "name": "vm", "plan": null, "etag": "1",
                "properties": {"nics": [{"id": nic, "resourceGroup": "g"}]},
            })
        );
    }

    #[test]
    fn nulls_are_left_out() {
        let rule =
            json!({"name": "r", "etag": null, "properties": {"description": null}});
        assert_eq!(flat(rule), json!({"name": "r"}));
    }

    #[test]
    fn only_resources_have_a_group() {
        let group = json!({"id": "/subscriptions/s/resourceGroups/lab"});
        assert_eq!(flat(group.clone()), group);
    }

    #[test]
    fn resources_in_a_vm_have_their_handlers_type() {
        let document = json!({"resources": [{
            "etag": "1",
            "type": "Microsoft.Compute/virtualMachines/extensions",
            "properties": {"type": "VMAccessForLinux"},
        }]});
        let expected = json!({"resources": [{"typePropertiesType": "VMAccessForLinux"}]});
        assert_eq!(vm(document), expected);
    }

    #[test]
    fn an_extension_has_two_types() {
        let extension = json!({
            "type": "Microsoft.Compute/virtualMachines/extensions",
            "properties": {"type": "VMAccessForLinux", "settings": {"properties": {"a": 1}}},
        });
        assert_eq!(
            flat(extension),
            json!({
                "type": "Microsoft.Compute/virtualMachines/extensions",
                "typePropertiesType": "VMAccessForLinux",
                "settings": {"properties": {"a": 1}},
            })
        );
    }
}
