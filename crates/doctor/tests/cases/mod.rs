//! The cases of this directory.
//!
//! `base.json` is a healthy VM, as a collector would report it. Each entry of the
//! other files is a JSON merge patch (RFC 7396) of it, the symptom with which its
//! login ends, and the faults that must be named, in order.

#![allow(dead_code, reason = "each test uses a part of it")]

use doctor::Catalogue;
use doctor::case::Case;
use serde_json::{Value, json};

const FILES: &[(&str, &str)] = &[
    ("auth", include_str!("auth.json")),
    ("blind", include_str!("blind.json")),
    ("certainty", include_str!("certainty.json")),
    ("client", include_str!("client.json")),
    ("firewall", include_str!("firewall.json")),
    ("healthy", include_str!("healthy.json")),
    ("name", include_str!("name.json")),
    ("network", include_str!("network.json")),
    ("session", include_str!("session.json")),
    ("sshd", include_str!("sshd.json")),
];

/// Sections in which the client tells how its login ended.
pub(crate) const OF_THE_END: [&str; 4] = ["name", "tcp", "greeting", "login"];

/// One entry of the files.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) ends: Option<String>,
    pub(crate) changes: Value,
    pub(crate) expect: Vec<String>,
}

impl Entry {
    pub(crate) fn document(&self) -> Value {
        let mut document = base();
        if let Some(symptom) = &self.ends {
            merge(&mut document, &ending(symptom));
        }
        merge(&mut document, &self.changes);
        document
    }

    pub(crate) fn case(&self) -> Case {
        case(&self.document()).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

pub(crate) fn case(document: &Value) -> Result<Case, serde_json::Error> {
    serde_json::from_value(document.clone())
}

pub(crate) fn base() -> Value {
    serde_json::from_str(include_str!("base.json")).expect("JSON")
}

pub(crate) fn entries() -> Vec<Entry> {
    let mut all = Vec::new();
    for (file, text) in FILES {
        let entries: Vec<Value> = serde_json::from_str(text).expect("JSON");
        all.extend(entries.into_iter().map(|mut entry| Entry {
            name: format!("{file}: {}", entry["name"].as_str().expect("a name")),
            ends: entry["ends"].as_str().map(str::to_owned),
            expect: serde_json::from_value(entry["expect"].take()).expect("ids"),
            changes: entry["changes"].take(),
        }));
    }
    all
}

/// The entry of this name.
pub(crate) fn entry(name: &str) -> Entry {
    let found = entries().into_iter().find(|entry| entry.name == name);
    found.unwrap_or_else(|| panic!("there is no case `{name}`"))
}

pub(crate) fn catalogue() -> Catalogue {
    Catalogue::builtin().expect("the built-in faults are right")
}

/// Every object of a document that has a key.
pub(crate) fn with_key(
    document: &mut Value,
    key: &str,
    change: &mut dyn FnMut(&mut Value),
) {
    match document {
        Value::Object(object) if object.contains_key(key) => change(document),
        Value::Object(object) => {
            object.values_mut().for_each(|value| with_key(value, key, change));
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|value| with_key(value, key, change));
        }
        _ => {}
    }
}

pub(crate) fn merge(document: &mut Value, patch: &Value) {
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
pub(crate) fn ending(symptom: &str) -> Value {
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
