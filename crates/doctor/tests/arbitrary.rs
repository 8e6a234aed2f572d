//! Whatever a collector hands over, the judge gives a verdict.

use std::sync::LazyLock;

use doctor::case::{Case, CommandOutput, Listeners, Section};
use doctor::{Catalogue, HopState, Lang, Stage, judge, plan};
use proptest::prelude::*;
use serde_json::{Value, json};

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::builtin().expect("the built-in faults are right"));

fn base() -> Value {
    serde_json::from_str(include_str!("cases/base.json")).expect("JSON")
}

/// Words that mean something to some part of the judge.
fn word() -> impl Strategy<Value = String> {
    let known = [
        "",
        "missing",
        "directory",
        "file",
        "0777",
        "0600",
        "9",
        "-1",
        "masked",
        "inactive",
        "Deny",
        "stopped",
        "timedOut",
        "refused",
        "authentication",
        "session",
        "connect",
        "Permission denied",
        "::",
        "127.0.0.1",
        "10.0.0.4/24",
        "fe80::1%eth0",
        "[::1]:22",
        "Match all",
        "Include *",
        "Port 0",
        "ssh-ed25519 AAAA",
        "@set",
        "eth*",
        "…",
        "\u{0}",
    ];
    prop_oneof![prop::sample::select(known.to_vec()).prop_map(str::to_owned), ".{0,20}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3i64..300).prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Every place in a document, as JSON pointers.
fn places(document: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match document {
        Value::Object(object) => {
            for (key, value) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{here}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                places(value, &format!("{here}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn check(case: &Case) {
    for lang in [Lang::En, Lang::Ja] {
        let verdict = judge(case, &CATALOGUE, lang);
        let _ = plan(&verdict);
        assert_eq!(verdict.path.len(), 10);
        if verdict.reachable {
            assert!(verdict.causes.is_empty());
        }
        for cause in &verdict.causes {
            assert!(!cause.evidence.is_empty());
        }
        // Nothing is skipped before the place where the login ended.
        if verdict.symptom.is_none_or(|symptom| symptom.stage() == Stage::Session) {
            assert!(verdict.path.iter().all(|hop| hop.state != HopState::Skipped));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_case_that_was_tampered_with(changes in prop::collection::vec((any::<prop::sample::Index>(), value()), 1..6)) {
        let mut document = base();
        for (place, value) in changes {
            let mut all = Vec::new();
            places(&document, "", &mut all);
            if let Some(slot) = document.pointer_mut(place.get(&all).as_str()) {
                *slot = value;
            }
        }
        if let Ok(case) = serde_json::from_value::<Case>(document) {
            check(&case);
        }
    }

    #[test]
    fn any_ruleset(objects in prop::collection::vec(statement(), 0..12), hook in word()) {
        let mut case: Case = serde_json::from_value(base()).expect("a case");
        if let (Section::Collected(nft), Section::Collected(iptables)) =
            (&mut case.nft, &mut case.iptables)
        {
            let chain = |name: &str, hook: Value| json!({"chain": {"family": "ip", "table": "t",
                "name": name, "hook": hook, "prio": 0, "policy": "drop"}});
            let rule = json!({"rule": {"family": "ip", "table": "t", "chain": "a", "expr": objects}});
            nft.ruleset = json!({"nftables": [chain("a", json!("input")),
                chain("b", json!(hook)), rule]});
            iptables.v4_legacy = Some(format!("*filter\n:INPUT DROP\n-A INPUT {hook}\n"));
        }
        check(&case);
    }

    #[test]
    fn any_text_of_sshd(lines in prop::collection::vec(word(), 0..6), number in any::<u64>()) {
        let mut case: Case = serde_json::from_value(base()).expect("a case");
        let text = lines.join("\n");
        if let (Section::Collected(sshd), Section::Collected(config)) =
            (&mut case.sshd, &mut case.config)
        {
            config.files.insert("/etc/ssh/sshd_config".to_owned(), text.clone());
            sshd.test = Some(CommandOutput {
                exit: Some(255),
                stdout: String::new(),
                stderr: format!("/etc/ssh/sshd_config: line {number}: {text}\n{text}"),
            });
        }
        case.listeners = Section::Collected(Listeners::default());
        check(&case);
    }
}

/// A statement that nft might print, or something like it.
fn statement() -> impl Strategy<Value = Value> {
    let left = prop_oneof![
        Just(json!({"payload": {"protocol": "tcp", "field": "dport"}})),
        Just(json!({"payload": {"protocol": "tcp", "field": "flags"}})),
        Just(json!({"payload": {"protocol": "ip", "field": "saddr"}})),
        Just(json!({"ct": {"key": "state"}})),
        Just(json!({"meta": {"key": "iifname"}})),
        value().prop_map(|mask| json!({"&": [{"payload": {"protocol": "tcp", "field": "dport"}}, mask]})),
        value(),
    ];
    let right = prop_oneof![
        value(),
        (value(), value()).prop_map(|(from, to)| json!({"range": [from, to]})),
        (value(), value())
            .prop_map(|(addr, len)| json!({"prefix": {"addr": addr, "len": len}})),
        (0u64..200).prop_map(|len| json!({"prefix": {"addr": "10.0.0.0", "len": len}})),
        prop::collection::vec(value(), 0..3).prop_map(|items| json!({"set": items})),
    ];
    let op = prop::sample::select(vec!["==", "!=", "<", ">", "<=", ">=", "in", "?"]);
    prop_oneof![
        (op, left.clone(), right.clone()).prop_map(
            |(op, left, right)| json!({"match": {"op": op, "left": left, "right": right}})
        ),
        (left, right).prop_map(|(key, data)| json!({"vmap": {"key": key, "data": data}})),
        word().prop_map(|target| json!({"jump": {"target": target}})),
        Just(json!({"drop": null})),
        Just(json!({"reject": {"type": "tcp reset"}})),
        value(),
    ]
}
