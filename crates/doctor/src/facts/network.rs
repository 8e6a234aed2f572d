//! What the cloud's network and the platform decide.

use serde::Serialize;

use super::known::Known;
use crate::case::{Decider, Inbound, NetworkPath, NextHop, Platform, PowerState};

/// What the cloud's network decides for the flow to the SSH port.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkFacts {
    /// `Allow` or `Deny`, where that is known of this client.
    pub access: Known<&'static str>,
    /// Who decides, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// The prefixes that may connect, where it depends on the client and the client's
    /// address is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_sources: Option<Vec<String>>,
    /// Why `access` is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_because: Option<String>,
    /// The deciding rule's name; empty if no NSG applies.
    pub rule: String,
    /// Its priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// Whether it is one of the six default rules.
    pub default_rule: bool,
    /// Whether it is just-in-time access's own, which opens the port on request.
    pub just_in_time: bool,
    /// The NSG's name.
    pub nsg: String,
    /// `subnet` or `networkInterface`.
    pub attached_to: String,
    /// The client's address as the cloud sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_address: Option<String>,
    /// Who said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_address_from: Option<String>,
    /// The VM's private address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_address: Option<String>,
    /// Its network interface's resource id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nic: Option<String>,
    /// The VM's public addresses.
    pub public_addresses: Vec<String>,
    /// Where a reply goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_next_hop: Option<NextHop>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_unknown_because: Option<String>,
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
    pub power: Option<PowerState>,
    /// `provisioningState`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioning: Option<String>,
    /// `Ready`, `Not Ready`; empty if the agent never reported.
    pub agent: String,
    /// `Linux` or `Windows`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// The region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

pub(super) fn network(path: &NetworkPath) -> NetworkFacts {
    let inbound = path.inbound.as_ref();
    let unknown_because = inbound.and_then(unknown_because);
    let decider = inbound.and_then(Inbound::decider).cloned().unwrap_or_default();
    NetworkFacts {
        access: Known::or(
            inbound.and_then(access),
            unknown_because.as_deref().unwrap_or("the VM has no private address"),
        ),
        decided_by: inbound.and_then(decided_by),
        allowed_sources: match inbound {
            Some(Inbound::OnlyFrom { allowed, .. }) => Some(allowed.clone()),
            _ => None,
        },
        unknown_because,
        nsg: decider.nsg.as_deref().map(last).unwrap_or_default().to_owned(),
        just_in_time: decider.rule.as_deref().is_some_and(is_just_in_time),
        rule: decider.rule.unwrap_or_default(),
        priority: decider.priority.map(i64::from),
        default_rule: decider.default_rule,
        attached_to: decider.attached_to.unwrap_or_default(),
        client_address: path.client_address.clone(),
        client_address_from: path.client_address_from.clone(),
        private_address: path.private_address.clone(),
        nic: path.nic.clone(),
        public_addresses: path.public_addresses.clone(),
        reply_next_hop: path.reply_next_hop.clone(),
        reply_unknown_because: path.reply_unknown_because.clone(),
        reply_route_table: path.reply_route_table.clone(),
    }
}

fn access(inbound: &Inbound) -> Option<&'static str> {
    match inbound {
        Inbound::Allow(_) => Some("Allow"),
        Inbound::Deny(_) => Some("Deny"),
        Inbound::OnlyFrom { .. } | Inbound::Unknown { .. } => None,
    }
}

fn decided_by(inbound: &Inbound) -> Option<String> {
    match inbound {
        Inbound::Allow(Decider { rule: None, .. }) => Some("no NSG applies".to_owned()),
        Inbound::Deny(Decider { rule: None, .. }) => Some(
            "no NSG applies, and a public address of the Standard SKU is closed until \
             one opens it"
                .to_owned(),
        ),
        Inbound::Allow(decider)
        | Inbound::Deny(decider)
        | Inbound::OnlyFrom { decider, .. } => Some(words(decider)),
        Inbound::Unknown { .. } => None,
    }
}

fn words(decider: &Decider) -> String {
    let rule = decider.rule.as_deref().unwrap_or_default();
    let nsg = decider.nsg.as_deref().map(last).unwrap_or_default();
    let place = decider.attached_to.as_deref().unwrap_or_default();
    let priority = decider
        .priority
        .map(|priority| format!(" (priority {priority})"))
        .unwrap_or_default();
    format!("NSG {nsg} ({place}): rule {rule}{priority}")
}

/// How many prefixes a sentence names.
const NAMED: usize = 4;

fn unknown_because(inbound: &Inbound) -> Option<String> {
    let (allowed, denied) = match inbound {
        Inbound::Unknown { because } => return Some(because.clone()),
        Inbound::OnlyFrom { allowed, denied, .. } => (allowed, denied),
        Inbound::Allow(_) | Inbound::Deny(_) => return None,
    };
    let who = if denied.len() < allowed.len() {
        format!("all but {} may connect", some(denied))
    } else {
        format!("only {} may connect", some(allowed))
    };
    Some(format!("{who}, and this client's address is not known: say --client-address"))
}

fn some(prefixes: &[String]) -> String {
    let named = prefixes.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>();
    match prefixes.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Microsoft Defender for Cloud names its rules so (formerly Azure Security Center).
fn is_just_in_time(rule: &str) -> bool {
    ["MicrosoftDefenderForCloud-JITRule", "SecurityCenter-JITRule"]
        .iter()
        .any(|prefix| rule.starts_with(prefix))
}

/// The name at the end of a resource id.
fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or_default()
}

pub(super) fn platform(platform: &Platform) -> PlatformFacts {
    PlatformFacts {
        vm: platform.vm.clone(),
        resource_group: platform.resource_group.clone(),
        power: platform.power.clone(),
        provisioning: platform.provisioning.clone(),
        agent: platform.agent.status.clone().unwrap_or_default(),
        os: platform.os.clone(),
        location: platform.location.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(inbound: &str) -> NetworkFacts {
        let path = format!(r#"{{ "publicAddresses": [], "inbound": {inbound} }}"#);
        network(&serde_json::from_str(&path).expect("a section"))
    }

    #[test]
    fn what_depends_on_an_unknown_client_is_neither_yes_nor_no() {
        let office = facts(
            r#"{ "access": "OnlyFrom", "allowed": ["203.0.113.0/24"],
                 "denied": ["0.0.0.0/1", "128.0.0.0/2"], "rule": "no", "nsg": "/nsg/web",
                 "attachedTo": "subnet" }"#,
        );
        assert_eq!(office.access.known(), None);
        assert_eq!(office.allowed_sources, Some(vec!["203.0.113.0/24".to_owned()]));
        assert_eq!(office.decided_by.as_deref(), Some("NSG web (subnet): rule no"));
        let because = office.unknown_because.expect("a reason");
        assert!(because.starts_with("only 203.0.113.0/24 may connect"), "{because}");
    }

    #[test]
    fn a_hole_is_told_as_what_it_leaves_out() {
        let hole = facts(
            r#"{ "access": "OnlyFrom", "allowed": ["0.0.0.0/1", "128.0.0.0/2"],
                 "denied": ["203.0.113.9"] }"#,
        );
        let because = hole.unknown_because.expect("a reason");
        assert!(because.starts_with("all but 203.0.113.9 may connect"), "{because}");
    }

    #[test]
    fn an_address_that_nothing_opened_is_denied_by_no_rule() {
        let closed = facts(r#"{ "access": "Deny" }"#);
        assert_eq!((closed.access, closed.rule.as_str()), (Known::Is("Deny"), ""));
        assert!(closed.decided_by.is_some_and(|text| text.contains("Standard")));
    }
}
