//! What the documents of small networks mean for a connection.

use serde_json::json;

use super::*;
use crate::platform::ClientAddress;

fn rule(name: &str, priority: u16, access: &str, source: &str) -> Value {
    json!({ "name": name, "properties": {
        "priority": priority, "direction": "Inbound", "access": access,
        "protocol": "Tcp", "sourceAddressPrefix": source, "sourcePortRange": "*",
        "destinationAddressPrefix": "*", "destinationPortRange": "22",
    }})
}

fn nsg(name: &str, rules: &[Value]) -> Value {
    json!({ "id": format!("/nsg/{name}"), "properties": { "securityRules": rules } })
}

fn documents(nic_nsg: Option<Value>) -> Documents {
    Documents {
        nic: json!({ "id": "/nic", "properties": { "ipConfigurations": [
            { "properties": { "privateIPAddress": "10.0.0.4", "primary": true } },
        ]}}),
        public_ips: vec![json!({
            "sku": { "name": "Standard" },
            "properties": { "ipAddress": "127.64.0.4" },
        })],
        vnet: Some(json!({ "properties": { "addressSpace": {
            "addressPrefixes": ["10.0.0.0/16"],
        }}})),
        nic_nsg,
        ..Documents::default()
    }
}

fn routed(routes: &[Value]) -> Documents {
    let table = json!({ "id": "/table", "properties": { "routes": routes } });
    Documents { route_table: Some(table), ..documents(None) }
}

fn route(name: &str, prefix: &str, hop: &str) -> Value {
    json!({ "name": name, "properties": { "addressPrefix": prefix, "nextHopType": hop } })
}

fn way(client: Option<&str>) -> Way {
    let client = client.map(|address| ClientAddress {
        address: address.parse().unwrap(),
        from: "the test".to_owned(),
    });
    Way { client, to: Destination::Vm, port: 22 }
}

fn inbound(documents: &Documents, client: Option<&str>) -> Inbound {
    documents.path(&way(client)).unwrap().inbound.unwrap()
}

const CLIENT: Option<&str> = Some("198.51.100.7");

#[test]
fn the_nsg_that_denies_is_named_with_the_priorities_that_are_taken() {
    let office = rule("office", 100, "Allow", "192.0.2.0/24");
    let mut documents =
        documents(Some(nsg("nic", &[office, rule("no", 200, "Deny", "*")])));
    documents.subnet_nsg = Some(nsg("subnet", &[rule("ssh", 300, "Allow", "*")]));
    let path = documents.path(&way(CLIENT)).unwrap();
    let Some(Inbound::Deny(decider)) = &path.inbound else { panic!("{path:?}") };
    assert_eq!((decider.rule.as_deref(), decider.priority), (Some("no"), Some(200)));
    assert_eq!(decider.nsg.as_deref(), Some("/nsg/nic"));
    assert_eq!(decider.attached_to.as_deref(), Some("networkInterface"));
    assert!(!decider.default_rule);
    assert_eq!(path.used_priorities, [100, 200]);
    assert_eq!(path.public_addresses, ["127.64.0.4"]);
    assert_eq!(path.reply_next_hop.as_deref(), Some("Internet"));
    assert_eq!(path.client_address_from.as_deref(), Some("the test"));
}

#[test]
fn a_standard_address_without_an_nsg_is_closed_and_a_basic_one_is_open() {
    let mut documents = documents(None);
    assert_eq!(inbound(&documents, None), Inbound::Deny(Decider::default()));
    documents.public_ips[0]["sku"]["name"] = "Basic".into();
    assert_eq!(inbound(&documents, None), Inbound::Allow(Decider::default()));
    // Only the public address is closed.
    documents.public_ips[0]["sku"]["name"] = "Standard".into();
    let inside = Destination::Addresses(vec!["10.0.0.4".parse().unwrap()]);
    let path = documents.path(&Way { to: inside, ..way(None) }).unwrap();
    assert_eq!(path.inbound, Some(Inbound::Allow(Decider::default())));
}

#[test]
fn an_unknown_client_is_everybody_and_nobody_in_particular() {
    let only = |source| documents(Some(nsg("nic", &[rule("ssh", 100, "Allow", source)])));
    assert!(matches!(inbound(&only("Internet"), None), Inbound::Allow(_)));
    assert!(matches!(inbound(&documents(Some(nsg("nic", &[]))), None), Inbound::Deny(_)));
    let office = inbound(&only("203.0.113.0/24"), None);
    let Inbound::OnlyFrom { allowed, denied, decider } = office else {
        panic!("{office:?}")
    };
    assert_eq!(allowed, ["203.0.113.0/24"]);
    assert!(!denied.iter().any(|net| net.starts_with("10.")), "nobody comes from there");
    assert_eq!(decider.rule.as_deref(), Some("DenyAllInBound"));
}

#[test]
fn a_tag_that_nobody_expanded_leaves_it_open_where_it_matters() {
    let documents =
        documents(Some(nsg("nic", &[rule("storage", 100, "Allow", "Storage")])));
    for client in [CLIENT, None] {
        let found = inbound(&documents, client);
        let Inbound::Unknown { because } = found else { panic!("{found:?}") };
        assert!(
            because.contains("rule storage depends on who is in Storage"),
            "{because}"
        );
    }
}

#[test]
fn behind_a_gateway_may_be_anybody() {
    let mut documents = documents(Some(nsg("nic", &[])));
    documents.vnet.as_mut().unwrap()["properties"]["subnets"] = json!([{
        "name": "GatewaySubnet",
        "properties": { "ipConfigurations": [{ "id": "/gateway" }] },
    }]);
    assert!(matches!(inbound(&documents, CLIENT), Inbound::Unknown { .. }));
    let path = documents.path(&way(CLIENT)).unwrap();
    assert_eq!(path.reply_next_hop, None);
    assert!(path.reply_unknown_because.unwrap().contains("gateway"));
}

#[test]
fn what_stands_before_the_vm_decides_with_what_nobody_knows() {
    let documents = documents(Some(nsg("nic", &[rule("ssh", 100, "Allow", "*")])));
    let balancer = Destination::Addresses(vec!["127.64.0.9".parse().unwrap()]);
    let path = documents.path(&Way { to: balancer, ..way(CLIENT) }).unwrap();
    let Some(Inbound::Unknown { because }) = path.inbound else { panic!("{path:?}") };
    assert!(because.starts_with("127.64.0.9 is none of the VM's own addresses"));
}

#[test]
fn an_address_of_the_other_family_is_not_the_one_that_comes_this_way() {
    let documents = documents(Some(nsg("nic", &[rule("ssh", 100, "Allow", "*")])));
    let path = documents.path(&way(Some("2600::1"))).unwrap();
    assert_eq!((path.client_address, path.client_address_from), (None, None));
}

#[test]
fn a_route_that_drops_the_reply_is_found_with_its_table() {
    let documents = routed(&[route("hole", "198.51.100.0/24", "None")]);
    let path = documents.path(&way(CLIENT)).unwrap();
    assert_eq!(path.reply_next_hop.as_deref(), Some("None"));
    assert_eq!(path.reply_route_table.as_deref(), Some("/table"));
    // Of an unknown client only what holds for all is said.
    let path = documents.path(&way(None)).unwrap();
    assert_eq!(path.reply_next_hop, None);
    assert!(path.reply_unknown_because.unwrap().contains("--client-address"));
    let all = routed(&[route("all", "0.0.0.0/0", "None")]);
    assert_eq!(all.path(&way(None)).unwrap().reply_next_hop.as_deref(), Some("None"));
}

#[test]
fn a_route_by_service_tag_may_take_the_reply_elsewhere() {
    let elsewhere = routed(&[route("tag", "AzureCloud", "None")]);
    let path = elsewhere.path(&way(CLIENT)).unwrap();
    assert_eq!(path.reply_next_hop, None);
    assert!(path.reply_unknown_because.unwrap().contains("service tag"));
    let the_same = routed(&[route("tag", "AzureCloud", "Internet")]);
    let path = the_same.path(&way(CLIENT)).unwrap();
    assert_eq!(path.reply_next_hop.as_deref(), Some("Internet"));
}

fn without(what: Part, mut documents: Documents) -> Documents {
    let why = "(AuthorizationFailed) no".to_owned();
    documents.missing.push(Missing { what, why });
    documents
}

#[test]
fn an_nsg_that_nobody_may_read_leaves_open_what_it_could_deny() {
    let open = nsg("nic", &[rule("ssh", 300, "Allow", "*")]);
    for part in [Part::Subnet, Part::SubnetNsg] {
        let documents = without(part, documents(Some(open.clone())));
        let Inbound::Unknown { because } = inbound(&documents, CLIENT) else {
            panic!("{part:?} is missing")
        };
        assert!(
            because.contains("subnet") && because.contains("Authorization"),
            "{because}"
        );
    }
    // That one drops it is known without the other.
    let closed = nsg("nic", &[rule("no", 300, "Deny", "*")]);
    let documents = without(Part::SubnetNsg, documents(Some(closed)));
    assert!(matches!(inbound(&documents, CLIENT), Inbound::Deny(_)));
    let none = without(Part::NicNsg, self::documents(None));
    assert!(matches!(inbound(&none, CLIENT), Inbound::Unknown { .. }));
}

#[test]
fn a_closed_virtual_network_hides_the_way_back_and_not_the_address() {
    let open = nsg("nic", &[rule("ssh", 300, "Allow", "*")]);
    let documents =
        Documents { vnet: None, ..without(Part::Vnet, documents(Some(open))) };
    let path = documents.path(&way(CLIENT)).unwrap();
    assert_eq!(path.public_addresses, ["127.64.0.4"]);
    assert_eq!(path.reply_next_hop, None);
    let because = path.reply_unknown_because.unwrap();
    assert!(because.starts_with("the virtual network could not be read"), "{because}");
    assert_eq!(path.missing.len(), 1);
    assert!(matches!(path.inbound, Some(Inbound::Allow(_))));
}

fn behind_a_balancer() -> Documents {
    let mut documents = documents(Some(nsg("nic", &[rule("no", 300, "Deny", "*")])));
    documents.public_ips.clear();
    documents.nic["properties"]["ipConfigurations"][0]["properties"]["loadBalancerInboundNatRules"] =
        json!([{ "id": "/LB/inboundNatRules/ssh1" }]);
    documents.balancer = Some(json!({ "properties": {
        "inboundNatRules": [{ "id": "/lb/inboundNatRules/ssh1", "name": "ssh1", "properties": {
            "frontendIPConfiguration": { "id": "/lb/front" },
            "frontendPort": 50001, "backendPort": 22,
        }}],
        "frontendIPConfigurations": [{ "id": "/LB/front", "properties": {
            "publicIPAddress": { "id": "/ip" },
        }}],
    }}));
    documents.front_ips =
        vec![json!({ "id": "/IP", "properties": { "ipAddress": "127.64.0.9" } })];
    documents
}

#[test]
fn a_nat_rule_is_followed_to_the_vm_and_its_nsg_sees_the_port_behind_it() {
    let documents = behind_a_balancer();
    let path = documents.path(&way(CLIENT)).unwrap();
    let front = path.front.unwrap();
    assert_eq!(
        (front.address.as_str(), front.port, front.back_port),
        ("127.64.0.9", 50001, 22)
    );
    // The rule is about port 22.
    assert!(matches!(path.inbound, Some(Inbound::Deny(_))));
    let named = |address: &str, port| {
        let to = Destination::Addresses(vec![address.parse().unwrap()]);
        documents.path(&Way { to, port, ..way(CLIENT) }).unwrap().front
    };
    assert_eq!(named("127.64.0.9", 50001).map(|front| front.back_port), Some(22));
    assert_eq!(named("127.64.0.9", 50002), None);
    assert_eq!(named("127.64.0.8", 50001), None);
}
