//! What the server has: groups of rules, networks, and machines on them.

use std::sync::{Arc, OnceLock};

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Client;

/// How many resources there are.
pub(crate) const ALL: usize = 10_000;
/// How many of them are VMs; each has an interface.
pub(crate) const MACHINES: usize = 1000;
/// How many are NSGs.
pub(crate) const RULES: usize = ALL - 2 * MACHINES - ADDRESSES - NETWORKS;
const ADDRESSES: usize = 900;
const NETWORKS: usize = 10;
const GROUP: &str = "/resourceGroups/big/providers";
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBIR5cpWRG9I7s9zCwO7Lc2C4x6HVIrqqN4ZqYlFyN0B me";

static SUBSCRIPTION: OnceLock<String> = OnceLock::new();

pub(crate) fn machine(n: usize) -> String {
    format!("{GROUP}/Microsoft.Compute/virtualMachines/vm{n}")
}

pub(crate) fn interface(n: usize) -> String {
    format!("{GROUP}/Microsoft.Network/networkInterfaces/nic{n}")
}

pub(crate) fn group_of_rules(n: usize) -> String {
    format!("{GROUP}/Microsoft.Network/networkSecurityGroups/nsg{n}")
}

fn address(n: usize) -> String {
    format!("{GROUP}/Microsoft.Network/publicIPAddresses/ip{n}")
}

fn network(n: usize) -> String {
    format!("{GROUP}/Microsoft.Network/virtualNetworks/net{n}")
}

fn id(path: &str) -> Value {
    let subscription = SUBSCRIPTION.get().map_or("", String::as_str);
    json!({ "id": format!("/subscriptions/{subscription}{path}") })
}

pub(crate) fn rule(priority: usize) -> Value {
    json!({
        "protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "22",
        "sourceAddressPrefix": "*", "destinationAddressPrefix": "*",
        "access": "Allow", "priority": priority, "direction": "Inbound",
    })
}

pub(crate) fn machine_body(n: usize) -> Value {
    json!({ "location": "local", "properties": {
        "hardwareProfile": { "vmSize": "Standard_DS1_v2" },
        "storageProfile": { "imageReference": {
            "publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest",
        } },
        "osProfile": {
            "computerName": format!("vm{n}"),
            "adminUsername": "azureuser",
            "linuxConfiguration": {
                "disablePasswordAuthentication": true,
                "ssh": { "publicKeys": [
                    { "path": "/home/azureuser/.ssh/authorized_keys", "keyData": KEY },
                ] },
            },
        },
        "networkProfile": { "networkInterfaces": [id(&interface(n))] },
    } })
}

fn interface_body(n: usize) -> Value {
    let mut configuration = json!({
        "subnet": id(&format!("{}/subnets/s", network(n % NETWORKS))),
    });
    if n < ADDRESSES {
        configuration["publicIPAddress"] = id(&address(n));
    }
    json!({ "location": "local", "properties": {
        "networkSecurityGroup": id(&group_of_rules(n)),
        "ipConfigurations": [{ "name": "c", "properties": configuration }],
    } })
}

/// Makes all of it, through the front door as anybody would.
pub(crate) async fn fill(client: &Arc<Client>) {
    let _once = SUBSCRIPTION.set(client.subscription.clone());
    let local = json!({ "location": "local" });
    client.done(Method::PUT, "/resourceGroups/big", Some(&local)).await;
    many(client, NETWORKS, |n| {
        (network(n), json!({ "location": "local", "properties": {
            "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
            "subnets": [{ "name": "s", "properties": { "addressPrefix": "10.0.0.0/16" } }],
        } }))
    })
    .await;
    many(client, RULES, |n| {
        (
            group_of_rules(n),
            json!({ "location": "local", "properties": {
            "securityRules": [{ "name": "ssh", "properties": rule(100) }],
        } }),
        )
    })
    .await;
    many(client, ADDRESSES, |n| (address(n), json!({ "location": "local" }))).await;
    // Those of the VMs that are made later, too.
    many(client, MACHINES + 200, |n| (interface(n), interface_body(n))).await;
    many(client, MACHINES, |n| (machine(n), machine_body(n))).await;
}

async fn many(
    client: &Arc<Client>,
    count: usize,
    resource: impl Fn(usize) -> (String, Value) + Copy + Send + 'static,
) {
    const LANES: usize = 8;
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            let client = Arc::clone(client);
            tokio::spawn(async move {
                for n in (lane..count).step_by(LANES) {
                    let (path, body) = resource(n);
                    client.done(Method::PUT, &path, Some(&body)).await;
                }
            })
        })
        .collect();
    for lane in lanes {
        lane.await.expect("all of it can be made");
    }
}
