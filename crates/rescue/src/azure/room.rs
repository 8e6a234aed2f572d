//! Room above a security rule.
//!
//! A rule that allows must stand before the one that denies, and the priority next
//! above it is usually free. Where none is (a deny at 100 stands before everything),
//! the rules from the deny downwards move by one, up to the next free priority. Their
//! order stays, so what they decide together stays too.

use serde_json::{Value, json};

use crate::platform::Moved;

/// The range of custom priorities.
const PRIORITIES: std::ops::RangeInclusive<u16> = 100..=4096;

/// Where a new inbound rule goes, and which rules make way for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// The new rule's priority.
    pub(super) priority: u16,
    /// Inbound priorities that move down by one; usually none.
    pub(super) moved: Vec<u16>,
}

/// Room next above the rule at `denied`, among the inbound priorities in use. Every
/// rule that stands before that one keeps its say. None if the NSG is full.
pub(super) fn above(denied: u16, used: &[u16]) -> Option<Room> {
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
pub(super) fn make_way(nsg: &mut Value, priorities: &[u16]) -> Vec<Moved> {
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

/// Moves the rules back that still stand where [`make_way`] put them and whose place
/// is free. Names those that stay.
pub(super) fn move_back(nsg: &mut Value, moved: &[Moved]) -> Vec<String> {
    let mut stay = Vec::new();
    let mut moved: Vec<&Moved> = moved.iter().collect();
    moved.sort_by_key(|moved| moved.was);
    for Moved { name, was } in moved {
        let taken =
            inbound(nsg).any(|(_, properties)| priority(properties) == Some(*was));
        let Some((_, properties)) = inbound(nsg).find(|(other, _)| other == name) else {
            continue;
        };
        match priority(properties) {
            Some(now) if now == *was => {}
            Some(now) if now == was + 1 && !taken => properties["priority"] = json!(was),
            now => {
                let now = now.unwrap_or_default();
                stay.push(format!(
                    "the security rule {name} stays at priority {now} (it was at {was}): \
                     somebody changed the group since"
                ));
            }
        }
    }
    stay
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

    fn rule(name: &str, direction: &str, priority: u16) -> Value {
        let properties = json!({ "direction": direction, "priority": priority });
        json!({ "name": name, "properties": properties })
    }

    fn group(rules: &[Value]) -> Value {
        json!({ "properties": { "securityRules": rules } })
    }

    fn priorities(nsg: &mut Value) -> Vec<(String, u16)> {
        inbound(nsg).map(|(name, rule)| (name, priority(rule).unwrap())).collect()
    }

    #[test]
    fn moving_back_restores_the_group() {
        let before = group(&[
            rule("no", "Inbound", 100),
            rule("out", "Outbound", 100),
            rule("web", "Inbound", 101),
        ]);
        let mut nsg = before.clone();
        let moved = make_way(&mut nsg, &[100, 101]);
        let there = [("no".to_owned(), 101), ("web".to_owned(), 102)];
        assert_eq!(priorities(&mut nsg), there);
        assert!(move_back(&mut nsg, &moved).is_empty());
        assert_eq!(nsg, before);
    }

    #[test]
    fn what_others_changed_since_stays_and_is_named() {
        let was = |name: &str, was| Moved { name: name.to_owned(), was };
        let moved = [was("no", 100), was("web", 101), was("gone", 102)];
        // Somebody moved `web`, and put a rule of their own where `no` was.
        let mut nsg = group(&[
            rule("no", "Inbound", 101),
            rule("web", "Inbound", 500),
            rule("theirs", "Inbound", 100),
        ]);
        let before = nsg.clone();
        let stay = move_back(&mut nsg, &moved);
        assert_eq!(nsg, before);
        assert_eq!(stay.len(), 2);
        assert!(stay[0].contains("no stays at priority 101") && stay[1].contains("500"));
    }
}
