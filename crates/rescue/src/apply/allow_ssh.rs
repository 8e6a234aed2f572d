//! A narrow rule above the one that denies: this client, TCP, this port, this VM, for
//! some hours.

use doctor::Step;
use doctor::case::{FlowDecision, NetworkPath, Section};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::Request;
use crate::apply::ApplyError;
use crate::collect::{API as NETWORK, document, network};
use crate::journal::{Journal, Undo};

/// How long the rule is meant to stay. Nothing in Azure removes it then; the journal
/// knows it, and any later `regain` can.
const HOURS: i64 = 8;

/// The range of custom priorities.
const PRIORITIES: std::ops::RangeInclusive<u16> = 100..=4096;

/// Puts the rule into the NSG that denies. If a second NSG denies too, that is the
/// next round's.
pub(crate) async fn run(
    request: &Request,
    step: &Step,
    journal: &mut Journal,
) -> Result<(u32, Vec<String>), ApplyError> {
    let impossible = |why: &str| ApplyError::Impossible(why.to_owned());
    let (cloud, _) = request.cloud().map_err(impossible)?;
    let vm = document(request, &|_| {}).await;
    let path = match network(request, &vm, &|_| {}).await {
        Section::Collected(path) => path,
        Section::Failed(why) | Section::NotTried(why) => return Err(impossible(&why)),
    };
    let expires = Timestamp::now() + SignedDuration::from_hours(HOURS);
    let expires = Timestamp::from_second(expires.as_second()).unwrap_or(expires);
    let number = u32::try_from(journal.steps.len()).unwrap_or(u32::MAX) + 1;
    let name = format!("regain-{}-{number}", journal.id);
    let rule = plan(&path, request.port, &name, &journal.id, &expires.to_string())?;

    let undo = Undo::Rule { rule: rule.id.clone(), expires: expires.to_string() };
    let number = journal.begin(step, undo)?;
    cloud
        .put(&format!("{}?api-version={NETWORK}", rule.id), &rule.body)
        .await
        .map_err(ApplyError::arm("add the security rule"))?;
    let said = format!(
        "rule {name} (priority {}) allows {} to port {} until {expires}",
        rule.priority, rule.source, request.port
    );
    Ok((number, vec![said]))
}

/// The rule to put.
#[derive(Debug, PartialEq)]
struct Planned {
    id: String,
    body: Value,
    priority: u16,
    source: String,
}

fn plan(
    path: &NetworkPath,
    port: u16,
    name: &str,
    undo_id: &str,
    expires: &str,
) -> Result<Planned, ApplyError> {
    let impossible = |why: &str| ApplyError::Impossible(why.to_owned());
    let denied = path.inbound.as_ref().filter(|decision| decision.access == "Deny");
    let denied = denied.ok_or_else(|| impossible("no NSG denies this connection"))?;
    let nsg = denied.nsg.as_ref().ok_or_else(|| {
        impossible("the public address is closed because no NSG is there to open it")
    })?;
    let client = path.client_address.as_ref().ok_or_else(|| {
        impossible("the client's address, as the cloud sees it, is not known")
    })?;
    let length = if client.contains(':') { 128 } else { 32 };
    let source = format!("{client}/{length}");
    let priority = free_priority(denied, &path.used_priorities)?;
    let body = json!({ "properties": {
        "description": format!("made by regain, to be removed after {expires} \
                                (regain undo {undo_id})"),
        "protocol": "Tcp",
        "sourceAddressPrefix": source,
        "sourcePortRange": "*",
        "destinationAddressPrefix": path.private_address.as_deref().unwrap_or("*"),
        "destinationPortRange": port.to_string(),
        "access": "Allow",
        "priority": priority,
        "direction": "Inbound",
    }});
    Ok(Planned { id: format!("{nsg}/securityRules/{name}"), body, priority, source })
}

/// The free priority next above the rule that denies: every rule that stands before
/// that one keeps its say.
fn free_priority(denied: &FlowDecision, used: &[u16]) -> Result<u16, ApplyError> {
    let below = denied.priority.unwrap_or(u16::MAX);
    PRIORITIES
        .rev()
        .filter(|&priority| priority < below)
        .find(|priority| !used.contains(priority))
        .ok_or_else(|| {
            ApplyError::Impossible(format!(
                "no priority above the rule {} is free",
                denied.rule.as_deref().unwrap_or_default()
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(priority: u16, default_rule: bool, used: &[u16]) -> NetworkPath {
        NetworkPath {
            client_address: Some("198.51.100.7".to_owned()),
            public_addresses: Vec::new(),
            private_address: Some("10.0.0.4".to_owned()),
            nic: None,
            inbound: Some(FlowDecision {
                access: "Deny".to_owned(),
                rule: Some("no".to_owned()),
                priority: Some(priority),
                default_rule,
                nsg: Some("/nsg".to_owned()),
                attached_to: Some("subnet".to_owned()),
            }),
            reply_next_hop: None,
            reply_route_table: None,
            used_priorities: used.to_vec(),
        }
    }

    fn planned(path: &NetworkPath) -> Result<Planned, ApplyError> {
        plan(path, 22, "regain-x-1", "x", "2026-11-22T20:00:00Z")
    }

    #[test]
    fn the_rule_stands_next_above_the_deny_and_speaks_of_nobody_else() {
        let rule = planned(&path(300, false, &[298, 299, 300])).unwrap();
        assert_eq!(rule.id, "/nsg/securityRules/regain-x-1");
        let properties = &rule.body["properties"];
        assert_eq!(properties["priority"], 297);
        assert_eq!(properties["sourceAddressPrefix"], "198.51.100.7/32");
        assert_eq!(properties["destinationAddressPrefix"], "10.0.0.4");
        assert_eq!(properties["destinationPortRange"], "22");
        assert!(properties["description"].as_str().unwrap().contains("regain undo x"));
    }

    #[test]
    fn a_default_deny_leaves_every_custom_rule_its_say() {
        let rule = planned(&path(65_500, true, &[4096])).unwrap();
        assert_eq!(rule.priority, 4095);
    }

    #[test]
    fn without_a_free_priority_or_a_known_client_there_is_no_rule() {
        assert!(planned(&path(100, false, &[100])).is_err());
        let mut unknown = path(300, false, &[]);
        unknown.client_address = None;
        assert!(planned(&unknown).is_err());
        let mut allowed = path(300, false, &[]);
        allowed.inbound.as_mut().unwrap().access = "Allow".to_owned();
        assert!(planned(&allowed).is_err());
    }
}
