//! Templates as `az vm create` sends them.

use serde_json::{Value, json};

use crate::lab::{Lab, machine_path};

/// What `az vm create` sends for a new machine in an empty group.
pub(crate) fn template(lab: &Lab, group: &str, vm: &str) -> Value {
    let network = format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Network",
        lab.subscription
    );
    let mut machine = lab.vm_body(group, vm, &json!({}));
    machine["type"] = json!("Microsoft.Compute/virtualMachines");
    machine["name"] = json!(vm);
    machine["dependsOn"] =
        json!([format!("Microsoft.Network/networkInterfaces/nic-{vm}")]);
    machine["properties"]["osProfile"]["adminPassword"] =
        json!("[parameters('adminPassword')]");
    json!({ "properties": {
        "mode": "incremental",
        "parameters": { "adminPassword": { "value": "P@ssw0rd1234!" } },
        "template": {
            "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "parameters": { "adminPassword": { "type": "securestring" } },
            "variables": {},
            "outputs": {},
            "resources": [
                machine,
                {
                    "type": "Microsoft.Network/networkInterfaces", "name": format!("nic-{vm}"),
                    "location": "westus", "tags": {},
                    "dependsOn": [
                        "Microsoft.Network/virtualNetworks/vnet",
                        "Microsoft.Network/networkSecurityGroups/nsg",
                        "Microsoft.Network/publicIpAddresses/ip",
                    ],
                    "properties": {
                        "networkSecurityGroup": { "id": format!("{network}/networkSecurityGroups/nsg") },
                        "ipConfigurations": [{ "name": "c", "properties": {
                            "privateIPAllocationMethod": "Dynamic",
                            "subnet": { "id": format!("{network}/virtualNetworks/vnet/subnets/subnet") },
                            "publicIPAddress": { "id": format!("{network}/publicIPAddresses/ip") },
                        } }],
                    },
                },
                {
                    "type": "Microsoft.Network/virtualNetworks", "name": "vnet", "location": "westus",
                    "dependsOn": [], "properties": {
                        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
                        "subnets": [{ "name": "subnet", "properties": { "addressPrefix": "10.0.0.0/24" } }],
                    },
                },
                {
                    "type": "Microsoft.Network/networkSecurityGroups", "name": "nsg",
                    "location": "westus", "dependsOn": [],
                },
                {
                    "type": "Microsoft.Network/publicIPAddresses", "name": "ip",
                    "location": "westus", "dependsOn": [], "sku": { "name": "Standard" },
                    "properties": { "publicIPAllocationMethod": "Static" },
                },
            ],
        },
    } })
}

#[tokio::test]
async fn a_template_makes_what_it_says_in_the_right_order() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    let path = "/resourceGroups/g/providers/Microsoft.Resources/deployments/d";
    let body = template(&lab, "g", "vm1");
    let reply = lab.post(&format!("{path}/validate"), Some(body.clone())).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(lab.get(&machine_path("g", "vm1")).await.status, 404);
    let made = lab.made(path, body).await;
    assert_eq!(made["properties"]["provisioningState"], "Succeeded");
    assert!(!made.to_string().contains("P@ssw0rd"));
    let vm =
        lab.get(&format!("{}?$expand=instanceView", machine_path("g", "vm1"))).await.body;
    assert_eq!(vm["properties"]["provisioningState"], "Succeeded");
    assert_eq!(
        lab.get("/resourceGroups/g/resources").await.body["value"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
}

#[tokio::test]
async fn a_template_that_fails_says_where() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    let path = "/resourceGroups/g/providers/Microsoft.Resources/deployments/d";
    let mut body = template(&lab, "g", "vm1");
    body["properties"]["template"]["resources"][2]["properties"]["addressSpace"] =
        json!({});
    let reply = lab.put(path, body).await;
    let error = match reply.code() {
        "" => lab.end_of(&reply).await["error"].clone(),
        _ => reply.body["error"].clone(),
    };
    assert_eq!(error["code"], "DeploymentFailed");
    assert_eq!(error["details"][0]["code"], "MissingRequiredAddressSpace", "{error}");
    let body =
        json!({ "properties": { "templateLink": { "uri": "https://example.invalid" } } });
    assert_eq!(lab.put(path, body).await.code(), "InvalidTemplate");
}
