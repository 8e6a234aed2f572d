//! az's nouns beside VMs, against a lab of machines in name only: groups,
//! networks, resources, requests of one's own. Everything stays on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lab_in_name;

use lab_in_name::Lab;
use serde_json::{Value, json};
use snapbox::str;

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn a_group_is_made_tagged_and_deleted() {
    let lab = Lab::up();
    lab.regain(&words("group create -n g1 -l westus --tags a=b c"))
        .assert()
        .success()
        .stdout_eq(str![[r#"
{
  "id": "/subscriptions/[..]/resourceGroups/g1",
  "location": "westus",
  "managedBy": null,
  "name": "g1",
  "properties": {
    "provisioningState": "Succeeded"
  },
  "tags": {
    "a": "b",
    "c": ""
  },
  "type": "Microsoft.Resources/resourceGroups"
}

"#]]);
    let group = lab.json(&words("group update -n g1 --set tags.x=1 --remove tags.a"));
    assert_eq!(group["tags"], json!({"c": "", "x": "1"}));
    lab.regain(&words("group list --tag x -o table")).assert().success().stdout_eq(str![
        [r#"
Name    Location    Status
------  ----------  ---------
g1      westus      Succeeded

"#]
    ]);
    lab.regain(&words("group exists -g g1")).assert().success().stdout_eq("true\n");
    lab.regain(&words("group wait -n g1 --created")).assert().success().stdout_eq("");
    lab.regain(&words("group wait -n g1")).assert().code(1).stderr_eq(str![[r#"
ERROR: incorrect usage: --created | --updated | --deleted | --exists | --custom JMESPATH

"#]]);
    lab.regain(&words("group delete -n g1")).assert().code(1).stderr_eq(str![[r#"
WARNING: Unable to prompt for confirmation as no tty available. Use --yes.
ERROR: Operation cancelled.

"#]]);
    lab.regain(&words("group delete -n g1 --yes")).assert().success().stdout_eq("");
    lab.regain(&words("group exists -n g1")).assert().success().stdout_eq("false\n");
}

#[test]
fn creates_are_wrapped_as_az_wraps_them() {
    let lab = Lab::up();
    for (line, wrapper, kind) in [
        ("nsg create -n n", "NewNSG", "networkSecurityGroups"),
        ("vnet create -n v --subnet-name s", "newVNet", "virtualNetworks"),
        ("public-ip create -n p", "publicIp", "publicIPAddresses"),
        ("nic create -n i --vnet-name v --subnet s", "NewNIC", "networkInterfaces"),
    ] {
        let line = format!("network {line} -g lab");
        let made = lab.json(&words(&line));
        assert_eq!(made[wrapper]["type"], format!("Microsoft.Network/{kind}"), "{line}");
        assert_eq!(made[wrapper]["resourceGroup"], "lab", "{line}");
        assert!(made[wrapper].get("properties").is_none(), "{line}");
    }
    let table = lab.json(&words("network route-table create -g lab -n t"));
    assert_eq!(table["name"], "t");
}

#[test]
fn an_update_changes_what_it_names_and_nothing_else() {
    let lab = Lab::up();
    let vnet = "-g lab -n v";
    lab.json(&words(&format!("network vnet create {vnet} --dns-servers 1.1.1.1")));
    let changed = lab.json(&words(&format!(
        "network vnet update {vnet} --address-prefixes 10.0.0.0/16 10.9.0.0/16 \
         --add dhcpOptions.dnsServers 8.8.8.8 --set tags.a=b"
    )));
    assert_eq!(changed["addressSpace"]["addressPrefixes"].as_array().unwrap().len(), 2);
    assert_eq!(changed["dhcpOptions"]["dnsServers"], json!(["1.1.1.1", "8.8.8.8"]));
    assert_eq!(changed["tags"], json!({"a": "b"}));

    let nsg = lab.json(&words("network nsg update -g lab -n vm1NSG --tags k=v"));
    assert_eq!(nsg["securityRules"][0]["name"], "default-allow-ssh");
    let missing = "network nsg update -g lab -n vm1NSG --remove tags.nope";
    lab.regain(&words(missing)).assert().code(1).stderr_eq(str![[r#"
ERROR: Couldn't find 'nope' in the document.

"#]]);
}

#[test]
fn a_rule_moves_between_one_value_and_several() {
    let lab = Lab::up();
    let rule = "-g lab --nsg-name vm1NSG -n r";
    lab.json(&words(&format!(
        "network nsg rule create {rule} --priority 200 --access deny --protocol tcp \
         --source-address-prefixes 10.0.0.0/8 11.0.0.0/8"
    )));
    let changed = lab.json(&words(&format!(
        "network nsg rule update {rule} --source-address-prefixes 12.0.0.0/8 \
         --destination-port-ranges 22 80-90"
    )));
    assert_eq!(changed["sourceAddressPrefix"], "12.0.0.0/8");
    assert_eq!(changed["destinationPortRanges"], json!(["22", "80-90"]));
    assert_eq!(
        (&changed["access"], &changed["protocol"]),
        (&json!("Deny"), &json!("Tcp"))
    );
    let id = changed["id"].as_str().unwrap();
    let shown = lab.json(&["network", "nsg", "rule", "show", "--ids", id]);
    assert_eq!(shown, changed);
}

#[test]
fn a_name_that_is_missing_is_said_as_az_says_it() {
    let lab = Lab::up();
    for (line, flag) in [
        ("nsg show -g lab", "-n"),
        ("nsg show -n n", "--resource-group"),
        ("vnet subnet show -g lab -n s", "--vnet-name"),
    ] {
        lab.regain(&words(&format!("network {line}"))).assert().code(1).stderr_eq(
            format!("ERROR: InvalidArgumentValue: Missing required field: {flag}\n"),
        );
    }
    // What cannot be named by its id is missed at once.
    lab.regain(&words("network nsg create -g lab")).assert().code(2);
}

#[test]
fn what_is_not_there_is_deleted_but_not_in_a_subscription_that_is_not_there() {
    let lab = Lab::up();
    for line in [
        "nsg delete -g lab -n x",
        "nsg delete -g none -n x",
        "nsg rule delete -g none --nsg-name x -n r",
        "nic ip-config delete -g none --nic-name x -n i",
    ] {
        lab.regain(&words(&format!("network {line}"))).assert().code(0);
        let elsewhere = "--subscription 00000000-0000-0000-0000-000000000009";
        let line = format!("network {line} {elsewhere}");
        lab.regain(&words(&line)).assert().code(3);
    }
}

#[test]
fn a_subnet_gets_and_loses_its_nsg() {
    let lab = Lab::up();
    lab.json(&words("network vnet create -g lab -n v"));
    let subnet = "-g lab --vnet-name v -n s";
    let made = lab.json(&words(&format!(
        "network vnet subnet create {subnet} --address-prefixes 10.0.3.0/24 --nsg vm1NSG"
    )));
    assert_eq!(made["privateEndpointNetworkPolicies"], "Disabled");
    assert!(made["networkSecurityGroup"]["id"].as_str().unwrap().ends_with("/vm1NSG"));
    let line = format!("network vnet subnet update {subnet} --nsg null");
    assert!(lab.json(&words(&line)).get("networkSecurityGroup").is_none());
}

#[test]
fn an_ip_configuration_is_changed_inside_its_nic() {
    let lab = Lab::up();
    lab.json(&words("network public-ip create -g lab -n p"));
    lab.json(&words("network vnet create -g lab -n v --subnet-name s"));
    lab.json(&words("network nic create -g lab -n i --vnet-name v --subnet s"));
    let part = "-g lab --nic-name i -n ipconfig1";
    let changed = lab.json(&words(&format!(
        "network nic ip-config update {part} --public-ip-address p"
    )));
    assert_eq!(changed["name"], "ipconfig1");
    assert!(changed["publicIPAddress"]["id"].as_str().unwrap().ends_with("/p"));
    let list = lab.json(&words("network nic ip-config list -g lab --nic-name i"));
    assert_eq!(list, Value::Array(vec![changed]));
    lab.regain(&words("network nic ip-config show -g lab --nic-name i -n nope"))
        .assert()
        .code(1)
        .stderr_eq("ERROR: ResourceNotFoundError\n");
}

#[test]
fn watchers_answer_for_a_vm() {
    let lab = Lab::up();
    let flow = lab.json(&words(
        "network watcher test-ip-flow -g lab --vm vm1 --direction Inbound --protocol TCP \
         --local 10.0.0.4:22 --remote 1.2.3.4:50000",
    ));
    assert_eq!(flow["access"], "Allow");
    lab.regain(&words(
        "network watcher test-ip-flow -g lab --vm vm1 --direction Inbound --protocol TCP \
         --local 10.0.0.4 --remote 1.2.3.4:50000",
    ))
    .assert()
    .code(1)
    .stderr_eq(str![[r#"
ERROR: usage error: the format of the '--local' and '--remote' should be like x.x.x.x:port

"#]]);
    lab.regain(&words(
        "network nic show-effective-route-table -g lab -n vm1VMNic -o tsv \
         --query value[0].[source,nextHopType]",
    ))
    .assert()
    .success()
    .stdout_eq("Default\nVnetLocal\n");
}

#[test]
fn resources_of_any_kind_are_listed_and_shown_as_arm_gives_them() {
    let lab = Lab::up();
    lab.regain(&words(
        "resource list -g lab --resource-type Microsoft.Compute/virtualMachines -o table",
    ))
    .assert()
    .success()
    .stdout_eq(str![[r#"
Name    ResourceGroup    Location    Type                               Status
------  ---------------  ----------  ---------------------------------  ---------
vm1     lab              local       Microsoft.Compute/virtualMachines  Succeeded

"#]]);
    let vm = lab.json(&words(
        "resource show -g lab -n vm1 --resource-type Microsoft.Compute/virtualMachines",
    ));
    assert_eq!(vm["properties"]["provisioningState"], "Succeeded");
    assert_eq!((&vm["kind"], &vm["plan"]), (&Value::Null, &Value::Null));
    let tagged = lab.json(&[
        "resource",
        "tag",
        "--ids",
        vm["id"].as_str().unwrap(),
        "--tags",
        "a=b",
    ]);
    assert_eq!(tagged["tags"], json!({"a": "b"}));
    for (line, code) in [
        ("resource list -g nope", 3),
        ("resource list --tag a -g lab", 1),
        ("resource show -n vm1", 1),
        (
            "resource show -g lab -n x --resource-type Microsoft.Compute/virtualMachines",
            3,
        ),
    ] {
        lab.regain(&words(line)).assert().code(code);
    }
}

#[test]
fn a_request_of_ones_own_is_answered_as_it_is() {
    let lab = Lab::up();
    let group =
        "/subscriptions/{subscriptionId}/resourceGroups/mine?api-version=2021-04-01";
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), r#"{"location": "westus"}"#).unwrap();
    let body = format!("@{}", file.path().display());
    let made = lab.json(&["rest", "--method", "PUT", "--uri", group, "--body", &body]);
    assert_eq!(made["properties"]["provisioningState"], "Succeeded");
    let out = tempfile::NamedTempFile::new().unwrap();
    let path = out.path().to_str().unwrap();
    let line = ["rest", "-u", group, "--output-file", path];
    lab.regain(&line).assert().success().stdout_eq("");
    let kept: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(kept["name"], "mine");
    let missing =
        "/subscriptions/{subscriptionId}/resourceGroups/no?api-version=2021-04-01";
    lab.regain(&["rest", "-u", missing]).assert().code(1).stderr_eq(str![[r#"
ERROR: Not Found({"error":{"code":"ResourceGroupNotFound","message":"Resource group 'no' could not be found."}})

"#]]);
}

#[test]
fn an_account_is_its_subscription_and_who_asks() {
    let lab = Lab::up();
    let account = lab.json(&["account", "show"]);
    assert_eq!(account["user"]["type"], "servicePrincipal");
    assert_eq!(
        (&account["state"], &account["isDefault"]),
        (&json!("Enabled"), &json!(true))
    );
    let list = lab.json(&["account", "list", "--query", "[].id"]);
    assert_eq!(list, json!([account["id"]]));
    lab.regain(&["account", "show", "-n", "nope"]).assert().code(1).stderr_eq(str![[
        r#"
ERROR: Subscription 'nope' not found. Check the spelling and casing and try again.

"#
    ]]);
}
