//! What the cloud's network decides for the flow to the SSH port.

use serde::{Deserialize, Serialize};

/// The cloud's side of the network path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPath {
    /// The client's address as the cloud sees it, if it is known.
    #[serde(default)]
    pub client_address: Option<String>,
    /// The VM's public addresses.
    pub public_addresses: Vec<String>,
    /// The private address that the flow ends at.
    #[serde(default)]
    pub private_address: Option<String>,
    /// The NIC's resource id.
    #[serde(default)]
    pub nic: Option<String>,
    /// The inbound decision of the NSGs for TCP to the SSH port.
    #[serde(default)]
    pub inbound: Option<FlowDecision>,
    /// Where a reply to the client goes: next hop type (`Internet`, `None`,
    /// `VirtualAppliance`, ...).
    #[serde(default)]
    pub reply_next_hop: Option<String>,
    /// The route table that decides the reply's next hop, if one does.
    #[serde(default)]
    pub reply_route_table: Option<String>,
    /// Priorities of inbound custom rules in the NSG that denies, so that a
    /// repair can find a free one above the deny.
    #[serde(default)]
    pub used_priorities: Vec<u16>,
}

/// Who decides about one flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowDecision {
    /// `Allow` or `Deny`; `OnlyFrom` where it depends on a client's address that is
    /// not known.
    pub access: String,
    /// The prefixes that may connect, of `OnlyFrom`.
    #[serde(default)]
    pub allowed: Vec<String>,
    /// The deciding rule's name; none when no NSG applies.
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
