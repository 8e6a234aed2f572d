//! What the clients do: a bit of everything, in an order that the seed decides.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;

pub(crate) const GROUPS: [&str; 2] = ["ga", "gb"];
const MACHINES: u64 = 2;

/// Numbers that are random and the same each time (SplitMix64).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// Works until the server is gone; gives the operations that it was promised.
pub(crate) async fn some(client: Client, mut chance: Chance) -> BTreeSet<String> {
    let mut promised = BTreeSet::new();
    loop {
        let group = GROUPS[usize::try_from(chance.below(2)).unwrap()];
        let vm = format!("vm{}", chance.below(MACHINES));
        for (method, path, body) in step(&client, &mut chance, group, &vm) {
            let Some(reply) = client.send(method, &path, body.as_ref()).await else {
                return promised;
            };
            assert!(reply.status < 500, "{path}: {} {}", reply.status, reply.body);
            promised.extend(reply.operation);
        }
    }
}

type Step = (Method, String, Option<Value>);

fn step(client: &Client, chance: &mut Chance, group: &str, vm: &str) -> Vec<Step> {
    let here = format!("/resourceGroups/{group}");
    let network = format!("{here}/providers/Microsoft.Network");
    let machine = format!("{here}/providers/Microsoft.Compute/virtualMachines/{vm}");
    let extension = format!("{machine}/extensions/enablevmaccess");
    let nsg = format!("{network}/networkSecurityGroups/nsg");
    let rule = format!("{nsg}/securityRules/r{}", chance.below(3));
    match chance.below(20) {
        0..4 => {
            let mut steps = ground(client, &here, &network, vm);
            steps.push((Method::PUT, machine, Some(machine_body(client, group, vm))));
            steps
        }
        4..6 => vec![(Method::DELETE, machine, None)],
        6..9 => vec![(Method::PUT, extension, Some(access()))],
        9 => vec![(Method::DELETE, extension, None)],
        10..13 => {
            let verbs = ["start", "restart", "powerOff", "deallocate"];
            let verb = verbs[usize::try_from(chance.below(4)).unwrap()];
            vec![(Method::POST, format!("{machine}/{verb}"), None)]
        }
        13..15 => {
            let priority = 200 + chance.below(50);
            vec![(Method::PUT, rule, Some(json!({ "properties": allow(priority) })))]
        }
        15 => vec![(Method::DELETE, rule, None)],
        16..19 => {
            let path = format!(
                "{here}/providers/Microsoft.Resources/deployments/d{}",
                chance.below(2)
            );
            let group = (Method::PUT, here, Some(json!({ "location": "westus" })));
            vec![group, (Method::PUT, path, Some(template(vm)))]
        }
        _ => vec![(Method::DELETE, here, None)],
    }
}

/// A group, a network, an NSG and an interface.
fn ground(client: &Client, here: &str, network: &str, vm: &str) -> Vec<Step> {
    let id = |part: &str| json!({ "id": format!("/subscriptions/{}{network}/{part}", client.subscription) });
    let location = json!({ "location": "westus" });
    let vnet = json!({ "location": "westus", "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
        "subnets": [{ "name": "subnet", "properties": { "addressPrefix": "10.0.0.0/24" } }],
    } });
    let nic = json!({ "location": "westus", "properties": {
        "networkSecurityGroup": id("networkSecurityGroups/nsg"),
        "ipConfigurations": [{ "name": "c", "properties": {
            "subnet": id("virtualNetworks/vnet/subnets/subnet"),
        } }],
    } });
    vec![
        (Method::PUT, here.to_owned(), Some(location.clone())),
        (Method::PUT, format!("{network}/virtualNetworks/vnet"), Some(vnet)),
        (Method::PUT, format!("{network}/networkSecurityGroups/nsg"), Some(location)),
        (Method::PUT, format!("{network}/networkInterfaces/nic-{vm}"), Some(nic)),
    ]
}

fn machine_body(client: &Client, group: &str, vm: &str) -> Value {
    let nic = format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Network/networkInterfaces/nic-{vm}",
        client.subscription
    );
    machine(vm, &json!(nic))
}

fn machine(vm: &str, nic: &Value) -> Value {
    json!({ "location": "westus", "properties": {
        "hardwareProfile": { "vmSize": "Standard_DS1_v2" },
        "storageProfile": { "imageReference": {
            "publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest",
        } },
        "osProfile": {
            "computerName": vm, "adminUsername": "azureuser", "adminPassword": "P@ssw0rd1234!",
        },
        "networkProfile": { "networkInterfaces": [{ "id": nic }] },
    } })
}

/// The same by a template, with names of its own.
fn template(vm: &str) -> Value {
    let name = format!("t{vm}");
    let resource = |kind: &str, name: &str| {
        format!("[resourceId('Microsoft.Network/{kind}', {name})]")
    };
    let mut machine =
        machine(&name, &json!(resource("networkInterfaces", &format!("'{name}'"))));
    machine["type"] = json!("Microsoft.Compute/virtualMachines");
    machine["name"] = json!(name);
    machine["dependsOn"] = json!([resource("networkInterfaces", &format!("'{name}'"))]);
    json!({ "properties": { "mode": "Incremental", "template": { "resources": [
        machine,
        {
            "type": "Microsoft.Network/networkInterfaces", "name": name, "location": "westus",
            "dependsOn": ["tnet"],
            "properties": { "ipConfigurations": [{ "name": "c", "properties": {
                "subnet": { "id": resource("virtualNetworks/subnets", "'tnet', 's'") },
            } }] },
        },
        {
            "type": "Microsoft.Network/virtualNetworks", "name": "tnet", "location": "westus",
            "properties": {
                "addressSpace": { "addressPrefixes": ["10.9.0.0/16"] },
                "subnets": [{ "name": "s", "properties": { "addressPrefix": "10.9.0.0/24" } }],
            },
        },
    ] } } })
}

fn access() -> Value {
    json!({ "location": "westus", "properties": {
        "publisher": "Microsoft.OSTCExtensions", "type": "VMAccessForLinux",
        "typeHandlerVersion": "1.5", "protectedSettings": { "reset_ssh": true },
    } })
}

fn allow(priority: u64) -> Value {
    json!({
        "protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "22",
        "sourceAddressPrefix": "*", "destinationAddressPrefix": "*",
        "access": "Allow", "priority": priority, "direction": "Inbound",
    })
}
