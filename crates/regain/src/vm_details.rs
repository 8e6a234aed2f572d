//! A VM with what hangs on it: power state and addresses, as `az vm show -d`
//! gathers them.

use arm::{Client, ResourceId};
use serde_json::{Value, json};

use crate::api::{self, AROUND, VM};
use crate::failure::Failure;
use crate::shape;

/// A VM's addresses, in the order of its NICs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    pub(crate) public: Vec<String>,
    pub(crate) private: Vec<String>,
    pub(crate) mac: Vec<String>,
    pub(crate) fqdns: Vec<String>,
}

/// The VM's document, flat, with `powerState`, `publicIps`, `privateIps`,
/// `macAddresses` and `fqdns`.
pub(crate) async fn show(client: &Client, id: &ResourceId) -> Result<Value, Failure> {
    let vm = client.get(&api::with_instance_view(id, VM)).await?;
    let addresses = addresses(client, &vm).await?;
    let power = power_state(&vm).unwrap_or_default().to_owned();
    let mut document = shape::vm(vm);
    if let Some(map) = document.as_object_mut() {
        map.shift_remove("instanceView");
    }
    document["powerState"] = json!(power);
    document["publicIps"] = addresses.public.join(",").into();
    document["fqdns"] = addresses.fqdns.join(",").into();
    document["privateIps"] = addresses.private.join(",").into();
    document["macAddresses"] = addresses.mac.join(",").into();
    Ok(document)
}

/// `VM running` and the like, from a VM that was read with its instance view.
pub(crate) fn power_state(vm: &Value) -> Option<&str> {
    vm["properties"]["instanceView"]["statuses"].as_array()?.iter().find(|status| {
        status["code"].as_str().is_some_and(|code| code.starts_with("PowerState/"))
    })?["displayStatus"]
        .as_str()
}

/// Follows the VM's NICs to their addresses.
pub(crate) async fn addresses(client: &Client, vm: &Value) -> Result<Addresses, Failure> {
    let mut addresses = Addresses::default();
    let nics = vm["properties"]["networkProfile"]["networkInterfaces"].as_array();
    for nic in nics.into_iter().flatten().filter_map(reference) {
        let nic = client.get(&api::path(&nic, AROUND)).await?;
        let properties = &nic["properties"];
        addresses.mac.extend(properties["macAddress"].as_str().map(str::to_owned));
        for configuration in
            properties["ipConfigurations"].as_array().into_iter().flatten()
        {
            let configuration = &configuration["properties"];
            addresses
                .private
                .extend(configuration["privateIPAddress"].as_str().map(str::to_owned));
            let Some(public) = reference(&configuration["publicIPAddress"]) else {
                continue;
            };
            let public = client.get(&api::path(&public, AROUND)).await?;
            let properties = &public["properties"];
            addresses.public.extend(properties["ipAddress"].as_str().map(str::to_owned));
            addresses
                .fqdns
                .extend(properties["dnsSettings"]["fqdn"].as_str().map(str::to_owned));
        }
    }
    Ok(addresses)
}

fn reference(value: &Value) -> Option<ResourceId> {
    ResourceId::parse(value["id"].as_str()?).ok()
}
