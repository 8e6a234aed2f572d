//! Whatever a collector hands over, the judge gives a verdict that holds together.
//!
//! Documents are the cases of `tests/cases` with some of their values replaced by
//! others of the same kind, so that most of them still are cases: how many is part
//! of the test.

mod cases;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use cases::{base, case, entries, with_key};
use doctor::case::Case;
use doctor::fault::Confidence;
use doctor::{Catalogue, HopState, Lang, Stage, Verdict, judge, plan};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(cases::catalogue);

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
        "\u{1b}[2J",
    ];
    prop_oneof![prop::sample::select(known.to_vec()).prop_map(str::to_owned), ".{0,20}"]
}

/// Replaces what stands at one place of a document by something of the same kind.
fn replace(document: &mut Value, at: Index, word: &str, number: i64) {
    let mut places = Vec::new();
    leaves(document, "", &mut places);
    let Some(slot) = document.pointer_mut(at.get(&places).as_str()) else { return };
    match slot {
        Value::String(text) => *text = word.to_owned(),
        Value::Number(_) => *slot = json!(number),
        Value::Bool(flag) => *flag = !*flag,
        Value::Array(items) if number % 2 == 0 => items.clear(),
        Value::Array(items) => {
            items.pop();
        }
        // A section that could not be had.
        Value::Object(section) => {
            *section = Map::from_iter([("failed".to_owned(), json!(word))]);
        }
        Value::Null => {}
    }
}

/// The places that can be replaced: values, lists, and sections as a whole.
fn leaves(document: &Value, here: &str, found: &mut Vec<String>) {
    match document {
        Value::Object(object) => {
            if object.contains_key("collected") {
                found.push(here.to_owned());
            }
            for (key, value) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{here}/{key}"), found);
            }
        }
        Value::Array(items) => {
            found.push(here.to_owned());
            for (index, value) in items.iter().enumerate() {
                leaves(value, &format!("{here}/{index}"), found);
            }
        }
        _ => found.push(here.to_owned()),
    }
}

fn certain(verdict: &Verdict) -> Vec<&str> {
    let certain = |cause: &&doctor::Finding| cause.confidence == Confidence::Certain;
    verdict.causes.iter().filter(certain).map(|cause| cause.fault.as_str()).collect()
}

/// What holds of every verdict.
fn check(case: &Case) -> Verdict {
    let verdict = judge(case, &CATALOGUE, Lang::En);
    assert_eq!(verdict.path.len(), 10);
    let shown = verdict.path.iter().map(|hop| &hop.evidence);
    let shown = shown.chain(verdict.causes.iter().flat_map(|cause| &cause.evidence));
    for text in shown {
        let acts = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        assert!(!text.contains(acts), "{text:?} would act on a terminal");
    }
    if verdict.reachable {
        assert!(verdict.causes.is_empty() && plan(&verdict).is_empty());
    }
    for cause in &verdict.causes {
        assert!(!cause.evidence.is_empty());
        assert!(cause.confidence != Confidence::Certain || cause.doubts.is_empty());
        assert!(cause.repairs.is_sorted_by_key(|step| step.risk));
    }
    // The root can end the login as it ended, and nothing that is named ends it earlier.
    if let Some(observed) = verdict.symptom {
        for (at, cause) in verdict.causes.iter().enumerate() {
            let symptoms = CATALOGUE.get(&cause.fault).expect("it is known").symptoms();
            assert!(at > 0 || symptoms.contains(&observed), "{}", cause.fault);
            assert!(symptoms.iter().any(|one| one.stage() >= observed.stage()));
        }
    } else {
        assert!(certain(&verdict).is_empty() && verdict.remedies.is_empty());
    }
    // Nothing is skipped before the place where the login ended.
    if verdict.symptom.is_none_or(|symptom| symptom.stage() == Stage::Session) {
        assert!(verdict.path.iter().all(|hop| hop.state != HopState::Skipped));
    }
    let document = serde_json::to_value(case).expect("a case is JSON");
    let settings = document.to_string();
    for step in plan(&verdict).iter().filter(|step| step.id == "reset-ssh") {
        assert!(
            settings.contains("\"passwordauthentication\"") || !step.losses.is_empty()
        );
    }
    let again = serde_json::from_value(document).expect("and back");
    assert_eq!(judge(&again, &CATALOGUE, Lang::En), verdict);
    verdict
}

/// A document without some of its sections.
fn without(document: &Value, names: &BTreeSet<&str>) -> Value {
    let mut less = document.clone();
    for name in names {
        less[*name] = json!({"failed": "it was taken away"});
    }
    less
}

/// The names of the sections that were collected.
fn sections(document: &Value) -> BTreeSet<&str> {
    let sections = document.as_object().expect("a case is an object").iter();
    sections
        .filter(|(_, section)| section.get("collected").is_some())
        .map(|(name, _)| name.as_str())
        .collect()
}

/// Less evidence never makes a finding certain.
fn check_monotony(less: &Value, more: &Value) {
    let judged = |document| judge(&case(document).expect("a case"), &CATALOGUE, Lang::En);
    let (less, more) = (judged(less), judged(more));
    for fault in certain(&less) {
        assert!(
            certain(&more).contains(&fault),
            "{fault} was not certain when more was known: {:?}",
            more.causes.iter().find(|cause| cause.fault == fault)
        );
    }
}

#[test]
fn a_case_that_was_tampered_with() {
    let entries = entries();
    let change = (any::<Index>(), word(), -3i64..300);
    let strategy = (any::<Index>(), prop::collection::vec(change, 0..6));
    let (tried, judged, named) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let run = TestRunner::new(ProptestConfig::with_cases(200)).run(
        &strategy,
        |(entry, changes)| {
            let mut document = entry.get(&entries).document();
            for (at, word, number) in changes {
                replace(&mut document, at, &word, number);
            }
            tried.set(tried.get() + 1);
            if let Ok(case) = case(&document) {
                judged.set(judged.get() + 1);
                let verdict = check(&case);
                named.set(named.get() + usize::from(!verdict.causes.is_empty()));
            }
            Ok(())
        },
    );
    run.expect("every verdict holds together");
    let share = |part: &Cell<usize>| part.get() * 100 / tried.get();
    assert!(share(&judged) >= 60, "only {}% still are cases", share(&judged));
    assert!(share(&named) >= 25, "only {}% have a cause", share(&named));
}

/// Of cases that no one tampered with: a witness who lies contradicts the others, and
/// without him the rest may well be certain.
#[test]
fn less_evidence_never_makes_a_finding_certain() {
    for entry in entries() {
        let document = entry.document();
        for name in sections(&document) {
            check_monotony(&without(&document, &BTreeSet::from([name])), &document);
        }
    }
    let entries = entries();
    let taken = || prop::collection::vec(any::<Index>(), 0..6);
    TestRunner::new(ProptestConfig::with_cases(500))
        .run(&(any::<Index>(), taken(), taken()), |(entry, some, more)| {
            let document = entry.get(&entries).document();
            let all: Vec<&str> = sections(&document).into_iter().collect();
            let some: BTreeSet<&str> = some.iter().map(|one| *one.get(&all)).collect();
            let more = more.iter().map(|one| *one.get(&all)).chain(some.iter().copied());
            check_monotony(
                &without(&document, &more.collect()),
                &without(&document, &some),
            );
            Ok(())
        })
        .expect("whatever is taken away");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_ruleset(objects in prop::collection::vec(statement(), 0..12), hook in word()) {
        let mut document = base();
        let chain = |name: &str, hook: Value| json!({"chain": {"family": "ip", "table": "t",
            "name": name, "hook": hook, "prio": 0, "policy": "drop"}});
        let rule = json!({"rule": {"family": "ip", "table": "t", "chain": "a", "expr": objects}});
        with_key(&mut document, "nftables", &mut |ruleset| {
            *ruleset = json!({"nftables": [chain("a", json!("input")),
                chain("b", json!(hook)), rule]});
        });
        check(&case(&document).expect("a case"));
    }

    #[test]
    fn any_text_of_sshd(lines in prop::collection::vec(word(), 0..6), number in any::<u64>()) {
        let mut document = base();
        let text = lines.join("\n");
        with_key(&mut document, "/etc/ssh/sshd_config", &mut |files| {
            files["/etc/ssh/sshd_config"] = json!(text);
        });
        with_key(&mut document, "test", &mut |sshd| {
            let said = format!("/etc/ssh/sshd_config: line {number}: {text}\n{text}");
            sshd["test"] = json!({"exit": 255, "stdout": "", "stderr": said});
        });
        with_key(&mut document, "listeners", &mut |sshd| {
            if sshd["listeners"].is_array() {
                sshd["listeners"] = json!([]);
            }
        });
        check(&case(&document).expect("a case"));
    }
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
