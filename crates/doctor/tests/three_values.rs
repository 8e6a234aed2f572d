//! What is not known stays unknown up to the verdict: a section that is missing takes
//! its own facts along, with its reason, and no other.

use doctor::case::{Case, Section};
use doctor::facts::{self, Facts};
use serde_json::{Value, json};

/// The facts of the healthy case with some changes (a JSON merge patch).
fn facts(changes: Value) -> Facts {
    let mut document: Value =
        serde_json::from_str(include_str!("cases/base.json")).expect("JSON");
    merge(&mut document, changes);
    facts::derive(&serde_json::from_value(document).expect("a case"))
}

fn merge(document: &mut Value, patch: Value) {
    match (document, patch) {
        (Value::Object(document), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    document.remove(&key);
                } else {
                    merge(document.entry(key).or_insert(json!({})), value);
                }
            }
        }
        (document, patch) => *document = patch,
    }
}

fn failed() -> Value {
    json!({"collected": null, "failed": "it hangs"})
}

#[test]
fn each_section_takes_its_own_facts_along() {
    let fields = [
        ("system", vec!["guest.os", "guest.uptime"]),
        ("disks", vec!["guest.full_disks", "guest.read_only"]),
        ("units", vec!["sshd.unit", "firewall.owners"]),
        (
            "sshd",
            vec!["sshd.installed", "sshd.config_ok", "sshd.bad_lines", "sshd.privsep"],
        ),
        ("config", vec!["sshd.settings", "sshd.port_lines", "sshd.host_keys.missing"]),
        ("listeners", vec!["sshd.listens", "sshd.on_port", "sshd.port_taken_by"]),
        ("processes", vec!["sshd.stopped_processes", "sshd.port_option"]),
        ("hostKeys", vec!["sshd.host_keys.usable", "sshd.host_keys.fingerprints"]),
        ("journal", vec!["sshd.journal", "sshd.ran_in_this_boot"]),
        ("addresses", vec!["sshd.absent_address_lines"]),
        ("nft", vec!["firewall.verdict", "firewall.blockers"]),
        ("iptables", vec!["firewall.reply", "firewall.owners"]),
        ("account", vec!["account.exists", "account.password", "account.nologin"]),
        ("keys", vec!["account.keys", "account.path_problems", "account.home_missing"]),
        ("settings", vec!["sshd.effective"]),
    ];
    let whole = facts(json!({}));
    for (section, fields) in fields {
        let found = facts(json!({section: failed()}));
        for field in fields {
            assert_eq!(found.why(field), Some("it hangs"), "{section}: {field}");
            assert_eq!(whole.why(field), None, "{field}");
        }
        // Beside it everything is as it was.
        if section != "account" {
            assert_eq!(found.why("account.expired"), None, "{section}");
        }
    }
}

#[test]
fn an_account_without_a_shadow_line_has_an_unknown_password() {
    let found = facts(json!({"account": {"collected": {"shadow": null}}}));
    for field in ["password", "expired", "password_expired", "password_inactive"] {
        let why = found.why(&format!("account.{field}")).expect(field);
        assert!(why.contains("no line in /etc/shadow"), "{why}");
    }
    assert!(found.account.exists.holds());
}

#[test]
fn a_name_service_against_the_file_is_broken_and_no_missing_account() {
    let found = facts(json!({"account": {"collected": {"nameService": "notFound"}}}));
    assert!(found.why("account.exists").expect("a reason").contains("name service"));
    assert!(found.account.name_service_broken.holds());
    let privsep = |answers: Value| {
        let found = facts(json!({"sshd": {"collected": answers}}));
        serde_json::to_value(&found.sshd.privsep).expect("JSON")
    };
    let broken = json!({"privsep": "notFound", "privsepLine": true});
    assert_eq!(privsep(broken), "name-service-broken");
    assert_eq!(privsep(json!({"privsep": "notFound", "privsepLine": false})), "missing");
    assert_eq!(privsep(json!({"privsep": "found", "privsepLine": false})), "present");
}

#[test]
fn without_settings_the_files_speak_as_far_as_they_go() {
    let with = |text: &str| {
        facts(json!({"settings": failed(),
                     "config": {"collected": {"files": {"/etc/ssh/sshd_config": text}}}}))
    };
    assert_eq!(with("Port 22\n").why("sshd.pam"), Some("it hangs"));
    assert!(with("UsePAM yes\n").sshd.pam.holds());
    assert_eq!(with("AllowUsers bob\n").why("account.allowed_user"), Some("it hangs"));
    assert!(with("Port 22\n").account.allowed_user.holds());
}

#[test]
fn a_file_of_the_configuration_that_was_not_read_leaves_all_lines_open() {
    let skipped =
        json!({"/etc/ssh/sshd_config.d/x.conf": "others than root may change it"});
    let found = facts(json!({"config": {"collected": {"skipped": skipped}}}));
    assert!(found.why("sshd.settings").expect("a reason").contains("x.conf"));
}

#[test]
fn a_key_file_that_the_user_cannot_read_is_no_missing_key() {
    let file = "/home/azureuser/.ssh/authorized_keys";
    let unread = json!({"read": null, "unread": "the user cannot read it"});
    let found = facts(json!({"keys": {"collected": {"files": {file: unread}}}}));
    assert_eq!(
        found.why("account.keys"),
        Some("/home/azureuser/.ssh/authorized_keys: the user cannot read it")
    );
}

#[test]
fn nobody_asked_is_said_like_that() {
    let document: Value =
        serde_json::from_str(include_str!("cases/base.json")).expect("JSON");
    let mut case: Case = serde_json::from_value(document).expect("a case");
    case.login = Section::NotTried("TCP did not come up".to_owned());
    assert_eq!(facts::derive(&case).why("login.stage"), Some("TCP did not come up"));
}
