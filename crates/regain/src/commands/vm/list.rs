//! `vm list`

use arm::ResourceId;
use serde_json::{Map, Value};

use crate::api::{self, VM};
use crate::args::vm::List;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;
use crate::vm_details;

pub(super) async fn run(args: List, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let scope = session.scope(args.group.as_deref())?;
    let path = api::below(&scope, "providers/Microsoft.Compute/virtualMachines", VM);
    let vms = session.client.list(&path).await?;
    if !args.show_details {
        return Ok(Answer::new(flat(Value::Array(vms))).with_columns(columns));
    }
    let mut documents = Vec::with_capacity(vms.len());
    for id in vms.iter().filter_map(|vm| ResourceId::parse(vm["id"].as_str()?).ok()) {
        documents.push(vm_details::show(&session.client, &id).await?);
    }
    Ok(Answer::new(Value::Array(documents)).with_columns(columns))
}

/// az's columns for VMs.
pub(super) fn columns(vms: &Value) -> Value {
    match vms {
        Value::Array(vms) => vms.iter().map(row).collect(),
        vm => row(vm),
    }
}

fn row(vm: &Value) -> Value {
    let mut row = Map::new();
    for key in ["name", "resourceGroup", "powerState", "publicIps", "fqdns", "location"] {
        row.insert(key.to_owned(), vm[key].clone());
    }
    // The column is there if the key is, whatever its value.
    if let Some(zones) = vm.get("zones") {
        let zones: Vec<&str> =
            zones.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        row.insert("zones".to_owned(), zones.join(",").into());
    }
    Value::Object(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn there_is_a_column_of_zones_only_where_a_vm_has_the_key() {
        assert!(row(&json!({"name": "vm1"})).get("zones").is_none());
        assert_eq!(row(&json!({"zones": null}))["zones"], "");
        assert_eq!(row(&json!({"zones": ["1", "2"]}))["zones"], "1,2");
    }
}
