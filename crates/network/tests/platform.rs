//! The VM's traffic to the platform, and the tags that lift its exemption.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use network::{Access, Attachment, Direction, Flow, Nsg, Protocol, Rule, Tags, decide};
use serde_json::json;

/// An NSG that denies what goes out to `destination`.
fn denying(destination: &str) -> Nsg {
    let properties = json!({
        "protocol": "*",
        "access": "Deny",
        "direction": "Outbound",
        "priority": 100,
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": destination,
        "destinationPortRange": "*",
    });
    Nsg::new("n", [Rule::from_arm("deny", &properties).unwrap()]).unwrap()
}

fn access(nsg: &Nsg, destination: &str, port: u16) -> Access {
    let flow = Flow {
        direction: Direction::Outbound,
        protocol: Protocol::Tcp,
        source: "10.0.0.4".parse().unwrap(),
        source_port: 50000,
        destination: destination.parse().unwrap(),
        destination_port: port,
    };
    let tags = Tags::new(["10.0.0.0/16".parse().unwrap()]);
    decide(&[(Attachment::Subnet, nsg)], &flow, &tags).access
}

#[test]
fn denying_everything_leaves_the_platform_reachable() {
    let nsg = denying("*");
    assert_eq!(access(&nsg, "168.63.129.16", 80), Access::Allow);
    assert_eq!(access(&nsg, "169.254.169.254", 80), Access::Allow);
    assert_eq!(access(&nsg, "8.8.8.8", 53), Access::Deny);
}

#[test]
fn the_name_service_tag_takes_port_53_only() {
    let nsg = denying("AzurePlatformDNS");
    assert_eq!(access(&nsg, "168.63.129.16", 53), Access::Deny);
    assert_eq!(access(&nsg, "168.63.129.16", 80), Access::Allow);
    assert_eq!(access(&nsg, "169.254.169.254", 80), Access::Allow);
}

#[test]
fn the_metadata_tag_takes_the_metadata_service() {
    let nsg = denying("AzurePlatformIMDS");
    assert_eq!(access(&nsg, "169.254.169.254", 80), Access::Deny);
    assert_eq!(access(&nsg, "168.63.129.16", 53), Access::Allow);
}
