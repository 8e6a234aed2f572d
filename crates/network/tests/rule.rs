//! Rules from and to ARM's JSON: what Azure refuses is refused in its words.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use network::{Direction, Nsg, Rule, RuleError, default_rules};
use serde_json::{Value, json};

const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/\
                  networkSecurityGroups/n/securityRules/ssh";

/// A rule for SSH with some fields replaced; null takes a field away.
fn with(changes: &Value) -> Result<Rule, RuleError> {
    let mut properties = json!({
        "protocol": "Tcp",
        "access": "Allow",
        "direction": "Inbound",
        "priority": 1000,
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "22",
    });
    properties.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Rule::from_arm(ID, &properties)
}

fn refused(changes: &Value) -> (&'static str, String) {
    let error = with(changes).unwrap_err();
    (error.code(), error.to_string())
}

#[test]
fn the_name_is_the_last_segment_of_the_id() {
    assert_eq!(with(&json!({})).unwrap().name, "ssh");
}

#[test]
fn a_rule_keeps_its_fields_through_arm() {
    let properties = json!({
        "description": "for the operators",
        "protocol": "Tcp",
        "sourcePortRange": "*",
        "sourceAddressPrefixes": ["10.0.0.0/8", "192.168.1.1"],
        "destinationPortRanges": ["22", "8000-8080"],
        "destinationApplicationSecurityGroups": [{ "id": "/asg/web" }],
        "access": "Deny",
        "priority": 4096,
        "direction": "Outbound",
    });
    assert_eq!(Rule::from_arm("r", &properties).unwrap().to_arm(), properties);
}

#[test]
fn spellings_are_read_in_any_case_and_written_in_arms() {
    let rule = with(&json!({
        "protocol": "TCP",
        "access": "allow",
        "direction": "inbound",
        "sourceAddressPrefix": "VIRTUAL_NETWORK",
    }));
    let properties = rule.unwrap().to_arm();
    assert_eq!(properties["protocol"], "Tcp");
    assert_eq!(properties["access"], "Allow");
    assert_eq!(properties["direction"], "Inbound");
    assert_eq!(properties["sourceAddressPrefix"], "VirtualNetwork");
}

#[test]
fn empty_plural_fields_beside_a_singular_one_mean_nothing() {
    let rule = with(&json!({
        "sourceAddressPrefixes": [],
        "destinationPortRanges": [],
        "sourceApplicationSecurityGroups": null,
        "provisioningState": "Succeeded",
    }));
    assert_eq!(rule, with(&json!({})));
}

#[test]
fn priorities_are_100_to_4096() {
    assert!(with(&json!({ "priority": 100 })).is_ok());
    assert!(with(&json!({ "priority": 4096 })).is_ok());
    for priority in [99, 4097, 65000, 70000, -1] {
        let (code, text) = refused(&json!({ "priority": priority }));
        assert_eq!(code, "SecurityRuleInvalidPriority");
        assert!(text.contains(&format!("Value provided: {priority} ")), "{text}");
    }
}

#[test]
fn port_ranges_are_digits() {
    for value in ["65536", "30-20", "636, 389", "ssh", "22-"] {
        let (code, text) = refused(&json!({ "destinationPortRange": value }));
        assert_eq!(code, "SecurityRuleInvalidPortRange");
        assert!(text.contains(&format!("Value provided: {value}. ")), "{text}");
    }
}

#[test]
fn host_bits_and_the_portals_any_are_no_prefixes() {
    for value in ["50.206.209.68/27", "any", "Any", "10.0.0.0/8,10.1.0.0/16"] {
        let (code, text) = refused(&json!({ "sourceAddressPrefix": value }));
        assert_eq!(code, "SecurityRuleInvalidAddressPrefix");
        let expected = format!(
            "Security rule {ID} has invalid Address prefix. Value provided: {value}"
        );
        assert_eq!(text, expected);
    }
}

#[test]
fn tags_are_not_for_the_plural_field() {
    for value in ["VirtualNetwork", "*", "Storage.WestUS"] {
        let (code, text) = refused(&json!({
            "destinationAddressPrefix": null,
            "destinationAddressPrefixes": ["10.0.0.0/8", value],
        }));
        assert_eq!(code, "SecurityRuleParameterContainsUnsupportedValue");
        assert_eq!(
            text,
            format!(
                "Security rule parameter DestinationAddressPrefix for rule with Id {ID} \
                 cannot specify existing VIRTUALNETWORK, INTERNET, AZURELOADBALANCER, \
                 '*' or system tags. Unsupported value used: {value}."
            )
        );
    }
}

#[test]
fn one_rule_speaks_of_one_address_family() {
    let (code, _) = refused(&json!({
        "sourceAddressPrefix": "10.0.0.0/8",
        "destinationAddressPrefix": "fd00::/8",
    }));
    assert_eq!(code, "ResourceCannotContainAddressPrefixesFromDifferentAddressFamilies");
}

#[test]
fn a_side_without_addresses_or_ports_is_incomplete() {
    for (field, needed) in [
        (
            "sourceAddressPrefix",
            "SourceAddressPrefixes, SourceAddressPrefix, or SourceApplicationSecurityGroups",
        ),
        ("destinationPortRange", "DestinationPortRanges or DestinationPortRange"),
    ] {
        let (code, text) = refused(&json!({ field: null }));
        assert_eq!(code, "SecurityRuleParametersMissing");
        assert!(
            text.ends_with(&format!("Security rule must specify {needed}.")),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_of_the_schema_cannot_be_parsed() {
    for changes in [
        json!({ "access": "Maybe" }),
        json!({ "direction": null }),
        json!({ "protocol": 6 }),
        json!({ "priority": "high" }),
        json!({ "sourceAddressPrefixes": ["10.0.0.0/8"] }),
        json!({ "destinationPortRange": null, "destinationPortRanges": [22] }),
    ] {
        assert_eq!(refused(&changes).0, "InvalidRequestFormat");
    }
}

#[test]
fn names_are_resource_names() {
    let properties = with(&json!({})).unwrap().to_arm();
    let long = "a".repeat(81);
    for name in ["", "-ssh", "ssh-", "a b", "größe", &long] {
        let error = Rule::from_arm(name, &properties).unwrap_err();
        assert_eq!(error.code(), "InvalidResourceName", "{name}");
    }
    for name in ["ssh_", "a", "allow-22.v2", &long[1..]] {
        assert!(Rule::from_arm(name, &properties).is_ok(), "{name}");
    }
}

#[test]
fn a_priority_may_be_used_once_per_direction() {
    let inbound = with(&json!({})).unwrap();
    let outbound = with(&json!({ "direction": "Outbound" })).unwrap();
    let nsg = Nsg::new("n", [inbound.clone(), outbound]).unwrap();
    let names: Vec<&str> =
        nsg.rules(Direction::Inbound).iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(
        names,
        ["ssh", "AllowVnetInBound", "AllowAzureLoadBalancerInBound", "DenyAllInBound"]
    );
    let error = Nsg::new("n", [inbound.clone(), inbound]).unwrap_err();
    assert_eq!(error.code(), "SecurityRuleConflict");
}

#[test]
fn the_default_rules_are_those_of_the_vectors() {
    let file: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let listed: Vec<Value> = default_rules()
        .iter()
        .map(|rule| {
            let mut properties = rule.to_arm();
            properties.as_object_mut().unwrap().remove("description");
            properties["name"] = json!(rule.name);
            properties
        })
        .collect();
    assert_eq!(json!(listed), file["defaultSecurityRules"]);
}

#[test]
fn an_accepted_nsg_may_use_tags_that_are_newer_than_this_crate() {
    let mut properties = with(&json!({})).unwrap().to_arm();
    properties["sourceAddressPrefix"] = json!("BrandNewService.WestEurope");
    let document = json!({
        "id": "/n",
        "properties": { "securityRules": [{ "name": "new", "properties": properties }] },
    });
    let nsg = Nsg::from_arm(&document).unwrap();
    assert_eq!(nsg.id, "/n");
    assert_eq!(nsg.rules(Direction::Inbound)[0].to_arm(), properties);
    assert_eq!(
        Rule::from_arm("new", &properties).unwrap_err().code(),
        "SecurityRuleInvalidAddressPrefix"
    );
}
