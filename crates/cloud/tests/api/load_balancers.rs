//! Load balancers: parts that fit together, who is behind them, what cannot go.

use serde_json::{Value, json};

use crate::lab::{Lab, rule};

const NETWORK: &str = "/resourceGroups/g/providers/Microsoft.Network";
const BALANCER: &str = "/resourceGroups/g/providers/Microsoft.Network/loadBalancers/lb";

/// The id of something in the group's network.
fn id(lab: &Lab, path: &str) -> String {
    format!("/subscriptions/{}{NETWORK}/{path}", lab.subscription)
}

fn reference(lab: &Lab, path: &str) -> Value {
    json!({ "id": id(lab, path) })
}

/// A load balancer with a public frontend, a pool and these NAT rules.
fn balancer(lab: &Lab, nat_rules: &Value) -> Value {
    json!({ "location": "westus", "sku": { "name": "Standard" }, "properties": {
        "frontendIPConfigurations": [{ "name": "fe", "properties": {
            "publicIPAddress": reference(lab, "publicIPAddresses/front"),
        } }],
        "backendAddressPools": [{ "name": "be" }],
        "probes": [{ "name": "ssh", "properties": { "protocol": "tcp", "port": 22 } }],
        "loadBalancingRules": [{ "name": "web", "properties": {
            "protocol": "TCP", "frontendPort": 80, "backendPort": 8080,
            "frontendIPConfiguration": reference(lab, "loadBalancers/LB/frontendIPConfigurations/FE"),
            "backendAddressPool": reference(lab, "loadBalancers/lb/backendAddressPools/be"),
            "probe": reference(lab, "loadBalancers/lb/probes/ssh"),
        } }],
        "inboundNatRules": nat_rules,
    } })
}

fn nat_rule(lab: &Lab, name: &str, port: u16) -> Value {
    json!({ "name": name, "properties": {
        "protocol": "Tcp", "frontendPort": port, "backendPort": 22,
        "frontendIPConfiguration": reference(lab, "loadBalancers/lb/frontendIPConfigurations/fe"),
    } })
}

fn nat_pool(lab: &Lab, first: u16, last: u16) -> Value {
    json!({ "name": "pool", "properties": {
        "protocol": "Tcp", "backendPort": 22,
        "frontendPortRangeStart": first, "frontendPortRangeEnd": last,
        "frontendIPConfiguration": reference(lab, "loadBalancers/lb/frontendIPConfigurations/fe"),
        "backendAddressPool": reference(lab, "loadBalancers/lb/backendAddressPools/be"),
    } })
}

/// A network, two interfaces, and a load balancer in front.
async fn balanced(nat_rules: impl FnOnce(&Lab) -> Value) -> Lab {
    let lab = Lab::new().await;
    lab.network("g", "a").await;
    lab.network("g", "b").await;
    let address = json!({ "location": "westus", "sku": { "name": "Standard" } });
    lab.made(&format!("{NETWORK}/publicIPAddresses/front"), address).await;
    let body = balancer(&lab, &nat_rules(&lab));
    lab.made(BALANCER, body).await;
    lab
}

/// Changes the first IP configuration of an interface as `az` does: GET, then PUT.
async fn change(lab: &Lab, nic: &str, field: &str, value: Value) -> crate::lab::Reply {
    let path = format!("{NETWORK}/networkInterfaces/{nic}");
    let mut document = lab.get(&path).await.body;
    document["properties"]["ipConfigurations"][0]["properties"][field] = value;
    lab.put(&path, document).await
}

#[tokio::test]
async fn parts_show_who_refers_to_them_and_a_put_may_send_that_back() {
    let lab = balanced(|lab| json!([nat_rule(lab, "ssh", 50_001)])).await;
    let rule = json!([reference(&lab, "loadBalancers/lb/inboundNatRules/ssh")]);
    assert!(
        change(&lab, "nic-a", "loadBalancerInboundNatRules", rule)
            .await
            .status
            .is_success()
    );
    let pool = json!([reference(&lab, "loadBalancers/lb/backendAddressPools/be")]);
    assert!(
        change(&lab, "nic-a", "loadBalancerBackendAddressPools", pool)
            .await
            .status
            .is_success()
    );

    let document = lab.get(BALANCER).await.body;
    let configuration = id(&lab, "networkInterfaces/nic-a/ipConfigurations/ipconfig1");
    let parts = &document["properties"];
    assert_eq!(
        parts["inboundNatRules"][0]["properties"]["backendIPConfiguration"]["id"],
        configuration
    );
    assert_eq!(
        parts["backendAddressPools"][0]["properties"]["backendIPConfigurations"],
        json!([{ "id": configuration }])
    );
    assert_eq!(
        parts["frontendIPConfigurations"][0]["properties"]["inboundNatRules"],
        json!([reference(&lab, "loadBalancers/lb/inboundNatRules/ssh")])
    );
    assert_eq!(
        parts["probes"][0]["properties"]["loadBalancingRules"],
        json!([reference(&lab, "loadBalancers/lb/loadBalancingRules/web")])
    );
    let front = lab.get(&format!("{NETWORK}/publicIPAddresses/front")).await.body;
    assert_eq!(
        front["properties"]["ipConfiguration"],
        reference(&lab, "loadBalancers/lb/frontendIPConfigurations/fe")
    );

    let without_etag = |mut document: Value| {
        document["etag"] = Value::Null;
        for part in document["properties"].as_object_mut().unwrap().values_mut() {
            part.as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|one| one["etag"] = Value::Null);
        }
        document
    };
    let again = lab.made(BALANCER, document.clone()).await;
    assert_eq!(without_etag(again), without_etag(document));
}

#[tokio::test]
async fn rules_are_children_in_step_with_their_load_balancer() {
    let lab = balanced(|_| json!([])).await;
    let path = format!("{BALANCER}/inboundNatRules/ssh");
    let reply = lab.put(&path, nat_rule(&lab, "ssh", 50_001)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let names =
        |document: &Value| document["properties"]["inboundNatRules"][0]["name"].clone();
    assert_eq!(names(&lab.get(BALANCER).await.body), "ssh");
    assert_eq!(lab.get(&path).await.body["properties"]["enableFloatingIP"], false);
    let all = lab.get(&format!("{BALANCER}/inboundNatRules")).await.body;
    assert_eq!(all["value"].as_array().unwrap().len(), 1);
    assert!(lab.delete(&path).await.status.is_success());
    assert_eq!(names(&lab.get(BALANCER).await.body), Value::Null);
    for view in ["frontendIPConfigurations/fe", "loadBalancingRules/web", "probes/ssh"] {
        assert_eq!(lab.get(&format!("{BALANCER}/{view}")).await.status, 200, "{view}");
    }
}

#[tokio::test]
async fn what_does_not_fit_together_is_refused_and_changes_nothing() {
    let lab = balanced(|lab| json!([nat_rule(lab, "ssh", 50_001)])).await;
    let elsewhere = reference(&lab, "loadBalancers/lb/frontendIPConfigurations/none");
    let refused: [(&str, Value, &str); 6] = [
        (
            "/properties/inboundNatRules/0/properties/frontendPort",
            json!(80),
            "RulesUseSameFrontendPortProtocolAndFrontendIPConfig",
        ),
        (
            "/properties/inboundNatRules/0/properties/backendPort",
            json!(70_000),
            "InvalidPort",
        ),
        (
            "/properties/inboundNatRules/0/properties/frontendIPConfiguration",
            elsewhere,
            "InvalidResourceReference",
        ),
        (
            "/properties/loadBalancingRules/0/properties/protocol",
            json!("Icmp"),
            "InvalidParameter",
        ),
        (
            "/properties/frontendIPConfigurations/0/properties",
            json!({}),
            "InvalidFrontendIPConfiguration",
        ),
        ("/sku/name", json!("Basic"), "LoadBalancerSkuCannotBeUpdated"),
    ];
    for (pointer, value, code) in refused {
        let mut body = balancer(&lab, &json!([nat_rule(&lab, "ssh", 50_001)]));
        *body.pointer_mut(pointer).unwrap() = value;
        let reply = lab.put(BALANCER, body).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (400, code),
            "{}",
            reply.message()
        );
    }
    let mut basic = balancer(&lab, &json!([]));
    basic["sku"]["name"] = json!("Basic");
    let reply = lab.put(&format!("{NETWORK}/loadBalancers/other"), basic).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (400, "PublicIPAddressInUse"));
    let mut unknown = balancer(&lab, &json!([]));
    unknown["sku"]["name"] = json!("Golden");
    assert_eq!(
        lab.put(&format!("{NETWORK}/loadBalancers/other"), unknown).await.code(),
        "UnsupportedSku"
    );
}

#[tokio::test]
async fn what_interfaces_refer_to_cannot_go() {
    let lab = balanced(|lab| json!([nat_rule(lab, "ssh", 50_001)])).await;
    let rule = json!([reference(&lab, "loadBalancers/lb/inboundNatRules/ssh")]);
    assert!(
        change(&lab, "nic-a", "loadBalancerInboundNatRules", rule.clone())
            .await
            .status
            .is_success()
    );
    let in_use = "InUseLoadBalancerCannotBeDeleted";
    for path in [BALANCER.to_owned(), format!("{BALANCER}/inboundNatRules/ssh")] {
        let reply = lab.delete(&path).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (400, in_use), "{path}");
    }
    let reply = lab.delete(&format!("{NETWORK}/publicIPAddresses/front")).await;
    assert_eq!(reply.code(), "PublicIPAddressCannotBeDeleted");
    let taken = change(&lab, "nic-b", "loadBalancerInboundNatRules", rule).await;
    assert_eq!((taken.status.as_u16(), taken.code()), (400, "InboundNatRuleInUse"));
    assert!(
        change(&lab, "nic-a", "loadBalancerInboundNatRules", Value::Null)
            .await
            .status
            .is_success()
    );
    assert!(lab.delete(BALANCER).await.status.is_success());
}

#[tokio::test]
async fn members_of_a_pool_keep_their_ports() {
    let lab = balanced(|lab| json!([nat_pool(lab, 500, 501)])).await;
    lab.network("g", "c").await;
    let pool = json!([reference(&lab, "loadBalancers/lb/backendAddressPools/be")]);
    for nic in ["nic-a", "nic-b"] {
        let joined =
            change(&lab, nic, "loadBalancerBackendAddressPools", pool.clone()).await;
        assert!(joined.status.is_success(), "{joined:?}");
    }
    let port = async |nic: &str| {
        let configuration = reference(
            &lab,
            &format!("networkInterfaces/{nic}/ipConfigurations/ipconfig1"),
        );
        let path =
            format!("{BALANCER}/backendAddressPools/be/queryInboundNatRulePortMapping");
        let reply =
            lab.post(&path, Some(json!({ "ipConfiguration": configuration }))).await;
        reply.body["inboundNatRulePortMappings"][0]["frontendPort"].clone()
    };
    assert_eq!((port("nic-a").await, port("nic-b").await), (json!(500), json!(501)));
    let blocked =
        change(&lab, "nic-c", "loadBalancerBackendAddressPools", pool.clone()).await;
    assert_eq!(blocked.code(), "InboundNatRuleFrontendPortRangeTooSmall");
    assert!(
        change(&lab, "nic-a", "loadBalancerBackendAddressPools", Value::Null)
            .await
            .status
            .is_success()
    );
    assert!(
        change(&lab, "nic-c", "loadBalancerBackendAddressPools", pool)
            .await
            .status
            .is_success()
    );
    assert_eq!((port("nic-b").await, port("nic-c").await), (json!(501), json!(500)));
    assert_eq!(lab.get(BALANCER).await.body["natPorts"], Value::Null);
}

#[tokio::test]
async fn an_interface_behind_a_standard_load_balancer_is_closed_without_an_nsg() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "a").await;
    let address = json!({ "location": "westus", "sku": { "name": "Standard" } });
    lab.made(&format!("{NETWORK}/publicIPAddresses/front"), address).await;
    let body = balancer(&lab, &json!([nat_rule(&lab, "ssh", 50_001)]));
    lab.made(BALANCER, body).await;
    let path = format!("{NETWORK}/networkInterfaces/nic-a");
    let mut nic = lab.get(&path).await.body;
    let properties = nic["properties"].as_object_mut().unwrap();
    properties.remove("networkSecurityGroup");
    let configuration = &mut properties["ipConfigurations"][0]["properties"];
    configuration["publicIPAddress"] = Value::Null;
    configuration["loadBalancerInboundNatRules"] =
        json!([reference(&lab, "loadBalancers/lb/inboundNatRules/ssh")]);
    lab.made(&path, nic).await;
    let watcher = "/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westus";
    let ask = json!({
        "targetResourceId": format!("/subscriptions/{}{vm}", lab.subscription),
        "direction": "Inbound", "protocol": "TCP",
        "localIPAddress": "10.0.0.4", "localPort": "22",
        "remoteIPAddress": "198.19.0.1", "remotePort": "60000",
    });
    let reply = lab.post(&format!("{watcher}/ipFlowVerify"), Some(ask)).await;
    assert_eq!(reply.body["access"], "Deny", "{reply:?}");
}

#[tokio::test]
async fn groups_of_interfaces_count_in_rules_and_cannot_go_while_they_do() {
    let lab = Lab::new().await;
    let vm = lab.machine("g", "a").await;
    let group = format!("{NETWORK}/applicationSecurityGroups/web");
    lab.made(&group, json!({ "location": "westus" })).await;
    let mut allow = rule(100, "80", "Allow");
    allow["destinationAddressPrefix"] = Value::Null;
    allow["destinationApplicationSecurityGroups"] =
        json!([reference(&lab, "applicationSecurityGroups/web")]);
    let path = format!("{NETWORK}/networkSecurityGroups/nsg/securityRules/web");
    lab.made(&path, json!({ "properties": allow })).await;
    let watcher = "/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westus";
    let access = async || {
        let ask = json!({
            "targetResourceId": format!("/subscriptions/{}{vm}", lab.subscription),
            "direction": "Inbound", "protocol": "TCP",
            "localIPAddress": "10.0.0.4", "localPort": "80",
            "remoteIPAddress": "198.19.0.1", "remotePort": "60000",
        });
        lab.post(&format!("{watcher}/ipFlowVerify"), Some(ask)).await.body["access"]
            .clone()
    };
    assert_eq!(access().await, "Deny");
    let groups = json!([reference(&lab, "applicationSecurityGroups/web")]);
    assert!(
        change(&lab, "nic-a", "applicationSecurityGroups", groups)
            .await
            .status
            .is_success()
    );
    assert_eq!(access().await, "Allow");
    let reply = lab.delete(&group).await;
    assert_eq!(reply.code(), "InUseApplicationSecurityGroupCannotBeDeleted");
}
