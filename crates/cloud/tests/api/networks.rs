//! Networks, subnets, interfaces, addresses, security groups.

use serde_json::{Value, json};

use crate::lab::{Lab, rule};

const NETWORK: &str = "/resourceGroups/g/providers/Microsoft.Network";

#[tokio::test]
async fn an_interface_gets_azures_first_free_address() {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    let nic = lab.get(&format!("{NETWORK}/networkInterfaces/nic-a")).await.body;
    let configuration = &nic["properties"]["ipConfigurations"][0]["properties"];
    assert_eq!(configuration["privateIPAddress"], "10.0.0.4");
    assert_eq!(nic["properties"]["provisioningState"], "Succeeded");
    let address = lab.get(&format!("{NETWORK}/publicIPAddresses/ip-a")).await.body;
    assert_eq!(address["properties"]["ipAddress"], "127.64.0.4");
    assert_eq!(
        address["properties"]["ipConfiguration"]["id"],
        nic["properties"]["ipConfigurations"][0]["id"]
    );
    lab.network("g", "b").await;
    let second = lab.get(&format!("{NETWORK}/networkInterfaces/nic-b")).await.body;
    let configuration = &second["properties"]["ipConfigurations"][0]["properties"];
    assert_eq!(configuration["privateIPAddress"], "10.0.0.5");
}

#[tokio::test]
async fn rules_and_their_group_are_always_in_step() {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    let nsg = format!("{NETWORK}/networkSecurityGroups/nsg");
    let deny = json!({ "properties": rule(100, "22", "Deny") });
    let reply = lab.put(&format!("{nsg}/securityRules/deny"), deny.clone()).await;
    assert_eq!(reply.status, 201);
    let names = |document: &Value| -> Vec<String> {
        let rules = document["properties"]["securityRules"].as_array().unwrap();
        rules.iter().map(|rule| rule["name"].as_str().unwrap().to_owned()).collect()
    };
    let group = lab.get(&nsg).await.body;
    assert_eq!(names(&group), ["allow-ssh", "deny"]);
    assert_eq!(group["properties"]["defaultSecurityRules"].as_array().unwrap().len(), 6);
    assert_eq!(lab.put(&format!("{nsg}/securityRules/DENY"), deny).await.status, 200);
    assert_eq!(lab.get(&format!("{nsg}/securityrules/Deny")).await.body["name"], "DENY");
    assert!(lab.delete(&format!("{nsg}/securityRules/deny")).await.status.is_success());
    assert_eq!(names(&lab.get(&nsg).await.body), ["allow-ssh"]);
    assert_eq!(lab.get(&format!("{nsg}/securityRules/deny")).await.status, 404);
}

#[tokio::test]
async fn a_wrong_rule_is_refused_in_azures_words_and_changes_nothing() {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    let nsg = format!("{NETWORK}/networkSecurityGroups/nsg");
    for (properties, code) in [
        (rule(50, "22", "Deny"), "SecurityRuleInvalidPriority"),
        (rule(1000, "22", "Deny"), "SecurityRuleConflict"),
        (rule(100, "22-", "Deny"), "SecurityRuleInvalidPortRange"),
    ] {
        let reply = lab
            .put(&format!("{nsg}/securityRules/x"), json!({ "properties": properties }))
            .await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, code));
    }
    assert_eq!(lab.get(&format!("{nsg}/securityRules/x")).await.status, 404);
}

#[tokio::test]
async fn what_is_in_use_cannot_be_deleted() {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    for (path, code) in [
        ("virtualNetworks/vnet", "InUseSubnetCannotBeDeleted"),
        ("virtualNetworks/vnet/subnets/subnet", "InUseSubnetCannotBeDeleted"),
        ("networkSecurityGroups/nsg", "InUseNetworkSecurityGroupCannotBeDeleted"),
        ("publicIPAddresses/ip-a", "PublicIPAddressCannotBeDeleted"),
    ] {
        let reply = lab.delete(&format!("{NETWORK}/{path}")).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, code), "{path}");
    }
    for path in [
        "networkInterfaces/nic-a",
        "publicIPAddresses/ip-a",
        "networkSecurityGroups/nsg",
        "virtualNetworks/vnet",
    ] {
        let reply = lab.delete(&format!("{NETWORK}/{path}")).await;
        assert!(reply.status.is_success(), "{path}: {reply:?}");
        assert_eq!(lab.delete(&format!("{NETWORK}/{path}")).await.status, 204);
    }
}

#[tokio::test]
async fn references_must_lead_somewhere() {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    let nowhere = format!(
        "/subscriptions/{}{NETWORK}/virtualNetworks/none/subnets/none",
        lab.subscription
    );
    let nic = json!({ "location": "westus", "properties": { "ipConfigurations": [
        { "name": "c", "properties": { "subnet": { "id": nowhere } } },
    ] } });
    let reply = lab.put(&format!("{NETWORK}/networkInterfaces/x"), nic).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "InvalidResourceReference"));
    assert_eq!(lab.get(&format!("{NETWORK}/networkInterfaces/x")).await.status, 404);
    let reply = lab
        .put(
            "/resourceGroups/none/providers/Microsoft.Network/virtualNetworks/v",
            json!({ "location": "x" }),
        )
        .await;
    assert_eq!((reply.status.as_u16(), reply.code()), (404, "ResourceGroupNotFound"));
}

#[tokio::test]
async fn a_subnet_can_neither_overlap_nor_leave_its_network() {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    let vnet = format!("{NETWORK}/virtualNetworks/vnet");
    for (prefix, code) in [
        ("10.1.0.0/24", "NetcfgInvalidSubnet"),
        ("10.0.0.128/25", "NetcfgSubnetRangesOverlap"),
        ("10.0.1.1/24", "InvalidAddressPrefixFormat"),
        ("10.0.0.0/16", "NetcfgSubnetRangesOverlap"),
    ] {
        let subnet = json!({ "properties": { "addressPrefix": prefix } });
        let reply = lab.put(&format!("{vnet}/subnets/second"), subnet).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, code), "{prefix}");
    }
    let subnet = json!({ "properties": { "addressPrefix": "10.0.1.0/24" } });
    assert_eq!(lab.put(&format!("{vnet}/subnets/second"), subnet).await.status, 201);
    assert_eq!(
        lab.get(&vnet).await.body["properties"]["subnets"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_stale_etag_does_not_overwrite() {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    let nsg = format!("{NETWORK}/networkSecurityGroups/nsg");
    let first = lab.get(&nsg).await.body["etag"].as_str().unwrap().to_owned();
    lab.made(
        &format!("{nsg}/securityRules/x"),
        json!({ "properties": rule(200, "80", "Allow") }),
    )
    .await;
    assert_ne!(lab.get(&nsg).await.body["etag"], first.as_str());
    let reply = lab.put_if_match(&nsg, json!({ "location": "westus" }), &first).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (412, "PreconditionFailed"));
}

#[tokio::test]
async fn the_watcher_names_the_rule_that_decides() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "a").await;
    let watcher = "/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westus";
    let ask = |port: &str| {
        json!({
            "targetResourceId": format!("/subscriptions/{}{vm}", lab.subscription),
            "direction": "Inbound", "protocol": "TCP",
            "localIPAddress": "10.0.0.4", "localPort": port,
            "remoteIPAddress": "1.2.3.4", "remotePort": "60000",
        })
    };
    let reply = lab.post(&format!("{watcher}/ipFlowVerify"), Some(ask("22"))).await;
    assert_eq!(
        reply.body,
        json!({ "access": "Allow", "ruleName": "securityRules/allow-ssh" })
    );
    let reply = lab.post(&format!("{watcher}/ipFlowVerify"), Some(ask("23"))).await;
    assert_eq!(
        reply.body,
        json!({ "access": "Deny", "ruleName": "defaultSecurityRules/DenyAllInBound" })
    );
    let hop = json!({
        "targetResourceId": format!("/subscriptions/{}{vm}", lab.subscription),
        "sourceIPAddress": "10.0.0.4", "destinationIPAddress": "8.8.8.8",
    });
    let reply = lab.post(&format!("{watcher}/nextHop"), Some(hop)).await;
    assert_eq!(reply.body["nextHopType"], "Internet");
    let nic = format!("{NETWORK}/networkInterfaces/nic-a");
    let reply = lab.post(&format!("{nic}/effectiveNetworkSecurityGroups"), None).await;
    let rules = reply.body["value"][0]["effectiveSecurityRules"].as_array().unwrap();
    assert_eq!(rules[0]["name"], "securityRules/allow-ssh");
    assert_eq!(rules[0]["destinationPortRange"], "22-22");
    let reply = lab.post(&format!("{nic}/effectiveRouteTable"), None).await;
    assert_eq!(reply.body["value"][0]["nextHopType"], "VnetLocal");
}
