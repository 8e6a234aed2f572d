//! `vm list-ip-addresses`: from all NICs and public addresses, as az finds them,
//! because a VM's NIC may be in another group.

use std::collections::HashMap;

use arm::ResourceId;
use serde_json::{Value, json};

use super::targets;
use crate::api::{self, AROUND};
use crate::args::vm::ListIpAddresses;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(
    args: ListIpAddresses,
    context: &Context,
) -> Result<Answer, Failure> {
    let ids: Vec<ResourceId> =
        args.ids.iter().map(|id| targets::vm_id(id)).collect::<Result<_, _>>()?;
    let session = context.sign_in().await?;
    let scope = session.scope(None)?;
    let path =
        |kind| api::below(&scope, &format!("providers/Microsoft.Network/{kind}"), AROUND);
    let (nics, publics) = (path("networkInterfaces"), path("publicIPAddresses"));
    let (nics, publics) =
        tokio::try_join!(session.client.list(&nics), session.client.list(&publics))?;
    let publics: HashMap<&str, &Value> = publics
        .iter()
        .filter_map(|public| Some((public["id"].as_str()?, public)))
        .collect();
    let wanted = |vm: &ResourceId| {
        let is = |wanted: &Option<String>, name: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        is(&args.group, vm.group().unwrap_or_default())
            && is(&args.name, vm.name())
            && (ids.is_empty() || ids.contains(vm))
    };
    let rows: Vec<Value> = nics
        .iter()
        .filter_map(|nic| {
            let vm = nic["properties"]["virtualMachine"]["id"].as_str()?;
            let vm = ResourceId::parse(vm).ok().filter(wanted)?;
            Some(row(nic, &vm, &publics))
        })
        .collect();
    Ok(Answer::new(Value::Array(rows)).with_columns(columns))
}

fn row(nic: &Value, vm: &ResourceId, publics: &HashMap<&str, &Value>) -> Value {
    let configurations: Vec<&Value> = nic["properties"]["ipConfigurations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|configuration| &configuration["properties"])
        .collect();
    let private: Vec<&Value> =
        configurations.iter().map(|each| &each["privateIPAddress"]).collect();
    let public: Vec<Value> = configurations
        .iter()
        .filter_map(|each| publics.get(each["publicIPAddress"]["id"].as_str()?))
        .map(|public| {
            json!({
                "id": public["id"],
                "name": public["name"],
                "ipAddress": public["properties"]["ipAddress"],
                "ipAllocationMethod": public["properties"]["publicIPAllocationMethod"],
                "zone": public["zones"][0],
                "resourceGroup": public["id"]
                    .as_str()
                    .and_then(|id| ResourceId::parse(id).ok()?.group().map(str::to_owned)),
            })
        })
        .collect();
    json!({
        "virtualMachine": {
            "resourceGroup": vm.group(),
            "name": vm.name(),
            "network": { "privateIpAddresses": private, "publicIpAddresses": public },
        },
    })
}

/// az's columns.
fn columns(rows: &Value) -> Value {
    let joined = |addresses: Vec<&str>| match addresses.as_slice() {
        [] => Value::Null,
        some => Value::String(some.join(",")),
    };
    let row = |row: &Value| {
        let vm = &row["virtualMachine"];
        let list = |key: &str| vm["network"][key].as_array().into_iter().flatten();
        let public =
            list("publicIpAddresses").filter_map(|each| each["ipAddress"].as_str());
        let private = list("privateIpAddresses").filter_map(Value::as_str);
        json!({
            "virtualMachine": vm["name"],
            "publicIPAddresses": joined(public.collect()),
            "privateIPAddresses": joined(private.collect()),
        })
    };
    rows.as_array().into_iter().flatten().map(row).collect()
}
