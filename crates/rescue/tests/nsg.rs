//! Openings in a real cloud's NSGs: narrow, guarded against whoever else writes there,
//! and taken back as far as they are still ours. The server is the product's own, with
//! machines that exist in name only.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::net::IpAddr;
use std::path::Path;

use arm::{Client, Credential, Secret};
use cloud::{Config, EngineKind, Limits, Server};
use doctor::{Action, Channel, PlatformAction, Risk, Step};
use rescue::azure::Vm;
use rescue::{ClientAddress, Request, apply, undo};
use serde_json::{Value, json};
use support::{Forget, request};

const GROUP: &str = "/resourceGroups/g";
const RULES: &str = "/properties/securityRules";

/// A cloud with one VM, whose NIC's NSG has the rules of the test.
struct Lab {
    client: Client,
    subscription: String,
    state: tempfile::TempDir,
    _server: Server,
}

impl Lab {
    async fn with(rules: Value) -> Self {
        let state = tempfile::tempdir().unwrap();
        let server =
            Server::start(config(state.path()), Limits::default()).await.unwrap();
        let secrets = std::fs::read(state.path().join("credentials.json")).unwrap();
        let secrets: Value = serde_json::from_slice(&secrets).unwrap();
        let text = |field: &str| secrets[field].as_str().unwrap().to_owned();
        let credential = Credential::ClientSecret {
            tenant: text("tenant"),
            client_id: text("clientId"),
            secret: Secret::from(text("clientSecret")),
        };
        let ca = state.path().join("ca.pem");
        let client = Client::connect(server.endpoint(), Some(&ca), credential);
        let (client, subscription) = (client.await.unwrap(), text("subscription"));
        let lab = Self { client, subscription, state, _server: server };
        lab.make_vm(rules).await;
        lab
    }

    fn id(&self, below: &str) -> String {
        format!("/subscriptions/{}{GROUP}{below}", self.subscription)
    }

    fn network(&self, below: &str) -> String {
        self.id(&format!("/providers/Microsoft.Network/{below}"))
    }

    fn vm(&self) -> String {
        self.id("/providers/Microsoft.Compute/virtualMachines/vm")
    }

    fn nsg(&self) -> String {
        self.network("networkSecurityGroups/nsg")
    }

    async fn put(&self, id: &str, body: Value) -> Value {
        self.client.put(&format!("{id}?api-version=2024-05-01"), &body).await.unwrap()
    }

    async fn get(&self, id: &str) -> Value {
        self.client.get(&format!("{id}?api-version=2024-05-01")).await.unwrap()
    }

    async fn make_vm(&self, rules: Value) {
        let at = |id: String| json!({ "id": id });
        self.put(&self.id(""), json!({ "location": "westus" })).await;
        let vnet = json!({ "location": "westus", "properties": {
            "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
            "subnets": [{ "name": "s", "properties": { "addressPrefix": "10.0.0.0/24" } }],
        }});
        self.put(&self.network("virtualNetworks/vnet"), vnet).await;
        let nsg =
            json!({ "location": "westus", "properties": { "securityRules": rules } });
        self.put(&self.nsg(), nsg).await;
        let address = json!({ "location": "westus", "sku": { "name": "Standard" } });
        self.put(&self.network("publicIPAddresses/ip"), address).await;
        let nic = json!({ "location": "westus", "properties": {
            "networkSecurityGroup": at(self.nsg()),
            "ipConfigurations": [{ "name": "c", "properties": {
                "subnet": at(self.network("virtualNetworks/vnet/subnets/s")),
                "publicIPAddress": at(self.network("publicIPAddresses/ip")),
            }}],
        }});
        self.put(&self.network("networkInterfaces/nic"), nic).await;
        let vm = json!({ "location": "westus", "properties": {
            "hardwareProfile": { "vmSize": "Standard_DS1_v2" },
            "storageProfile": { "imageReference": {
                "publisher": "Debian", "offer": "debian-12", "sku": "12", "version": "latest",
            }},
            "osProfile": {
                "computerName": "vm", "adminUsername": "azureuser",
                "adminPassword": "P@ssw0rd1234!",
            },
            "networkProfile": { "networkInterfaces": [at(self.network("networkInterfaces/nic"))] },
        }});
        self.put(&self.vm(), vm).await;
    }

    /// A repair for the client at an address. `mark` tells its journals from others'.
    fn repair(&self, client: &str, mark: u16) -> Request {
        let mut request = request(self.state.path(), mark);
        let vm = Vm::new(self.client.clone(), self.vm().parse().unwrap());
        request.host = None;
        request.channel = Some(vm.clone());
        request.platform = Some(vm);
        request.client_address = Some(ClientAddress {
            address: client.parse::<IpAddr>().unwrap(),
            from: "the test".to_owned(),
        });
        request
    }

    /// The NSG's own rules: priority and name, in order.
    async fn rules(&self) -> Vec<(u64, String)> {
        let nsg = self.get(&self.nsg()).await;
        let rules = nsg.pointer(RULES).unwrap().as_array().unwrap().iter();
        let mut rules: Vec<_> = rules
            .map(|rule| {
                let priority = rule["properties"]["priority"].as_u64().unwrap();
                (priority, rule["name"].as_str().unwrap().to_owned())
            })
            .collect();
        rules.sort();
        rules
    }
}

fn config(state: &Path) -> Config {
    Config {
        state: state.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        engine: EngineKind::Fake,
        cache: state.join("cache"),
        guest_binary: "/nonexistent".into(),
        keeper: "/nonexistent".into(),
        weather: None,
    }
}

fn rule(name: &str, priority: u16, access: &str) -> Value {
    json!({ "name": name, "properties": {
        "protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "*",
        "sourceAddressPrefix": "*", "destinationAddressPrefix": "*",
        "access": access, "priority": priority, "direction": "Inbound",
    }})
}

fn allow_ssh() -> Step {
    Step {
        fault: "net.nsg-deny".to_owned(),
        id: "allow-ssh".to_owned(),
        title: String::new(),
        risk: Risk::Open,
        channel: Channel::Platform,
        action: Action::Platform { action: PlatformAction::AllowSsh },
        losses: Vec::new(),
    }
}

fn new_id(mark: u16) -> String {
    format!("nsg-{}-{mark}", std::process::id())
}

fn names(rules: &[(u64, String)]) -> Vec<&str> {
    rules.iter().map(|(_, name)| name.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_open_at_once_both_get_in_and_both_can_be_undone() {
    let lab =
        Lab::with(json!([rule("no", 100, "Deny"), rule("web", 101, "Allow")])).await;
    let before = lab.rules().await;
    let (one, two) = (lab.repair("198.51.100.1", 2201), lab.repair("198.51.100.2", 2202));
    let _forget = (Forget(2201), Forget(2202));
    let step = allow_ssh();
    let (id_one, id_two) = (new_id(1), new_id(2));
    let (first, second) =
        tokio::join!(apply(&one, &step, &id_one), apply(&two, &step, &id_two));
    first.unwrap();
    second.unwrap();

    let there = lab.rules().await;
    assert_eq!(there.len(), 4, "{there:?}");
    // Both stand before the deny, and its order with the rest is kept.
    assert_eq!(names(&there[2..]), ["no", "web"], "{there:?}");

    // The one that came later made way for nobody, so it goes first.
    let mut ids = [(id_one, &one), (id_two, &two)];
    ids.sort_by_key(|(id, _)| there.iter().position(|(_, name)| name.contains(id)));
    for (id, request) in ids.iter().rev() {
        let undone = undo(request, id).await.unwrap();
        assert!(undone.remains.is_empty(), "{undone:?}");
    }
    assert_eq!(lab.rules().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_changed_since_stays_theirs() {
    let lab = Lab::with(json!([rule("no", 100, "Deny")])).await;
    let _forget = Forget(2203);
    let (request, id) = (lab.repair("198.51.100.1", 2203), new_id(3));
    apply(&request, &allow_ssh(), &id).await.unwrap();
    // Somebody adds a rule of their own and moves the deny out of the way.
    let mut nsg = lab.get(&lab.nsg()).await;
    let rules = nsg.pointer_mut(RULES).unwrap().as_array_mut().unwrap();
    rules.iter_mut().find(|rule| rule["name"] == "no").unwrap()["properties"]["priority"] =
        json!(400);
    rules.push(rule("theirs", 200, "Allow"));
    lab.put(&lab.nsg(), nsg).await;

    let undone = undo(&request, &id).await.unwrap();
    assert_eq!(undone.restored.len(), 1, "{undone:?}");
    assert!(undone.remains[0].contains("no stays at priority 400"), "{undone:?}");
    let left = [(200, "theirs".to_owned()), (400, "no".to_owned())];
    assert_eq!(lab.rules().await, left);
    // It is as far back as it will ever be.
    let again = undo(&request, &id).await.unwrap();
    assert!(again.restored.is_empty() && again.remains.is_empty(), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_somebody_widened_is_left_and_named() {
    let lab = Lab::with(json!([rule("no", 300, "Deny")])).await;
    let _forget = Forget(2204);
    let (request, id) = (lab.repair("198.51.100.1", 2204), new_id(4));
    apply(&request, &allow_ssh(), &id).await.unwrap();
    let ours = format!("{}/securityRules/regain-{id}-1", lab.nsg());
    let mut widened = lab.get(&ours).await;
    assert_eq!(widened["properties"]["sourceAddressPrefix"], "198.51.100.1/32");
    assert_eq!(widened["properties"]["priority"], 299);
    widened["properties"]["sourceAddressPrefix"] = json!("*");
    lab.put(&ours, widened).await;

    let undone = undo(&request, &id).await.unwrap();
    assert!(
        undone.remains[0].contains("somebody changed the security rule"),
        "{undone:?}"
    );
    assert_eq!(names(&lab.rules().await), [&format!("regain-{id}-1"), "no"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_after_a_kill_before_the_write_finds_nothing_and_ends() {
    let lab = Lab::with(json!([rule("no", 100, "Deny")])).await;
    let before = lab.get(&lab.nsg()).await;
    let _forget = Forget(2206);
    let (request, id) = (lab.repair("198.51.100.1", 2206), new_id(7));
    apply(&request, &allow_ssh(), &id).await.unwrap();
    // As if only the journal had been written.
    lab.put(&lab.nsg(), before).await;
    let there = lab.rules().await;
    let undone = undo(&request, &id).await.unwrap();
    assert!(undone.remains.is_empty(), "{undone:?}");
    assert_eq!(lab.rules().await, there);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_goes_although_the_vm_is_gone_and_none_is_made_for_it() {
    let lab = Lab::with(json!([rule("no", 100, "Deny")])).await;
    let before = lab.rules().await;
    let _forget = Forget(2205);
    let (request, id) = (lab.repair("198.51.100.1", 2205), new_id(5));
    apply(&request, &allow_ssh(), &id).await.unwrap();
    lab.client.delete(&format!("{}?api-version=2024-07-01", lab.vm())).await.unwrap();
    let undone = undo(&request, &id).await.unwrap();
    assert!(undone.remains.is_empty(), "{undone:?}");
    assert_eq!(lab.rules().await, before);

    // Without the VM nothing is opened, and nothing is in the journal.
    let error = apply(&request, &allow_ssh(), &new_id(6)).await.unwrap_err();
    assert!(error.to_string().contains("the VM does not exist"), "{error}");
    assert!(rescue::Journal::load(&new_id(6)).is_err());
}
