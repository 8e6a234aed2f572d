//! The six rules that every NSG has. They cannot be removed; any custom rule goes
//! first, because their priorities start at 65000.

use super::{Access, Addresses, Endpoint, Rule};
use crate::flow::{Direction, Protocol};
use crate::ports::Ports;
use crate::tags::ServiceTag;

/// The default rules with the API's names and descriptions, inbound first, each
/// direction in priority order.
pub fn default_rules() -> [Rule; 6] {
    use Access::{Allow, Deny};
    use Direction::{Inbound, Outbound};
    let vnet = || Addresses::Tag(ServiceTag::VirtualNetwork);
    let internet = || Addresses::Tag(ServiceTag::Internet);
    let prober = || Addresses::Tag(ServiceTag::AzureLoadBalancer);
    let any = || Addresses::Any;
    [
        rule("AllowVnetInBound", 65000, Inbound, Allow, vnet(), vnet())
            .described("Allow inbound traffic from all VMs in VNET"),
        rule("AllowAzureLoadBalancerInBound", 65001, Inbound, Allow, prober(), any())
            .described("Allow inbound traffic from azure load balancer"),
        rule("DenyAllInBound", 65500, Inbound, Deny, any(), any())
            .described("Deny all inbound traffic"),
        rule("AllowVnetOutBound", 65000, Outbound, Allow, vnet(), vnet())
            .described("Allow outbound traffic from all VMs to all VMs in VNET"),
        rule("AllowInternetOutBound", 65001, Outbound, Allow, any(), internet())
            .described("Allow outbound traffic from all VMs to Internet"),
        rule("DenyAllOutBound", 65500, Outbound, Deny, any(), any())
            .described("Deny all outbound traffic"),
    ]
}

fn rule(
    name: &str,
    priority: u16,
    direction: Direction,
    access: Access,
    source: Addresses,
    destination: Addresses,
) -> Rule {
    Rule {
        name: name.to_owned(),
        description: None,
        priority,
        direction,
        access,
        protocol: Protocol::Any,
        source: Endpoint { addresses: source, ports: Ports::any() },
        destination: Endpoint { addresses: destination, ports: Ports::any() },
        default: true,
    }
}

impl Rule {
    fn described(mut self, description: &str) -> Rule {
        self.description = Some(description.to_owned());
        self
    }
}
