//! A narrow rule above the one that denies: this client, TCP, this port, this VM, for
//! some hours.
//!
//! It is one request: the rule alone where a priority is free, and otherwise the whole
//! NSG, in which the rules that make way and the new rule change together.

use doctor::Step;
use doctor::case::{NetworkPath, Section};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::Request;
use crate::apply::{ApplyError, room};
use crate::collect::{API as NETWORK, document, network};
use crate::journal::{Journal, Undo};

/// How long the rule is meant to stay. Nothing in Azure removes it then; the journal
/// knows it, and any later `regain` can.
const HOURS: i64 = 8;

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

    let nsg = format!("{}?api-version={NETWORK}", rule.nsg);
    let add = ApplyError::arm("add the security rule");
    let undo =
        |moved| Undo::Rule { rule: rule.id.clone(), expires: expires.to_string(), moved };
    let number = if rule.makes_way.is_empty() {
        let number = journal.begin(step, undo(Vec::new()))?;
        let path = format!("{}?api-version={NETWORK}", rule.id);
        cloud.put(&path, &rule.body).await.map_err(add)?;
        number
    } else {
        let mut document =
            cloud.get(&nsg).await.map_err(ApplyError::arm("read the NSG"))?;
        let moved = room::make_way(&mut document, &rule.makes_way);
        let rules = document.pointer_mut("/properties/securityRules");
        if let Some(rules) = rules.and_then(Value::as_array_mut) {
            let mut new = rule.body.clone();
            new["name"] = json!(name);
            rules.push(new);
        }
        let number = journal.begin(step, undo(moved))?;
        cloud.put(&nsg, &document).await.map_err(add)?;
        number
    };
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
    nsg: String,
    body: Value,
    priority: u16,
    /// Inbound priorities that move down by one, to make room.
    makes_way: Vec<u16>,
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
    let room = room::above(denied.priority.unwrap_or(u16::MAX), &path.used_priorities)
        .ok_or_else(|| impossible("the NSG that denies has no room for a rule"))?;
    let body = json!({ "properties": {
        "description": format!("made by regain, to be removed after {expires} \
                                (regain undo {undo_id})"),
        "protocol": "Tcp",
        "sourceAddressPrefix": source,
        "sourcePortRange": "*",
        "destinationAddressPrefix": path.private_address.as_deref().unwrap_or("*"),
        "destinationPortRange": port.to_string(),
        "access": "Allow",
        "priority": room.priority,
        "direction": "Inbound",
    }});
    Ok(Planned {
        id: format!("{nsg}/securityRules/{name}"),
        nsg: nsg.clone(),
        body,
        priority: room.priority,
        makes_way: room.moved,
        source,
    })
}

#[cfg(test)]
mod tests {
    use doctor::case::FlowDecision;

    use super::*;

    fn path(priority: u16, default_rule: bool, used: &[u16]) -> NetworkPath {
        NetworkPath {
            client_address: Some("198.51.100.7".to_owned()),
            public_addresses: Vec::new(),
            private_address: Some("10.0.0.4".to_owned()),
            nic: None,
            inbound: Some(FlowDecision {
                access: "Deny".to_owned(),
                allowed: Vec::new(),
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
    fn a_deny_at_the_first_priority_makes_way() {
        let rule = planned(&path(100, false, &[100])).unwrap();
        assert_eq!((rule.priority, rule.makes_way), (100, vec![100]));
    }

    #[test]
    fn without_a_known_client_or_a_deny_there_is_no_rule() {
        let mut unknown = path(300, false, &[]);
        unknown.client_address = None;
        assert!(planned(&unknown).is_err());
        let mut allowed = path(300, false, &[]);
        allowed.inbound.as_mut().unwrap().access = "Allow".to_owned();
        assert!(planned(&allowed).is_err());
    }
}
