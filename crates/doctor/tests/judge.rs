//! What the judge makes of cases.
//!
//! `tests/cases/base.json` is a healthy VM, as a collector would report it. Each
//! entry of the other files is a JSON merge patch (RFC 7396) of it, the symptom
//! with which its login ends, and the faults that must be named, in order.

use doctor::case::Case;
use doctor::{Catalogue, HopState, Lang, Verdict, judge, plan};
use serde_json::{Value, json};

const FILES: &[(&str, &str)] = &[
    ("auth", include_str!("cases/auth.json")),
    ("blind", include_str!("cases/blind.json")),
    ("client", include_str!("cases/client.json")),
    ("firewall", include_str!("cases/firewall.json")),
    ("healthy", include_str!("cases/healthy.json")),
    ("name", include_str!("cases/name.json")),
    ("network", include_str!("cases/network.json")),
    ("session", include_str!("cases/session.json")),
    ("sshd", include_str!("cases/sshd.json")),
];

struct Entry {
    name: String,
    case: Case,
    expect: Vec<String>,
}

fn merge(document: &mut Value, patch: &Value) {
    match (document, patch) {
        (Value::Object(document), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    document.remove(key);
                } else {
                    merge(document.entry(key.clone()).or_insert(json!({})), value);
                }
            }
        }
        (document, patch) => *document = patch.clone(),
    }
}

/// What the client's sections say when the login ends with a symptom.
fn ending(symptom: &str) -> Value {
    let not_tried =
        json!({"collected": null, "notTried": "the login did not come so far"});
    let login = |stage: &str, exit: i32, line: &str| {
        json!({"collected": {"stage": stage, "exit": exit, "stderr": [line], "stdout": [],
                             "keyAccepted": false, "hostKey": null}})
    };
    let tcp = |outcome: &str, error: &str| {
        json!({
            "tcp": {"collected": {"outcome": outcome, "error": error}},
            "greeting": not_tried,
            "login": login("connect", 255, &format!("ssh: connect to host: {error}")),
        })
    };
    let banner = |outcome: &str, line: &str| {
        json!({
            "greeting": {"collected": {"outcome": outcome, "banner": null}},
            "login": login("banner", 255, line),
        })
    };
    match symptom {
        "name.nxdomain" | "name.unanswered" => json!({
            "tcp": not_tried, "greeting": not_tried,
            "login": login("name", 255, "ssh: Could not resolve hostname"),
        }),
        "tcp.timeout" => tcp("timedOut", "Connection timed out"),
        "tcp.refused" => tcp("refused", "Connection refused"),
        "tcp.unreachable" => tcp("hostUnreachable", "No route to host"),
        "banner.silent" => {
            banner("silent", "Connection timed out during banner exchange")
        }
        "banner.reset" => {
            banner("reset", "kex_exchange_identification: read: Connection reset by peer")
        }
        "banner.not-ssh" => {
            banner("notSsh", "kex_exchange_identification: invalid characters")
        }
        "hostkey.changed" => {
            json!({"login": login("hostKey", 255, "Host key verification failed.")})
        }
        "auth.denied" => json!({"login": login(
            "authentication", 255, "azureuser@127.64.0.5: Permission denied (publickey).")}),
        "auth.closed" => json!({"login": login(
            "authentication", 255, "Connection closed by 127.64.0.5 port 22")}),
        "session.exit" => json!({"login": {"collected": {"stage": "session", "exit": 1,
            "stdout": [], "stderr": []}}}),
        other => panic!("no ending for {other}"),
    }
}

fn entries() -> Vec<Entry> {
    let base: Value =
        serde_json::from_str(include_str!("cases/base.json")).expect("JSON");
    let mut all = Vec::new();
    for (file, text) in FILES {
        let entries: Vec<Value> = serde_json::from_str(text).expect("JSON");
        for entry in entries {
            let name = format!("{file}: {}", entry["name"].as_str().expect("a name"));
            let mut document = base.clone();
            if let Some(symptom) = entry["ends"].as_str() {
                merge(&mut document, &ending(symptom));
            }
            merge(&mut document, &entry["changes"]);
            let case = serde_json::from_value(document)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let expect = serde_json::from_value(entry["expect"].clone()).expect("ids");
            all.push(Entry { name, case, expect });
        }
    }
    all
}

fn catalogue() -> Catalogue {
    Catalogue::builtin().expect("the built-in faults are right")
}

fn causes(verdict: &Verdict) -> Vec<&str> {
    verdict.causes.iter().map(|cause| cause.fault.as_str()).collect()
}

#[test]
fn each_case_has_the_causes_that_it_should() {
    let catalogue = catalogue();
    let wrong: Vec<String> = entries()
        .into_iter()
        .filter_map(|entry| {
            let verdict = judge(&entry.case, &catalogue, Lang::En);
            (causes(&verdict) != entry.expect).then(|| {
                format!("{}: {:?}, not {:?}", entry.name, causes(&verdict), entry.expect)
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_case_ends_with_the_symptom_that_it_says() {
    let catalogue = catalogue();
    for (file, text) in FILES {
        let entries: Vec<Value> = serde_json::from_str(text).expect("JSON");
        for (entry, built) in entries.iter().zip(entries_of(file)) {
            let verdict = judge(&built.case, &catalogue, Lang::En);
            let symptom = verdict.symptom.map(|symptom| symptom.to_string());
            assert_eq!(symptom.as_deref(), entry["ends"].as_str(), "{}", built.name);
        }
    }
}

fn entries_of(file: &str) -> Vec<Entry> {
    let start = format!("{file}: ");
    entries().into_iter().filter(|entry| entry.name.starts_with(&start)).collect()
}

#[test]
fn every_fault_is_named_by_some_case() {
    let named: Vec<String> =
        entries().into_iter().flat_map(|entry| entry.expect).collect();
    // Boot faults without a case of their own are the same rule with another text.
    for fault in catalogue().iter().filter(|fault| !fault.id.starts_with("boot.")) {
        assert!(named.contains(&fault.id), "{} is never named", fault.id);
    }
}

#[test]
fn every_finding_shows_evidence_in_both_languages() {
    let catalogue = catalogue();
    for entry in entries() {
        for lang in [Lang::En, Lang::Ja] {
            for cause in judge(&entry.case, &catalogue, lang).causes {
                assert!(!cause.title.is_empty() && !cause.explanation.is_empty());
                assert!(!cause.evidence.is_empty(), "{}: {}", entry.name, cause.fault);
                let rule = catalogue.get(&cause.fault).map(|fault| fault.when.source());
                assert_ne!(
                    cause.evidence.first().map(String::as_str),
                    rule,
                    "{}: {} shows its rule, not evidence",
                    entry.name,
                    cause.fault
                );
            }
        }
    }
}

#[test]
fn every_root_cause_that_can_be_repaired_has_a_step() {
    let catalogue = catalogue();
    for entry in entries() {
        let verdict = judge(&entry.case, &catalogue, Lang::En);
        let Some(root) = verdict.causes.first() else { continue };
        let fault = catalogue.get(&root.fault).expect("it was named");
        assert_eq!(root.repairs.is_empty(), fault.repairs.is_empty(), "{}", entry.name);
        assert!(root.repairs.is_sorted_by_key(|step| step.risk), "{}", entry.name);
    }
}

#[test]
fn a_working_login_is_the_end_of_it() {
    let catalogue = catalogue();
    for entry in entries_of("healthy") {
        let verdict = judge(&entry.case, &catalogue, Lang::En);
        assert!(verdict.reachable && verdict.exit_code() == 0, "{}", entry.name);
        assert!(verdict.not_checked.is_empty() && plan(&verdict).is_empty());
        assert!(verdict.path.iter().all(|hop| hop.state != HopState::Skipped));
    }
}

#[test]
fn what_could_not_be_checked_is_said_with_the_reason() {
    let all = entries_of("blind");
    let refused =
        all.iter().find(|entry| entry.name.contains("refused")).expect("it is there");
    let verdict = judge(&refused.case, &catalogue(), Lang::En);
    assert_eq!(verdict.exit_code(), 4);
    let sshd = verdict.not_checked.iter().find(|entry| entry.section == "sshd");
    let sshd = sshd.expect("sshd could not be looked at");
    assert_eq!(sshd.why, "the guest agent does not answer");
    assert!(sshd.faults.contains(&"sshd.not-running".to_owned()));
    // What the login got past needs no looking at.
    assert!(verdict.ruled_out.iter().any(|fault| fault.fault == "name.nxdomain"));
}

#[test]
fn the_plan_goes_from_the_root_cause_to_the_last_resorts() {
    let all = entries_of("sshd");
    let stopped =
        all.iter().find(|entry| entry.name == "sshd: stopped").expect("it is there");
    let verdict = judge(&stopped.case, &catalogue(), Lang::En);
    let steps: Vec<String> = plan(&verdict)
        .into_iter()
        .map(|step| format!("{}/{}", step.fault, step.id))
        .collect();
    assert_eq!(
        steps,
        [
            "sshd.not-running/start",
            "last-resort/reset-ssh",
            "last-resort/restart-vm",
            "last-resort/redeploy-vm"
        ]
    );
}

#[test]
fn a_case_survives_being_saved() {
    for entry in entries() {
        let text = serde_json::to_string(&entry.case).expect("a case is JSON");
        let again: Case = serde_json::from_str(&text).expect("and back");
        assert_eq!(again, entry.case, "{}", entry.name);
    }
}

#[test]
fn a_verdict_is_the_json_that_the_product_promises() {
    let all = entries_of("sshd");
    let name = "sshd: bad option in the main file";
    let entry = all.iter().find(|entry| entry.name == name).expect("it is there");
    let verdict = judge(&entry.case, &catalogue(), Lang::En);
    let mut document = serde_json::to_value(&verdict).expect("a verdict is JSON");
    document["ruledOut"].as_array_mut().expect("a list").truncate(1);
    document["causes"][0]["repairs"][0]["action"]["script"] = json!("[a script]");
    insta::assert_json_snapshot!("verdict", document);
}
