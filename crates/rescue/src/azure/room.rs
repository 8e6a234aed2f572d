//! Room above a security rule.
//!
//! A rule that allows must stand before the one that denies, and the priority next
//! above it is usually free. Where none is (a deny at 100 stands before everything),
//! the rules from the deny downwards move by one, up to the next free priority. Their
//! order stays, so what they decide together stays too.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The range of custom priorities.
const PRIORITIES: std::ops::RangeInclusive<u16> = 100..=4096;

/// Where a new inbound rule goes, and which rules make way for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// The new rule's priority.
    pub(crate) priority: u16,
    /// Inbound priorities that move down by one; usually none.
    pub(crate) moved: Vec<u16>,
}

/// A rule that made way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// Its name.
    pub name: String,
    /// Its priority before; it stands one lower (a number one higher) since.
    pub was: u16,
}

/// Room next above the rule at `denied`, among the inbound priorities in use. Every
/// rule that stands before that one keeps its say. None if the NSG is full.
pub(crate) fn above(denied: u16, used: &[u16]) -> Option<Room> {
    let free = |priority: &u16| !used.contains(priority);
    if let Some(priority) =
        PRIORITIES.rev().filter(|&priority| priority < denied).find(free)
    {
        return Some(Room { priority, moved: Vec::new() });
    }
    let end = PRIORITIES.filter(|&priority| priority > denied).find(free)?;
    Some(Room { priority: denied, moved: (denied..end).collect() })
}

/// Moves the inbound rules at the given priorities down by one, and names them.
pub(crate) fn make_way(nsg: &mut Value, priorities: &[u16]) -> Vec<Moved> {
    let mut moved = Vec::new();
    for (name, properties) in inbound(nsg) {
        let Some(was) = priority(properties).filter(|was| priorities.contains(was))
        else {
            continue;
        };
        properties["priority"] = json!(was + 1);
        moved.push(Moved { name, was });
    }
    moved
}

/// Moves the rules back that still stand where [`make_way`] put them.
pub(crate) fn move_back(nsg: &mut Value, moved: &[Moved]) {
    for (name, properties) in inbound(nsg) {
        let back = moved.iter().find(|moved| moved.name == name);
        if let Some(back) = back.filter(|back| priority(properties) == Some(back.was + 1))
        {
            properties["priority"] = json!(back.was);
        }
    }
}

fn inbound(nsg: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    let rules =
        nsg.pointer_mut("/properties/securityRules").and_then(Value::as_array_mut);
    rules.into_iter().flatten().filter_map(|rule| {
        let name = rule["name"].as_str()?.to_owned();
        let properties = rule.get_mut("properties")?;
        (properties["direction"] == "Inbound").then_some((name, properties))
    })
}

fn priority(properties: &Value) -> Option<u16> {
    properties["priority"].as_u64().and_then(|priority| priority.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_free_priority_next_above_is_taken() {
        assert_eq!(
            above(300, &[298, 299, 300]),
            Some(Room { priority: 297, moved: vec![] })
        );
        assert_eq!(above(65_500, &[4096]), Some(Room { priority: 4095, moved: vec![] }));
    }

    #[test]
    fn a_deny_before_everything_makes_way_with_those_that_stand_close() {
        let room = above(100, &[100, 101, 103]);
        assert_eq!(room, Some(Room { priority: 100, moved: vec![100, 101] }));
    }

    #[test]
    fn a_full_group_has_no_room() {
        let all: Vec<u16> = (100..=4096).collect();
        assert_eq!(above(100, &all), None);
    }

    #[test]
    fn moving_back_restores_the_group_and_leaves_what_others_changed() {
        let rule = |name: &str, direction: &str, priority: u16| json!({ "name": name, "properties": { "direction": direction, "priority": priority } });
        let before = json!({ "properties": { "securityRules": [
            rule("no", "Inbound", 100), rule("out", "Outbound", 100), rule("web", "Inbound", 101),
        ] } });
        let mut nsg = before.clone();
        let moved = make_way(&mut nsg, &[100, 101]);
        assert_eq!(
            nsg.pointer("/properties/securityRules/0/properties/priority"),
            Some(&json!(101))
        );
        assert_eq!(
            nsg.pointer("/properties/securityRules/1/properties/priority"),
            Some(&json!(100))
        );
        let mut back = nsg.clone();
        move_back(&mut back, &moved);
        assert_eq!(back, before);

        nsg["properties"]["securityRules"][2] = rule("web", "Inbound", 500);
        move_back(&mut nsg, &moved);
        assert_eq!(
            nsg.pointer("/properties/securityRules/2/properties/priority"),
            Some(&json!(500))
        );
    }
}
