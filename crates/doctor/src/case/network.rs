//! What the cloud's network decides for the flow to the SSH port.

use serde::{Deserialize, Serialize};

use super::word::words;

/// The cloud's side of the network path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPath {
    /// The client's address as the cloud sees it, if it is known.
    #[serde(default)]
    pub client_address: Option<String>,
    /// Who said so, as in `--client-address`.
    #[serde(default)]
    pub client_address_from: Option<String>,
    /// The VM's public addresses.
    pub public_addresses: Vec<String>,
    /// The private address that the flow ends at.
    #[serde(default)]
    pub private_address: Option<String>,
    /// The NIC's resource id.
    #[serde(default)]
    pub nic: Option<String>,
    /// The inbound decision of the NSGs for TCP to the SSH port; none if the VM has
    /// no private address.
    #[serde(default)]
    pub inbound: Option<Inbound>,
    /// Where a reply to the client goes: if that is known.
    #[serde(default)]
    pub reply_next_hop: Option<NextHop>,
    /// Why it is not known where a reply goes.
    #[serde(default)]
    pub reply_unknown_because: Option<String>,
    /// The route table that decides the reply's next hop, if one does.
    #[serde(default)]
    pub reply_route_table: Option<String>,
    /// The load balancer's front that leads to the VM, where the client comes by one.
    #[serde(default)]
    pub front: Option<Front>,
    /// What could not be had of the documents, and why; what depends on it is unknown.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Priorities of inbound custom rules in the NSG that denies, so that a
    /// repair can find a free one above the deny.
    #[serde(default)]
    pub used_priorities: Vec<u16>,
}

/// Where a load balancer takes connections for one VM (an inbound NAT rule).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Front {
    /// Its address.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// The VM's port that they arrive at: NSGs and the guest see this one.
    pub back_port: u16,
    /// The NAT rule's name.
    pub rule: String,
}

/// What becomes of the client's connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "access")]
pub enum Inbound {
    /// They pass, whoever the client is.
    Allow(Decider),
    /// They are dropped, whoever the client is.
    Deny(Decider),
    /// Some addresses may, and whether the client has one of them is not known.
    OnlyFrom {
        /// The prefixes that may; every other source is in `denied`.
        allowed: Vec<String>,
        /// The prefixes that may not.
        denied: Vec<String>,
        /// Who denies the others.
        #[serde(flatten)]
        decider: Decider,
    },
    /// It is not known.
    Unknown {
        /// Why, as a sentence without its full stop.
        because: String,
    },
}

/// Who decides about a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decider {
    /// The deciding rule's name; none where no NSG applies. A public address of the
    /// Standard SKU is closed then, any other way is open.
    #[serde(default)]
    pub rule: Option<String>,
    /// Its priority.
    #[serde(default)]
    pub priority: Option<u16>,
    /// Whether it is one of the six default rules.
    #[serde(default)]
    pub default_rule: bool,
    /// The NSG's resource id.
    #[serde(default)]
    pub nsg: Option<String>,
    /// Where that NSG is attached: `subnet` or `networkInterface`.
    #[serde(default)]
    pub attached_to: Option<String>,
}

impl Inbound {
    /// Who decides, if it is decided.
    pub fn decider(&self) -> Option<&Decider> {
        match self {
            Inbound::Allow(decider) | Inbound::Deny(decider) => Some(decider),
            Inbound::OnlyFrom { .. } | Inbound::Unknown { .. } => None,
        }
    }
}

words! {
    /// The kind of a route's next hop.
    pub enum NextHop {
        /// Another machine of the virtual network.
        VnetLocal = "VnetLocal",
        /// A virtual network that this one is peered with.
        VnetPeering = "VNetPeering",
        /// The Internet.
        Internet = "Internet",
        /// A gateway to another network.
        Gateway = "VirtualNetworkGateway",
        /// A machine that forwards.
        Appliance = "VirtualAppliance",
        /// Nowhere: the packet is dropped.
        None = "None",
    }
}
