//! The bodies of what a VM hangs on, as `az vm create` sends them.

use arm::ResourceId;
use serde_json::{Map, Value, json};

use super::{Network, NewVm};

pub(super) fn vnet(
    location: &str,
    prefix: &str,
    subnet: &str,
    subnet_prefix: &str,
) -> Value {
    json!({
        "location": location,
        "properties": {
            "addressSpace": { "addressPrefixes": [prefix] },
            "subnets": [{ "name": subnet, "properties": { "addressPrefix": subnet_prefix } }],
        },
    })
}

/// az's rule has this name and this priority.
pub(super) fn nsg(location: &str, allow_ssh: bool) -> Value {
    let rules = if allow_ssh {
        json!([{
            "name": "default-allow-ssh",
            "properties": {
                "protocol": "Tcp",
                "sourcePortRange": "*",
                "destinationPortRange": "22",
                "sourceAddressPrefix": "*",
                "destinationAddressPrefix": "*",
                "access": "Allow",
                "priority": 1000,
                "direction": "Inbound",
            },
        }])
    } else {
        json!([])
    };
    json!({ "location": location, "properties": { "securityRules": rules } })
}

pub(super) fn public_address(location: &str, network: &Network<'_>) -> Value {
    let standard = network.public_sku == "Standard";
    let mut properties = json!({
        "publicIPAllocationMethod": if standard { "Static" } else { "Dynamic" },
    });
    if let Some(label) = network.dns_label {
        properties["dnsSettings"] = json!({ "domainNameLabel": label });
    }
    json!({
        "location": location,
        "sku": { "name": network.public_sku },
        "properties": properties,
    })
}

pub(super) fn nic(
    new: &NewVm<'_>,
    location: &str,
    subnet: &ResourceId,
    nsg: Option<&ResourceId>,
    address: Option<&ResourceId>,
) -> Value {
    let mut configuration = json!({
        "privateIPAllocationMethod": "Dynamic",
        "subnet": { "id": subnet },
    });
    if let Some(private) = new.network.private_address {
        configuration["privateIPAllocationMethod"] = "Static".into();
        configuration["privateIPAddress"] = private.into();
    }
    if let Some(address) = address {
        configuration["publicIPAddress"] = json!({ "id": address });
    }
    let mut properties = json!({
        "ipConfigurations": [
            { "name": format!("ipconfig{}", new.name), "properties": configuration },
        ],
    });
    if let Some(nsg) = nsg {
        properties["networkSecurityGroup"] = json!({ "id": nsg });
    }
    json!({ "location": location, "properties": properties })
}

pub(super) fn vm(
    new: &NewVm<'_>,
    location: &str,
    image: &Value,
    nics: &[ResourceId],
) -> Value {
    let home = format!("/home/{}/.ssh/authorized_keys", new.user);
    let keys: Vec<Value> =
        new.keys.iter().map(|key| json!({ "path": home, "keyData": key })).collect();
    let mut os = json!({
        "computerName": new.computer_name.unwrap_or(new.name),
        "adminUsername": new.user,
        "linuxConfiguration": {
            "disablePasswordAuthentication": new.password.is_none(),
            "provisionVMAgent": true,
        },
    });
    if !keys.is_empty() {
        os["linuxConfiguration"]["ssh"] = json!({ "publicKeys": keys });
    }
    if let Some(password) = new.password {
        os["adminPassword"] = password.into();
    }
    let interfaces: Vec<Value> = nics
        .iter()
        .enumerate()
        .map(|(at, nic)| json!({ "id": nic, "properties": { "primary": at == 0 } }))
        .collect();
    let mut vm = json!({
        "location": location,
        "tags": new.tags,
        "properties": {
            "hardwareProfile": { "vmSize": new.size },
            "storageProfile": {
                "imageReference": image,
                "osDisk": {
                    "createOption": "FromImage",
                    "caching": "ReadWrite",
                    "managedDisk": { "storageAccountType": "Premium_LRS" },
                },
            },
            "osProfile": os,
            "networkProfile": {
                "networkInterfaces": interfaces,
            },
            "diagnosticsProfile": { "bootDiagnostics": { "enabled": true } },
        },
    });
    if let Some(identity) = identity(new.identities) {
        vm["identity"] = identity;
    }
    vm
}

/// `[system]` is the VM's own; the others are there already.
fn identity(identities: &[String]) -> Option<Value> {
    let (own, others): (Vec<&String>, Vec<&String>) =
        identities.iter().partition(|identity| identity.as_str() == "[system]");
    let others: Map<String, Value> =
        others.into_iter().map(|id| (id.clone(), json!({}))).collect();
    match (own.is_empty(), others.is_empty()) {
        (true, true) => None,
        (false, true) => Some(json!({ "type": "SystemAssigned" })),
        (true, false) => {
            Some(json!({ "type": "UserAssigned", "userAssignedIdentities": others }))
        }
        (false, false) => Some(json!({
            "type": "SystemAssigned, UserAssigned",
            "userAssignedIdentities": others,
        })),
    }
}
