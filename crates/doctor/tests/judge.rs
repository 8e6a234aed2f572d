//! What the judge makes of the cases of `tests/cases`.

mod cases;

use cases::{Entry, case, catalogue, entries, entry, with_key};
use doctor::case::Case;
use doctor::fault::Confidence;
use doctor::{Channel, Finding, HopState, Lang, Step, Verdict, judge, plan};
use serde_json::{Value, json};

fn verdict(entry: &Entry) -> Verdict {
    judge(&entry.case(), &catalogue(), Lang::En)
}

fn of(file: &str) -> Vec<Entry> {
    let start = format!("{file}: ");
    entries().into_iter().filter(|entry| entry.name.starts_with(&start)).collect()
}

fn causes(verdict: &Verdict) -> Vec<&str> {
    verdict.causes.iter().map(|cause| cause.fault.as_str()).collect()
}

fn root(verdict: &Verdict) -> &Finding {
    verdict.causes.first().expect("a cause is named")
}

#[test]
fn each_case_has_the_causes_that_it_should() {
    let catalogue = catalogue();
    let wrong: Vec<String> = entries()
        .into_iter()
        .filter_map(|entry| {
            let verdict = judge(&entry.case(), &catalogue, Lang::En);
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
    for entry in entries() {
        let verdict = judge(&entry.case(), &catalogue, Lang::En);
        let symptom = verdict.symptom.map(|symptom| symptom.to_string());
        assert_eq!(symptom, entry.ends, "{}", entry.name);
    }
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
            for cause in judge(&entry.case(), &catalogue, lang).causes {
                assert!(!cause.title.is_empty() && !cause.explanation.is_empty());
                assert!(!cause.evidence.is_empty(), "{}: {}", entry.name, cause.fault);
                let rule = catalogue.get(&cause.fault).map(|fault| fault.rule());
                assert_ne!(
                    cause.evidence.first(),
                    rule.as_ref(),
                    "{}: {} shows its rule, not evidence",
                    entry.name,
                    cause.fault
                );
            }
        }
    }
}

#[test]
fn every_step_of_a_fault_is_offered_in_some_case_of_it() {
    let catalogue = catalogue();
    let offered: Vec<(String, String)> = entries()
        .iter()
        .flat_map(|entry| judge(&entry.case(), &catalogue, Lang::En).causes)
        .flat_map(|cause| cause.repairs)
        .map(|step| (step.fault, step.id))
        .collect();
    for fault in catalogue.iter().filter(|fault| !fault.id.starts_with("boot.")) {
        // Advice to the operator often is for what else might be.
        let own = |channel| channel != Channel::Client;
        for repair in fault.repairs.iter().filter(|repair| own(repair.action.channel())) {
            let step = (fault.id.clone(), repair.id.clone());
            assert!(offered.contains(&step), "{step:?} is never offered");
        }
    }
}

#[test]
fn every_root_cause_that_can_be_repaired_has_a_step() {
    let catalogue = catalogue();
    for entry in entries() {
        let verdict = judge(&entry.case(), &catalogue, Lang::En);
        let Some(root) = verdict.causes.first() else { continue };
        let fault = catalogue.get(&root.fault).expect("it was named");
        assert_eq!(root.repairs.is_empty(), fault.repairs.is_empty(), "{}", entry.name);
        assert!(root.repairs.is_sorted_by_key(|step| step.risk), "{}", entry.name);
    }
}

#[test]
fn a_working_login_is_the_end_of_it() {
    for entry in of("healthy") {
        let verdict = verdict(&entry);
        assert!(verdict.reachable && verdict.exit_code() == 0, "{}", entry.name);
        assert!(verdict.not_checked.is_empty() && plan(&verdict).is_empty());
        assert!(verdict.path.iter().all(|hop| hop.state != HopState::Skipped));
    }
}

#[test]
fn what_could_not_be_checked_is_said_with_the_reason() {
    let verdict = verdict(&entry("blind: refused, and nobody inside to ask"));
    assert_eq!(verdict.exit_code(), 4);
    let sshd = verdict
        .not_checked
        .iter()
        .find(|entry| entry.faults.contains(&"sshd.not-running".to_owned()));
    let sshd = sshd.expect("sshd could not be looked at");
    assert_eq!(sshd.why, "the guest agent does not answer");
    // What the login got past needs no looking at.
    assert!(verdict.ruled_out.iter().any(|fault| fault.fault == "name.nxdomain"));
    // That nobody could be asked is no reason to restart a machine.
    assert!(plan(&verdict).is_empty(), "{:?}", plan(&verdict));
}

fn steps(verdict: &Verdict) -> Vec<String> {
    let steps = plan(verdict).into_iter();
    steps.map(|step| format!("{}/{}", step.fault, step.id)).collect()
}

#[test]
fn the_plan_goes_from_the_root_cause_to_the_last_resorts() {
    assert_eq!(
        steps(&verdict(&entry("sshd: stopped"))),
        ["sshd.not-running/start", "last-resort/reset-ssh", "last-resort/restart-vm"]
    );
}

#[test]
fn what_is_wrong_on_the_clients_side_is_no_reason_to_touch_the_vm() {
    for entry in of("client").into_iter().chain(of("name")) {
        let verdict = verdict(&entry);
        if !verdict.causes.iter().any(|cause| cause.fault.starts_with("auth.")) {
            assert!(verdict.remedies.is_empty(), "{}: {:?}", entry.name, steps(&verdict));
        }
    }
}

// How sure a finding is.

#[test]
fn what_is_certain_has_no_doubt_and_what_is_not_says_why() {
    let catalogue = catalogue();
    for entry in entries() {
        for cause in judge(&entry.case(), &catalogue, Lang::En).causes {
            let basis = catalogue.get(&cause.fault).expect("it was named").basis;
            let lowered = cause.confidence > basis.confidence();
            assert_eq!(lowered, !cause.doubts.is_empty(), "{}: {cause:#?}", entry.name);
        }
    }
}

#[test]
fn most_findings_of_whole_evidence_are_certain() {
    let catalogue = catalogue();
    let unsure: Vec<String> = entries()
        .iter()
        .filter(|entry| !entry.name.starts_with("blind: "))
        .filter_map(|entry| {
            let verdict = judge(&entry.case(), &catalogue, Lang::En);
            let root = verdict.causes.first()?;
            let unsure = root.confidence != Confidence::Certain;
            unsure.then(|| format!("{} ({})", root.fault, root.doubts.join("; ")))
        })
        .collect();
    insta::assert_snapshot!("unsure", unsure.join("\n"));
}

#[test]
fn a_broken_name_service_is_named_and_no_account_is_added() {
    let name =
        "certainty: account sshd is written, and the name service does not find it";
    let verdict = verdict(&entry(name));
    assert_eq!(causes(&verdict), ["sshd.nss-broken"]);
    assert_eq!(root(&verdict).confidence, Confidence::Certain);
    assert!(plan(&verdict).iter().all(|step| step.channel != Channel::Guest));
}

#[test]
fn who_may_connect_is_told_and_nothing_is_opened_for_an_address_that_nobody_knows() {
    let name = "certainty: only an office may connect, and who we are is not known";
    let verdict = verdict(&entry(name));
    assert_eq!(root(&verdict).confidence, Confidence::Possible);
    assert!(root(&verdict).evidence[0].contains("203.0.113.0/24"));
    let plan: Vec<Step> = plan(&verdict);
    let [advice] = plan.as_slice() else { panic!("{plan:#?}") };
    let text = serde_json::to_string(&advice.action).expect("JSON");
    assert!(text.contains("-g lab -n vm1 --client-address"), "{text}");
}

#[test]
fn what_sshd_ran_with_is_not_certain_while_it_refuses_its_files() {
    let verdict = verdict(&entry("sshd: bad option waits for the next restart"));
    assert_eq!(root(&verdict).fault, "auth.wrong-key");
    assert_eq!(root(&verdict).confidence, Confidence::Likely);
    assert!(root(&verdict).doubts.iter().any(|doubt| doubt.contains("refuses")));
}

#[test]
fn a_rival_that_nobody_could_look_at_leaves_a_cause_likely() {
    let mut document = entry("auth: other keys only").document();
    document["client"]["collected"]["identities"] = json!([]);
    document["client"] = json!({"failed": "there is no ssh"});
    let without = judge(&case(&document).expect("a case"), &catalogue(), Lang::En);
    assert!(without.causes.is_empty(), "{:?}", causes(&without));

    let mut document = entry("sshd: stopped").document();
    let opaque = json!({"nftables": [
        {"chain": {"family": "inet", "table": "t", "name": "c", "handle": 1,
                   "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}},
        {"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 7, "expr": [
            {"xt": {"type": "match", "name": "recent"}}, {"drop": null}]}}]});
    with_key(&mut document, "nftables", &mut |ruleset| ruleset.clone_from(&opaque));
    let verdict = judge(&case(&document).expect("a case"), &catalogue(), Lang::En);
    assert_eq!(root(&verdict).fault, "sshd.not-running");
    assert_eq!(root(&verdict).confidence, Confidence::Likely);
    assert!(
        root(&verdict).doubts[0].contains("gfw.reject-rst"),
        "{:?}",
        root(&verdict).doubts
    );
}

#[test]
fn two_witnesses_of_the_end_must_agree() {
    let mut document = entry("sshd: stopped").document();
    document["tcp"]["collected"]["outcome"] = json!("timedOut");
    let verdict = judge(&case(&document).expect("a case"), &catalogue(), Lang::En);
    assert_eq!(root(&verdict).fault, "sshd.not-running");
    assert_eq!(root(&verdict).confidence, Confidence::Likely);
}

// What a candidate of the same stage does to the others.

#[test]
fn a_network_that_drops_cannot_refuse() {
    let mut document = entry("sshd: stopped").document();
    cases::merge(&mut document, &entry("network: deny above the allow").changes);
    let verdict = judge(&case(&document).expect("a case"), &catalogue(), Lang::En);
    assert_eq!(causes(&verdict), ["sshd.not-running"]);
    assert!(verdict.ruled_out.iter().any(|fault| fault.fault == "net.nsg-deny"));
}

#[test]
fn what_a_nearer_cause_hides_is_listed_after_it() {
    let mut document = entry("network: deny above the allow").document();
    cases::merge(&mut document, &entry("sshd: stopped").changes);
    let verdict = judge(&case(&document).expect("a case"), &catalogue(), Lang::En);
    assert_eq!(causes(&verdict), ["net.nsg-deny", "sshd.not-running"]);
}

// No repair opens more than was closed.

fn with_settings(name: &str, settings: &Value) -> Case {
    let mut document = entry(name).document();
    with_key(&mut document, "usepam", &mut |values| cases::merge(values, settings));
    case(&document).expect("a case")
}

fn losses(case: &Case) -> Vec<String> {
    let verdict = judge(case, &catalogue(), Lang::En);
    let reset = plan(&verdict).into_iter().find(|step| step.id == "reset-ssh");
    reset.expect("a reset is offered").losses
}

#[test]
fn a_reset_says_what_it_takes_away_and_turns_on() {
    let hardened = json!({"passwordauthentication": ["no"], "permitrootlogin": ["no"],
        "allowusers": ["ann", "bob"], "authenticationmethods": ["publickey,password"],
        "authorizedkeyscommand": ["/usr/bin/keys"], "trustedusercakeys": ["none"]});
    let losses = losses(&with_settings("sshd: stopped", &hardened));
    assert_eq!(
        losses,
        [
            "turns password login on (PasswordAuthentication is no now)",
            "turns root's login on (PermitRootLogin is no now)",
            "takes away AllowUsers ann bob",
            "takes away AuthenticationMethods publickey,password",
            "takes away AuthorizedKeysCommand /usr/bin/keys",
        ]
    );
    let open = json!({"passwordauthentication": ["yes"], "permitrootlogin": ["yes"]});
    assert!(self::losses(&with_settings("sshd: stopped", &open)).is_empty());
}

#[test]
fn a_reset_of_unknown_settings_says_that_they_are_unknown() {
    let losses = losses(&entry("sshd: bad value").case());
    assert!(losses.len() == 1 && losses[0].contains("not known"), "{losses:?}");
}

#[test]
fn who_logs_in_by_certificate_gets_no_standing_key() {
    for name in ["auth: other keys only", "auth: file missing", "auth: wrapped"] {
        let mut document = entry(name).document();
        document["client"]["collected"]["identities"][0]["certificate"] = json!(true);
        let verdict = judge(&case(&document).expect("a case"), &catalogue(), Lang::En);
        assert_eq!(root(&verdict).confidence, Confidence::Likely);
        let plan = plan(&verdict);
        assert!(plan.iter().all(|step| step.channel == Channel::Client), "{plan:#?}");
        assert_eq!(plan.first().map(|step| step.id.as_str()), Some("renew-certificate"));
    }
    let authority = json!({"trustedusercakeys": ["/etc/ssh/ca.pub"]});
    let verdict =
        judge(&with_settings("auth: file missing", &authority), &catalogue(), Lang::En);
    assert!(root(&verdict).repairs.is_empty(), "{:#?}", root(&verdict).repairs);
}

#[test]
fn what_is_opened_in_the_guest_is_opened_for_this_client_only() {
    for entry in of("firewall") {
        for step in plan(&verdict(&entry)) {
            let text = serde_json::to_string(&step.action).expect("JSON");
            if step.id != "start" && step.channel == Channel::Guest {
                assert!(text.contains("\"client\":\"198.18.0.1\""), "{text}");
            }
        }
        let mut document = entry.document();
        document["network"]["collected"]["clientAddress"] = Value::Null;
        let blind = judge(&case(&document).expect("a case"), &catalogue(), Lang::En);
        let guest = |step: &Step| step.channel == Channel::Guest && step.id != "start";
        assert!(!plan(&blind).iter().any(guest), "{}: {:?}", entry.name, steps(&blind));
    }
}

#[test]
fn a_keys_line_keeps_its_other_options() {
    let options = [
        (
            "auth: key's line for another address",
            json!(["from"]),
            "from=\"192.0.2.1,198.18.0.1\"",
        ),
        ("auth: key's line expired", json!(["expiry-time"]), "expiry-time=\"20261124\""),
    ];
    for (name, drop, add) in options {
        let verdict = verdict(&entry(name));
        let action =
            serde_json::to_value(&root(&verdict).repairs[0].action).expect("JSON");
        assert_eq!(action["edits"][0]["verb"], "amend-key-line");
        assert_eq!(
            (&action["edits"][0]["drop"], &action["edits"][0]["add"]),
            (&drop, &json!([add]))
        );
    }
}

#[test]
fn a_case_survives_being_saved() {
    for entry in entries() {
        let text = serde_json::to_string(&entry.case()).expect("a case is JSON");
        let again: Case = serde_json::from_str(&text).expect("and back");
        assert_eq!(again, entry.case(), "{}", entry.name);
    }
}

#[test]
fn a_verdict_is_the_json_that_the_product_promises() {
    let verdict = verdict(&entry("sshd: bad option in the main file"));
    let mut document = serde_json::to_value(&verdict).expect("a verdict is JSON");
    document["ruledOut"].as_array_mut().expect("a list").truncate(1);
    insta::assert_json_snapshot!("verdict", document);
}
