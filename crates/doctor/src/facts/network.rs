//! What the cloud's network and the platform decide.

use serde::Serialize;

use crate::case::{NetworkPath, Platform};

/// What the cloud's network decides for the flow to the SSH port.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkFacts {
    /// `Allow` or `Deny`, if the NSGs were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
    /// The prefixes that may connect, where it depends on the client and the client's
    /// address is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_sources: Option<Vec<String>>,
    /// The deciding rule's name; empty if no NSG applies.
    pub rule: String,
    /// Its priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Whether it is one of the six default rules.
    pub default_rule: bool,
    /// The NSG's name.
    pub nsg: String,
    /// `subnet` or `networkInterface`.
    pub attached_to: String,
    /// The client's address as the cloud sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_address: Option<String>,
    /// The VM's private address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_address: Option<String>,
    /// The VM's public addresses.
    pub public_addresses: Vec<String>,
    /// Where a reply goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_next_hop: Option<String>,
    /// The route table that decides that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_route_table: Option<String>,
}

/// The VM as the platform sees it.
#[derive(Debug, Clone, Serialize)]
pub struct PlatformFacts {
    /// The VM's name.
    pub vm: String,
    /// Its resource group.
    pub resource_group: String,
    /// `running`, `stopped`, `deallocated`, `starting`, `stopping` or
    /// `deallocating`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<String>,
    /// `provisioningState`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning: Option<String>,
    /// `Ready`, `Not Ready`; empty if the agent never reported.
    pub agent: String,
}

pub(super) fn network(path: &NetworkPath) -> NetworkFacts {
    let inbound = path.inbound.as_ref();
    let last = |id: &String| id.rsplit('/').next().unwrap_or_default().to_owned();
    NetworkFacts {
        access: inbound
            .map(|decision| decision.access.clone())
            .filter(|access| access != "OnlyFrom"),
        allowed_sources: inbound
            .filter(|decision| decision.access == "OnlyFrom")
            .map(|decision| decision.allowed.clone()),
        rule: inbound.and_then(|decision| decision.rule.clone()).unwrap_or_default(),
        priority: inbound.and_then(|decision| decision.priority).map(i64::from),
        default_rule: inbound.is_some_and(|decision| decision.default_rule),
        nsg: inbound
            .and_then(|decision| decision.nsg.as_ref())
            .map(last)
            .unwrap_or_default(),
        attached_to: inbound
            .and_then(|decision| decision.attached_to.clone())
            .unwrap_or_default(),
        client_address: path.client_address.clone(),
        private_address: path.private_address.clone(),
        public_addresses: path.public_addresses.clone(),
        reply_next_hop: path.reply_next_hop.clone(),
        reply_route_table: path.reply_route_table.clone(),
    }
}

pub(super) fn platform(platform: &Platform) -> PlatformFacts {
    PlatformFacts {
        vm: platform.vm.clone(),
        resource_group: platform.resource_group.clone(),
        power: platform.power.as_deref().map(power),
        provisioning: platform.provisioning.clone(),
        agent: platform.agent.status.clone().unwrap_or_default(),
    }
}

/// ARM's status code is `PowerState/running`; the case holds the last part, but
/// a collector that keeps the whole code is understood as well.
fn power(code: &str) -> String {
    let state = code.rsplit('/').next().unwrap_or(code);
    state.strip_prefix("VM ").unwrap_or(state).to_ascii_lowercase()
}
