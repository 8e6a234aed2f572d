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

/// A quick-start's way of writing: everything through parameters, variables and
/// functions, a loop, a condition, a child, and outputs that refer to what was made.
fn quick_start() -> Value {
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {
            "vmName": { "type": "string", "defaultValue": "simple", "minLength": 1 },
            "adminUsername": { "type": "string" },
            "authenticationType": {
                "type": "string", "defaultValue": "password", "allowedValues": ["password", "sshPublicKey"],
            },
            "adminPasswordOrKey": { "type": "securestring" },
            "location": { "type": "string", "defaultValue": "[resourceGroup().location]" },
            "nicCount": { "type": "int", "defaultValue": 2, "maxValue": 4 },
        },
        "variables": {
            "nicPrefix": "[format('{0}-nic', parameters('vmName'))]",
            "nsgName": "[concat(parameters('vmName'), '-nsg-', uniqueString(resourceGroup().id))]",
            "subnetRef": "[resourceId('Microsoft.Network/virtualNetworks/subnets', 'net', 'inner')]",
        },
        "resources": [
            {
                "type": "Microsoft.Compute/virtualMachines", "apiVersion": "2024-07-01",
                "name": "[parameters('vmName')]", "location": "[parameters('location')]",
                "dependsOn": ["nics"],
                "tags": { "[parameters('vmName')]": "yes" },
                "properties": {
                    "hardwareProfile": { "vmSize": "Standard_D2s_v5" },
                    "storageProfile": { "imageReference": {
                        "publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest",
                    } },
                    "osProfile": {
                        "computerName": "[parameters('vmName')]",
                        "adminUsername": "[parameters('adminUsername')]",
                        "adminPassword": "[parameters('adminPasswordOrKey')]",
                        "linuxConfiguration": "[if(equals(parameters('authenticationType'), 'password'), null(), fail())]",
                    },
                    "networkProfile": { "networkInterfaces": [
                        { "id": "[resourceId('Microsoft.Network/networkInterfaces', concat(variables('nicPrefix'), '0'))]" },
                    ] },
                },
                "resources": [{
                    "type": "extensions", "apiVersion": "2024-07-01", "name": "enablevmaccess",
                    "location": "[parameters('location')]",
                    "dependsOn": ["[parameters('vmName')]"],
                    "properties": {
                        "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
                        "typeHandlerVersion": "1.5", "protectedSettings": { "reset_ssh": true },
                    },
                }],
            },
            {
                "type": "Microsoft.Network/networkInterfaces", "apiVersion": "2023-11-01",
                "name": "[concat(variables('nicPrefix'), copyIndex())]", "location": "[parameters('location')]",
                "copy": { "name": "nics", "count": "[parameters('nicCount')]" },
                "dependsOn": ["net", "[variables('nsgName')]"],
                "properties": {
                    "networkSecurityGroup": { "id": "[resourceId('Microsoft.Network/networkSecurityGroups', variables('nsgName'))]" },
                    "ipConfigurations": [{ "name": "c", "properties": {
                        "subnet": { "id": "[variables('subnetRef')]" },
                        "privateIPAllocationMethod": "Dynamic",
                    } }],
                },
            },
            {
                "type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-11-01", "name": "net",
                "location": "[parameters('location')]",
                "properties": {
                    "addressSpace": { "addressPrefixes": ["10.1.0.0/16"] },
                    "copy": [{ "name": "subnets", "count": 2, "input": {
                        "name": "[if(equals(copyIndex('subnets'), 0), 'inner', 'outer')]",
                        "properties": { "addressPrefix": "[format('10.1.{0}.0/24', copyIndex('subnets'))]" },
                    } }],
                },
            },
            {
                "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2023-11-01",
                "name": "[variables('nsgName')]", "location": "[parameters('location')]",
            },
            {
                "type": "Microsoft.Network/networkSecurityGroups/securityRules", "apiVersion": "2023-11-01",
                "name": "[concat(variables('nsgName'), '/ssh')]",
                "dependsOn": ["[resourceId('Microsoft.Network/networkSecurityGroups', variables('nsgName'))]"],
                "properties": crate::lab::rule(300, "22", "Allow"),
            },
            {
                "condition": "[equals(parameters('authenticationType'), 'sshPublicKey')]",
                "type": "Microsoft.Network/publicIPAddresses", "apiVersion": "2023-11-01",
                "name": "never", "location": "[parameters('location')]",
            },
        ],
        "outputs": {
            "address": { "type": "string", "value":
                "[reference(resourceId('Microsoft.Network/networkInterfaces', concat(variables('nicPrefix'), '0'))).ipConfigurations[0].properties.privateIPAddress]" },
            "nsg": { "type": "string", "value": "[variables('nsgName')]" },
            "secret": { "type": "securestring", "value": "[parameters('adminPasswordOrKey')]" },
        },
    })
}

const DEPLOYMENT: &str = "/resourceGroups/g/providers/Microsoft.Resources/deployments/d";

fn request(template: &Value, more: &Value) -> Value {
    let mut parameters = json!({
        "adminUsername": { "value": "azureuser" },
        "adminPasswordOrKey": { "value": "P@ssw0rd1234!" },
    });
    for (name, value) in more.as_object().unwrap() {
        parameters[name] = json!({ "value": value });
    }
    json!({ "properties": { "mode": "Incremental", "template": template, "parameters": parameters } })
}

#[tokio::test]
async fn an_ordinary_quick_start_is_deployed() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    let made = lab.made(DEPLOYMENT, request(&quick_start(), &json!({}))).await;
    let properties = &made["properties"];
    assert_eq!(properties["provisioningState"], "Succeeded", "{made}");
    assert_eq!(
        properties["outputs"]["address"],
        json!({ "type": "String", "value": "10.1.0.4" })
    );
    assert_eq!(properties["outputs"]["secret"], json!({ "type": "SecureString" }));
    assert_eq!(
        properties["parameters"]["adminPasswordOrKey"],
        json!({ "type": "SecureString" })
    );
    assert_eq!(
        properties["parameters"]["vmName"],
        json!({ "type": "String", "value": "simple" })
    );
    assert_eq!(properties["outputResources"].as_array().unwrap().len(), 7, "{made}");
    let vm = lab.get(&machine_path("g", "simple")).await.body;
    assert_eq!(vm["tags"], json!({ "simple": "yes" }));
    let nsg = properties["outputs"]["nsg"]["value"].as_str().unwrap();
    let rules = format!(
        "/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/{nsg}/securityRules"
    );
    assert_eq!(lab.get(&rules).await.body["value"][0]["name"], "ssh");
    let operations = lab.get(&format!("{DEPLOYMENT}/operations")).await.body;
    assert_eq!(operations["value"].as_array().unwrap().len(), 7);
    for file in ["cloud.sqlite", "cloud.sqlite-wal"] {
        let file = std::fs::read(lab.state.path().join(file)).unwrap_or_default();
        assert!(
            !file.windows(8).any(|part| part == b"P@ssw0rd"),
            "a secret lies in clear"
        );
    }
}

#[tokio::test]
async fn a_template_with_comments_as_az_sends_it_is_understood() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    let text = "{ \"properties\": { \"mode\": \"Incremental\", template:{ // here\n\
                /* it */ \"resources\": [] } } }";
    let reply = lab.put_text(DEPLOYMENT, text).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let reply =
        lab.put_text("/resourceGroups/g2", "{ /* no */ \"location\": \"westus\" }").await;
    assert_eq!(reply.code(), "InvalidRequestContent");
}

#[tokio::test]
async fn what_is_wrong_with_a_template_is_told_before_anything_is_made() {
    let lab = Lab::new().await;
    lab.made("/resourceGroups/g", json!({ "location": "westus" })).await;
    let mut circle = quick_start();
    circle["resources"][2]["dependsOn"] = json!(["nics"]);
    let mut unknown = quick_start();
    unknown["resources"][5] =
        json!({ "type": "Microsoft.Storage/storageAccounts", "name": "s" });
    for (template, more, part) in [
        (quick_start(), json!({ "nicCount": 9 }), "parameters.nicCount"),
        (quick_start(), json!({ "authenticationType": "magic" }), "allowed value(s)"),
        (quick_start(), json!({ "colour": "red" }), "'colour' are not valid"),
        (circle, json!({}), "circular dependency"),
        (unknown, json!({}), "Microsoft.Storage/storageAccounts"),
    ] {
        for reply in [
            lab.put(DEPLOYMENT, request(&template, &more)).await,
            lab.post(&format!("{DEPLOYMENT}/validate"), Some(request(&template, &more)))
                .await,
        ] {
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (400, "InvalidTemplate"),
                "{reply:?}"
            );
            assert!(reply.message().contains(part), "{reply:?}");
        }
    }
    assert_eq!(lab.get("/resourceGroups/g/resources").await.body["value"], json!([]));
    assert_eq!(lab.get(DEPLOYMENT).await.code(), "DeploymentNotFound");
}

#[tokio::test]
async fn complete_mode_removes_what_the_template_does_not_have() {
    let lab = Lab::new().await;
    lab.machine("g", "vm1").await;
    let kept = json!({ "resources": [{
        "type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2023-11-01", "name": "kept",
        "location": "westus",
    }] });
    let mut body = json!({ "properties": { "mode": "Complete", "template": kept } });
    let made = lab.made(DEPLOYMENT, body.clone()).await;
    assert_eq!(made["properties"]["provisioningState"], "Succeeded", "{made}");
    let left = lab.get("/resourceGroups/g/resources").await.body;
    assert_eq!(left["value"].as_array().unwrap().len(), 1, "{left}");
    body["properties"]["mode"] = json!("Sometimes");
    assert_eq!(lab.put(DEPLOYMENT, body).await.code(), "InvalidDeploymentMode");
}
