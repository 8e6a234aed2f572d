//! A narrow rule above the one that denies: this client, TCP, this port, this VM, with
//! its end in its description.
//!
//! ```text
//! read the NSGs ─ decide ─ record ─ write, if nobody was faster ─► done
//!      ▲                                 │
//!      └──── somebody was (three times) ─┘
//! ```
//!
//! Where a priority is free the rule is a resource of its own, made only if it is not
//! there (`If-None-Match: *`); nothing of anybody else's is written, and a rule that
//! took the priority meanwhile makes Azure refuse. Where rules must make way the whole
//! NSG is written, only over the very state that was read (`If-Match`). Taking it back
//! is guarded in the same way, and touches only what still is as it was made.

use arm::{Client, Precondition, ResourceId};
use doctor::case::{Decider, Inbound, NetworkPath};
use serde_json::{Value, json};

use super::network::{self, Documents};
use super::room::{self, Room};
use super::{NETWORK, Vm, array, refused, text, view};
use crate::platform::{Closed, Opened, Opening, PlatformError, Record};

/// How often the NSG is read again because somebody else was faster.
const TRIES: usize = 3;

const ADD: &str = "add the security rule";
const REMOVE: &str = "remove the security rule";

/// Puts the rule into the NSG that denies. If a second NSG denies too, that is the
/// next round's.
pub(super) async fn open(
    vm: &Vm,
    opening: &Opening,
    record: Record<'_>,
) -> Result<String, PlatformError> {
    for _ in 0..TRIES {
        let seen = view::look(vm).await?;
        let documents = network::fetch(&vm.cloud, &seen.said).await;
        let documents = documents.map_err(PlatformError::Impossible)?;
        let path = documents.path(&opening.way).map_err(PlatformError::Impossible)?;
        let rule = plan(&path, opening)?;
        if rule.write(&vm.cloud, &documents, opening, record).await? {
            let Planned { room: Room { priority, .. }, source, port, .. } = &rule;
            let Opening { name, expires, way, .. } = opening;
            let said = format!(
                "rule {name} (priority {priority}) allows {source} to port {port} until \
                 {expires}"
            );
            // Whoever named the address may have seen another connection.
            let from =
                way.client.as_ref().map(|client| format!("; so says {}", client.from));
            return Ok(said + &from.unwrap_or_default());
        }
    }
    Err(somebody_else())
}

/// Takes the rule back and moves the rules back that made way for it.
pub(super) async fn close(
    cloud: &Client,
    opened: &Opened,
) -> Result<Closed, PlatformError> {
    let nothing_left = || Ok(Closed::Gone(Vec::new()));
    let Some((nsg, name)) = opened.rule.split_once("/securityRules/") else {
        return Err(PlatformError::Impossible(format!("{} is no rule", opened.rule)));
    };
    for _ in 0..TRIES {
        let mut document = match cloud.get(&at(nsg)).await {
            Ok(document) => document,
            Err(error) if error.is_not_found() => return nothing_left(),
            Err(error) => return Err(refused("read the NSG", error)),
        };
        let rules = array(&document, "/properties/securityRules");
        let ours = rules.iter().find(|rule| is_named(rule, name));
        if ours.is_some_and(|rule| !is_as_made(rule, &opened.made)) {
            return Ok(Closed::Kept);
        }
        let seen = Precondition::Unchanged(etag(&document)?.to_owned());
        let is_there = ours.is_some();
        let (written, stay) = if opened.moved.is_empty() {
            if !is_there {
                return nothing_left();
            }
            (cloud.delete_if(&at(&opened.rule), &seen).await, Vec::new())
        } else {
            let before = document.clone();
            let rules = document.pointer_mut("/properties/securityRules");
            if let Some(rules) = rules.and_then(Value::as_array_mut) {
                rules.retain(|rule| !is_named(rule, name));
            }
            let stay = room::move_back(&mut document, &opened.moved);
            if document == before {
                return Ok(Closed::Gone(stay));
            }
            (cloud.put_if(&at(nsg), &document, &seen).await.map(drop), stay)
        };
        match written {
            Ok(()) => return Ok(Closed::Gone(stay)),
            Err(error) if error.is_not_found() => return Ok(Closed::Gone(stay)),
            Err(error) if was_slower(&error) => {}
            Err(error) => return Err(refused(REMOVE, error)),
        }
    }
    Err(somebody_else())
}

/// The rule to put.
#[derive(Debug, PartialEq)]
struct Planned {
    id: String,
    nsg: String,
    body: Value,
    room: Room,
    source: String,
    port: u16,
}

impl Planned {
    /// Writes it. False if the NSG is not any more what it was when it was read.
    async fn write(
        &self,
        cloud: &Client,
        documents: &Documents,
        opening: &Opening,
        record: Record<'_>,
    ) -> Result<bool, PlatformError> {
        let mut opened = Opened {
            rule: self.id.clone(),
            expires: opening.expires.clone(),
            moved: Vec::new(),
            made: self.body["properties"].clone(),
        };
        let written = if self.room.moved.is_empty() {
            record(&opened).map_err(PlatformError::Unrecorded)?;
            cloud.put_if(&at(&self.id), &self.body, &Precondition::Absent).await
        } else {
            let nsg = documents.nsg(&self.nsg).ok_or_else(somebody_else)?;
            let seen = Precondition::Unchanged(etag(nsg)?.to_owned());
            let mut nsg = nsg.clone();
            opened.moved = room::make_way(&mut nsg, &self.room.moved);
            let rules = nsg.pointer_mut("/properties/securityRules");
            if let Some(rules) = rules.and_then(Value::as_array_mut) {
                let mut new = self.body.clone();
                new["name"] = json!(opening.name);
                rules.push(new);
            }
            record(&opened).map_err(PlatformError::Unrecorded)?;
            cloud.put_if(&at(&self.nsg), &nsg, &seen).await
        };
        match written {
            Ok(_) => Ok(true),
            Err(error) if was_slower(&error) => {
                // A request that was sent twice finds its own rule.
                let rule = cloud.get(&at(&self.id)).await;
                Ok(rule.is_ok_and(|rule| is_as_made(&rule, &opened.made)))
            }
            Err(error) => Err(refused(ADD, error)),
        }
    }
}

impl Documents {
    fn nsg(&self, id: &str) -> Option<&Value> {
        let both = [self.nic_nsg.as_ref(), self.subnet_nsg.as_ref()];
        both.into_iter().flatten().find(|nsg| {
            text(nsg, "/id").is_some_and(|other| other.eq_ignore_ascii_case(id))
        })
    }
}

fn plan(path: &NetworkPath, opening: &Opening) -> Result<Planned, PlatformError> {
    let impossible = |why: &str| PlatformError::Impossible(why.to_owned());
    let denied = match &path.inbound {
        Some(Inbound::Deny(denied)) => denied,
        Some(Inbound::OnlyFrom { decider, .. }) => {
            return Err(PlatformError::Impossible(by_hand(decider, path, opening)));
        }
        Some(Inbound::Unknown { because }) => {
            let why =
                format!("whether an NSG denies this connection is not known: {because}");
            return Err(PlatformError::Impossible(why));
        }
        Some(Inbound::Allow(_)) | None => {
            return Err(impossible("no NSG denies this connection"));
        }
    };
    let nsg = denied.nsg.as_ref().ok_or_else(|| {
        impossible("the public address is closed because no NSG is there to open it")
    })?;
    let Some(client) = &path.client_address else {
        return Err(PlatformError::Impossible(by_hand(denied, path, opening)));
    };
    let length = if client.contains(':') { 128 } else { 32 };
    let source = format!("{client}/{length}");
    let room = room::above(denied.priority.unwrap_or(u16::MAX), &path.used_priorities)
        .ok_or_else(|| impossible("the NSG that denies has no room for a rule"))?;
    let port = guest_port(path, opening);
    let (undo_id, expires) = (&opening.undo_id, &opening.expires);
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
        id: format!("{nsg}/securityRules/{}", opening.name),
        nsg: nsg.clone(),
        body,
        room,
        source,
        port,
    })
}

/// NSGs see the port that a load balancer has translated to.
fn guest_port(path: &NetworkPath, opening: &Opening) -> u16 {
    path.front.as_ref().map_or(opening.way.port, |front| front.back_port)
}

/// What the operator types who knows the address that regain does not.
fn by_hand(denied: &Decider, path: &NetworkPath, opening: &Opening) -> String {
    let unknown = "this client's address, as the VM's network sees it, is not known: say \
                   --client-address";
    let nsg = denied.nsg.as_deref().and_then(|id| ResourceId::parse(id).ok());
    let room = room::above(denied.priority.unwrap_or(u16::MAX), &path.used_priorities);
    let (Some(nsg), Some(Room { priority, moved })) = (nsg, room) else {
        return unknown.to_owned();
    };
    if !moved.is_empty() {
        return unknown.to_owned();
    }
    format!(
        "{unknown}, or type: regain network nsg rule create -g '{}' --nsg-name '{}' -n \
         allow-ssh --priority {priority} --direction Inbound --access Allow --protocol Tcp \
         --source-address-prefixes YOUR-ADDRESS --destination-address-prefixes '{}' \
         --destination-port-ranges {}",
        nsg.group().unwrap_or_default(),
        nsg.name(),
        path.private_address.as_deref().unwrap_or("*"),
        guest_port(path, opening)
    )
}

fn at(id: &str) -> String {
    format!("{id}?api-version={NETWORK}")
}

fn etag(document: &Value) -> Result<&str, PlatformError> {
    text(document, "/etag").ok_or_else(|| {
        let why = "the cloud gives the NSG no etag, so that nobody could tell whether \
                   somebody else changes it at the same time";
        PlatformError::Impossible(why.to_owned())
    })
}

/// Whether a write was refused because of somebody else's.
fn was_slower(error: &arm::Error) -> bool {
    error.is_precondition_failed()
        || error.arm().is_some_and(|arm| arm.code == "SecurityRuleConflict")
}

fn somebody_else() -> PlatformError {
    PlatformError::Impossible(
        "somebody else is changing the network security group; try again".to_owned(),
    )
}

fn is_named(rule: &Value, name: &str) -> bool {
    text(rule, "/name").is_some_and(|other| other.eq_ignore_ascii_case(name))
}

/// Whether a rule says what it said when it was made. Its priority is left out: it may
/// have made way for another repair's. Journals of older builds do not know.
fn is_as_made(rule: &Value, made: &Value) -> bool {
    let said = |rule: &Value, field: &str| {
        rule.get(field).and_then(Value::as_str).map(str::to_ascii_lowercase)
    };
    let now = rule.get("properties").unwrap_or(&Value::Null);
    made.is_null()
        || made
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(field, _)| *field != "priority")
            .all(|(field, _)| said(now, field) == said(made, field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{Destination, Way};

    fn path(priority: u16, used: &[u16]) -> NetworkPath {
        NetworkPath {
            client_address: Some("198.51.100.7".to_owned()),
            private_address: Some("10.0.0.4".to_owned()),
            inbound: Some(Inbound::Deny(decider(priority))),
            used_priorities: used.to_vec(),
            ..NetworkPath::default()
        }
    }

    fn decider(priority: u16) -> Decider {
        let nsg = "/subscriptions/s/resourceGroups/lab/providers/Microsoft.Network/\
                   networkSecurityGroups/web";
        Decider {
            rule: Some("no".to_owned()),
            priority: Some(priority),
            default_rule: false,
            nsg: Some(nsg.to_owned()),
            attached_to: Some("subnet".to_owned()),
        }
    }

    fn planned(path: &NetworkPath) -> Result<Planned, String> {
        let way = Way { client: None, to: Destination::Vm, port: 22 };
        let (name, undo_id) = ("regain-x-1".to_owned(), "x".to_owned());
        let expires = "2026-11-22T20:00:00Z".to_owned();
        plan(path, &Opening { way, name, undo_id, expires }).map_err(|e| e.to_string())
    }

    #[test]
    fn the_rule_stands_next_above_the_deny_and_speaks_of_nobody_else() {
        let rule = planned(&path(300, &[298, 299, 300])).unwrap();
        assert!(rule.id.ends_with("/web/securityRules/regain-x-1"));
        let properties = &rule.body["properties"];
        assert_eq!(properties["priority"], 297);
        assert_eq!(properties["sourceAddressPrefix"], "198.51.100.7/32");
        assert_eq!(properties["destinationAddressPrefix"], "10.0.0.4");
        assert_eq!(properties["destinationPortRange"], "22");
        assert!(properties["description"].as_str().unwrap().contains("regain undo x"));
    }

    #[test]
    fn a_deny_at_the_first_priority_makes_way() {
        let Room { priority, moved } = planned(&path(100, &[100])).unwrap().room;
        assert_eq!((priority, moved), (100, vec![100]));
    }

    #[test]
    fn without_a_known_client_there_is_a_line_to_type_and_no_rule() {
        let mut unknown = path(300, &[300]);
        unknown.client_address = None;
        let told = planned(&unknown).unwrap_err();
        assert!(told.contains("say --client-address"), "{told}");
        assert!(told.contains("-g 'lab' --nsg-name 'web' -n allow-ssh --priority 299"));
        assert!(told.contains("--source-address-prefixes YOUR-ADDRESS"));
    }

    #[test]
    fn without_a_deny_there_is_no_rule() {
        let mut path = path(300, &[]);
        for inbound in [
            Inbound::Allow(decider(100)),
            Inbound::Unknown { because: "x".to_owned() },
            Inbound::Deny(Decider::default()),
        ] {
            path.inbound = Some(inbound);
            assert!(planned(&path).is_err());
        }
    }

    #[test]
    fn a_rule_that_somebody_widened_is_not_ours_any_more() {
        let made = planned(&path(300, &[])).unwrap().body["properties"].clone();
        let mut rule = json!({ "name": "regain-x-1", "properties": made });
        assert!(is_as_made(&rule, &made));
        rule["properties"]["priority"] = json!(301);
        rule["properties"]["protocol"] = json!("TCP");
        assert!(is_as_made(&rule, &made));
        rule["properties"]["sourceAddressPrefix"] = json!("*");
        assert!(!is_as_made(&rule, &made));
        assert!(is_as_made(&rule, &Value::Null));
    }
}
