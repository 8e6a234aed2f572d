//! Network Watcher and route tables: what is told is what is enforced.

use serde_json::{Value, json};

use crate::lab::{Lab, rule};

const NETWORK: &str = "/resourceGroups/g/providers/Microsoft.Network";
const WATCHER: &str = "/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westus";

fn id(lab: &Lab, path: &str) -> String {
    format!("/subscriptions/{}{path}", lab.subscription)
}

/// Two machines in one subnet, with the subnet's own NSG and a route table.
async fn neighbours() -> (Lab, String, String) {
    let lab = Lab::new().await;
    let first = lab.machine("g", "a").await;
    let second = lab.machine("g", "b").await;
    let table = format!("{NETWORK}/routeTables/table");
    lab.made(&table, json!({ "location": "westus" })).await;
    let nsg = format!("{NETWORK}/networkSecurityGroups/on-subnet");
    lab.made(
        &nsg,
        json!({ "location": "westus", "properties": { "securityRules": [
        { "name": "open", "properties": rule(300, "*", "Allow") },
    ] } }),
    )
    .await;
    let subnet = json!({ "properties": {
        "addressPrefix": "10.0.0.0/24",
        "routeTable": { "id": id(&lab, &table) },
        "networkSecurityGroup": { "id": id(&lab, &nsg) },
    } });
    lab.made(&format!("{NETWORK}/virtualNetworks/vnet/subnets/subnet"), subnet).await;
    (lab, first, second)
}

async fn route(lab: &Lab, prefix: &str, kind: &str, to: Option<&str>) {
    let body = json!({ "properties": {
        "addressPrefix": prefix, "nextHopType": kind, "nextHopIpAddress": to,
    } });
    lab.made(&format!("{NETWORK}/routeTables/table/routes/r"), body).await;
}

#[tokio::test]
async fn every_level_of_detail_names_the_rule_that_matched() {
    let (lab, vm, _) = neighbours().await;
    let ask = async |level: &str, port: &str, source: &str| {
        let body = json!({
            "targetResourceId": id(&lab, &vm), "verbosityLevel": level,
            "profiles": [{
                "direction": "Inbound", "protocol": "TCP", "source": source,
                "destination": "10.0.0.4", "destinationPort": port,
            }],
        });
        let path = format!("{WATCHER}/networkConfigurationDiagnostic");
        let reply = lab.post(&path, Some(body)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["results"][0]["networkSecurityGroupResult"].clone()
    };
    let allowed = ask("Normal", "22", "203.0.113.0/24").await;
    assert_eq!(allowed["securityRuleAccessResult"], "Allow");
    let groups = allowed["evaluatedNetworkSecurityGroups"].as_array().unwrap();
    let matched: Vec<&Value> =
        groups.iter().map(|one| &one["matchedRule"]["ruleName"]).collect();
    assert_eq!(matched, ["UserRule_open", "UserRule_allow-ssh"]);
    assert_eq!(
        groups[0]["appliedTo"],
        id(&lab, &format!("{NETWORK}/virtualNetworks/vnet/subnets/subnet"))
    );
    assert_eq!(groups[1]["rulesEvaluationResult"].as_array().unwrap().len(), 1);

    let denied = ask("Full", "8000-8010", "Internet").await;
    assert_eq!(denied["securityRuleAccessResult"], "Deny");
    let on_nic = &denied["evaluatedNetworkSecurityGroups"][1];
    assert_eq!(
        on_nic["matchedRule"],
        json!({ "ruleName": "DefaultRule_DenyAllInBound", "action": "Deny" })
    );
    let rules = on_nic["rulesEvaluationResult"].as_array().unwrap();
    assert_eq!(rules[0]["name"], "UserRule_allow-ssh");
    assert_eq!(
        (&rules[0]["sourceMatched"], &rules[0]["destinationPortMatched"]),
        (&json!(true), &json!(false))
    );
    let brief = ask("Minimum", "22", "*").await;
    assert_eq!(
        brief["evaluatedNetworkSecurityGroups"][0]["rulesEvaluationResult"],
        Value::Null
    );
}

#[tokio::test]
async fn the_view_of_a_machine_has_its_rules_by_association() {
    let (lab, vm, _) = neighbours().await;
    let body = json!({ "targetResourceId": id(&lab, &vm) });
    let reply = lab.post(&format!("{WATCHER}/securityGroupView"), Some(body)).await;
    let associations = &reply.body["networkInterfaces"][0]["securityRuleAssociations"];
    assert_eq!(
        associations["networkInterfaceAssociation"]["securityRules"][0]["name"],
        "allow-ssh"
    );
    assert_eq!(associations["subnetAssociation"]["securityRules"][0]["name"], "open");
    assert_eq!(associations["defaultSecurityRules"].as_array().unwrap().len(), 6);
    assert_eq!(associations["effectiveSecurityRules"][0]["name"], "securityRules/open");
}

#[tokio::test]
async fn a_check_of_connectivity_names_what_stands_in_the_way() {
    let (lab, vm, other) = neighbours().await;
    let check = async |port: u16| {
        let body = json!({
            "source": { "resourceId": id(&lab, &vm) },
            "destination": { "resourceId": id(&lab, &other), "port": port },
        });
        let reply = lab.post(&format!("{WATCHER}/connectivityCheck"), Some(body)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    };
    let reached = check(22).await;
    assert_eq!(reached["connectionStatus"], "Reachable");
    let hops = reached["hops"].as_array().unwrap();
    assert_eq!(
        (&hops[0]["type"], &hops[1]["type"]),
        (&json!("Source"), &json!("VnetLocal"))
    );
    assert_eq!(hops[0]["nextHopIds"], json!([hops[1]["id"]]));

    let deny = json!({ "properties": rule(100, "22", "Deny") });
    lab.made(&format!("{NETWORK}/networkSecurityGroups/nsg/securityRules/deny"), deny)
        .await;
    let denied = check(22).await;
    assert_eq!(denied["connectionStatus"], "Unreachable");
    assert_eq!(denied["hops"][1]["issues"][0]["type"], "NetworkSecurityRule");
    assert_eq!(
        denied["hops"][1]["issues"][0]["context"],
        json!([{ "key": "RuleName", "value": "UserRule_deny" }])
    );

    route(&lab, "10.0.0.0/16", "None", None).await;
    let dropped = check(80).await;
    assert_eq!(dropped["hops"][0]["issues"][0]["type"], "UserDefinedRoute");
}

#[tokio::test]
async fn next_hop_and_effective_routes_are_those_of_the_route_table() {
    let (lab, vm, _) = neighbours().await;
    route(&lab, "0.0.0.0/0", "VirtualAppliance", Some("10.0.0.5")).await;
    let ask = json!({
        "targetResourceId": id(&lab, &vm),
        "sourceIPAddress": "10.0.0.4", "destinationIPAddress": "8.8.8.8",
    });
    let hop = lab.post(&format!("{WATCHER}/nextHop"), Some(ask)).await.body;
    assert_eq!(
        (&hop["nextHopType"], &hop["nextHopIpAddress"]),
        (&json!("VirtualAppliance"), &json!("10.0.0.5"))
    );
    assert_eq!(hop["routeTableId"], id(&lab, &format!("{NETWORK}/routeTables/table")));
    let nic = format!("{NETWORK}/networkInterfaces/nic-a");
    let routes = lab.post(&format!("{nic}/effectiveRouteTable"), None).await.body;
    let user: Vec<&Value> = routes["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["source"] == "User")
        .collect();
    assert_eq!((user.len(), &user[0]["nextHopIpAddress"]), (1, &json!(["10.0.0.5"])));
}

#[tokio::test]
async fn a_route_that_cannot_be_followed_is_refused() {
    let (lab, ..) = neighbours().await;
    for (prefix, kind, to, code) in [
        ("10.0.0.1/8", "None", None, "InvalidAddressPrefixFormat"),
        ("10.0.0.0/8", "Sideways", None, "InvalidNextHopType"),
        ("10.0.0.0/8", "VirtualAppliance", None, "InvalidNextHopIpAddress"),
        ("10.0.0.0/8", "None", Some("10.0.0.5"), "NextHopIpAddressNotAllowed"),
    ] {
        let body = json!({ "properties": {
            "addressPrefix": prefix, "nextHopType": kind, "nextHopIpAddress": to,
        } });
        let reply =
            lab.put(&format!("{NETWORK}/routeTables/table/routes/bad"), body).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, code));
    }
    let reply = lab.delete(&format!("{NETWORK}/routeTables/table")).await;
    assert_eq!(reply.code(), "InUseRouteTableCannotBeDeleted");
    let table = lab.get(&format!("{NETWORK}/routeTables/table")).await.body;
    let subnet = id(&lab, &format!("{NETWORK}/virtualNetworks/vnet/subnets/subnet"));
    assert_eq!(table["properties"]["subnets"], json!([{ "id": subnet }]));
}

#[tokio::test]
async fn a_deallocated_machine_has_no_flows_to_verify() {
    let (lab, vm, _) = neighbours().await;
    let stopped = lab.post(&format!("{vm}/deallocate"), None).await;
    lab.end_of(&stopped).await;
    let ask = json!({
        "targetResourceId": id(&lab, &vm),
        "direction": "Inbound", "protocol": "TCP",
        "localIPAddress": "10.0.0.4", "localPort": "22",
        "remoteIPAddress": "1.2.3.4", "remotePort": "60000",
    });
    let reply = lab.post(&format!("{WATCHER}/ipFlowVerify"), Some(ask)).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (409, "OperationNotAllowed"));
    let nic = format!("{NETWORK}/networkInterfaces/nic-a");
    let reply = lab.post(&format!("{nic}/effectiveRouteTable"), None).await;
    assert_eq!(reply.code(), "NetworkInterfaceNotAttachedToRunningVirtualMachine");
}

#[tokio::test]
async fn there_is_a_watcher_for_every_region_in_a_group_of_its_own() {
    let (lab, ..) = neighbours().await;
    let all = lab.get("/providers/Microsoft.Network/networkWatchers").await.body;
    let westus =
        all["value"].as_array().unwrap().iter().find(|one| one["location"] == "westus");
    assert_eq!(westus.unwrap()["name"], "NetworkWatcher_westus");
    assert_eq!(lab.get(WATCHER).await.body, *westus.unwrap());
    let elsewhere =
        lab.get("/resourceGroups/g/providers/Microsoft.Network/networkWatchers").await;
    assert_eq!(elsewhere.body["value"], json!([]));
}

#[tokio::test]
async fn an_interface_has_several_addresses_in_one_network() {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    let path = format!("{NETWORK}/networkInterfaces/nic-a");
    let mut nic = lab.get(&path).await.body;
    let subnet = nic["properties"]["ipConfigurations"][0]["properties"]["subnet"].clone();
    let second = json!({ "name": "second", "properties": {
        "subnet": subnet, "privateIPAllocationMethod": "Static", "privateIPAddress": "10.0.0.20",
    } });
    nic["properties"]["ipConfigurations"].as_array_mut().unwrap().push(second);
    let nic = lab.made(&path, nic).await;
    let all = nic["properties"]["ipConfigurations"].as_array().unwrap();
    let addresses: Vec<&Value> =
        all.iter().map(|one| &one["properties"]["privateIPAddress"]).collect();
    assert_eq!(addresses, ["10.0.0.4", "10.0.0.20"]);
    assert_eq!(all[1]["properties"]["primary"], false);
    let subnet =
        lab.get(&format!("{NETWORK}/virtualNetworks/vnet/subnets/subnet")).await.body;
    assert_eq!(subnet["properties"]["ipConfigurations"].as_array().unwrap().len(), 2);
    assert_eq!(lab.get(&format!("{path}/ipConfigurations/second")).await.status, 200);
}

#[tokio::test]
async fn another_region_is_no_place_to_refer_to() {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    let path = format!("{NETWORK}/networkInterfaces/far");
    let subnet = id(&lab, &format!("{NETWORK}/virtualNetworks/vnet/subnets/subnet"));
    let far = json!({ "location": "eastus", "properties": { "ipConfigurations": [
        { "name": "c", "properties": { "subnet": { "id": subnet } } },
    ] } });
    let reply = lab.put(&path, far).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "InvalidResourceReference"));
}
