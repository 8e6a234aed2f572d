//! The loop: a step that does not help is taken back, one that helps is proved by a
//! login, and all of it can be undone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use doctor::{Catalogue, Lang, Risk};
use rescue::{
    AttemptResult, Consent, Journal, Outcome, Policy, Request, Status, repair, undo,
};
use support::cloud::{Cloud, NETWORK, VM};
use support::sshd::{Sshd, keygen};
use support::{Forget, request};

/// A VM whose sshd and guest are this host's, and where its owner's state goes.
struct Lab {
    sshd: Sshd,
    cloud: Cloud,
    request: Request,
    _forget: Forget,
}

async fn lab(sshd: Sshd) -> Lab {
    let home = sshd.home.path();
    let cloud = Cloud::start(home.join("root")).await;
    cloud.with(|state| state.output_limit = 1 << 20);
    let mut request = request(home, sshd.port);
    cloud.knows(VM, &mut request).await;
    let forget = Forget(sshd.port);
    Lab { sshd, cloud, request, _forget: forget }
}

fn fault(id: &str, symptom: &str, when: &str, repairs: &str) -> (String, String) {
    let (prefix, _) = id.split_once('.').unwrap();
    let layer = match prefix {
        "plat" => "platform",
        "net" => "network",
        "sess" => "session",
        layer => layer,
    };
    let text = format!(
        "id = '{id}'\nlayer = '{layer}'\nproduces = ['{state}']\n\
         when = \'\'\'{when}\'\'\'\nbasis = 'said'\nevidence = [\"'seen'\"]\n\
         references = ['none']\nnot_injected = 'it belongs to a test'\n\
         title = {{ en = 'T', ja = 'T' }}\n\
         explanation = {{ en = 'E', ja = 'E' }}\n{repairs}",
        state = symptom.replace('.', "-"),
    );
    (format!("{id}.toml"), text)
}

/// The faults, and a state of the world for each symptom that they show.
fn catalogue(faults: Vec<(String, String)>) -> Catalogue {
    let symptoms = ["tcp.refused", "hostkey.changed", "auth.denied", "session.exit"];
    let state = |symptom: &str| {
        let id = symptom.replace('.', "-");
        format!(
            "[[state]]\nid = '{id}'\nshows = ['{symptom}']\n\
             title = {{ en = 'S', ja = 'S' }}\n"
        )
    };
    let states = symptoms.map(state).concat();
    let files = std::iter::once(("states.toml".to_owned(), states)).chain(faults);
    Catalogue::parse(files).unwrap()
}

/// A step of edits, each a verb with its arguments.
fn guest_step(id: &str, edits: &[String]) -> String {
    format!(
        "[[repair]]\nid = '{id}'\nrisk = 'edit'\n\
         title = {{ en = 'S', ja = 'S' }}\nedits = [{}]\n",
        edits.join(", ")
    )
}

/// Puts a line after the first one of the keys.
fn insert(line: &str) -> String {
    format!(
        "{{ verb = 'insert-after', insertions = \'\'\'[{{'file': '/authorized_keys', \
         'line': 1, 'text': '# locked', 'new': '{line}'}}]\'\'\' }}"
    )
}

/// Turns the first line of a file into a comment.
fn comment_out(file: &str) -> String {
    format!(
        "{{ verb = 'comment-out', lines = \'\'\'[{{'file': '/{file}', 'line': 1, \
         'text': 'before'}}]\'\'\' }}"
    )
}

fn policy(allow: Risk) -> Policy {
    Policy { allow, consent: Consent::None, dry_run: false, lang: Lang::En }
}

async fn run(lab: &Lab, faults: Vec<(String, String)>, allow: Risk) -> Outcome {
    repair(&lab.request, &catalogue(faults), &policy(allow), &|_| {}).await
}

fn results(outcome: &Outcome) -> Vec<(&str, &AttemptResult)> {
    let attempts = outcome.attempts.iter();
    attempts.map(|attempt| (attempt.step.id.as_str(), &attempt.result)).collect()
}

/// Takes the owner's key away and gives its line.
fn lock_out(sshd: &Sshd) -> String {
    let keys = sshd.path("authorized_keys");
    let line = fs::read_to_string(&keys).unwrap();
    fs::write(&keys, "").unwrap();
    fs::create_dir_all(sshd.path("root")).unwrap();
    fs::write(sshd.path("root/authorized_keys"), "# locked\n").unwrap();
    fs::write(sshd.path("root/other"), "before\n").unwrap();
    line.trim_end().to_owned()
}

fn facts(path: &Path) -> (String, u32, i64, i64) {
    let facts = fs::metadata(path).unwrap();
    let text = fs::read_to_string(path).unwrap();
    (text, facts.mode(), facts.mtime(), facts.mtime_nsec())
}

#[tokio::test]
async fn a_useless_step_is_taken_back_and_the_next_one_is_proved_and_undone() {
    let lab = lab(Sshd::start("")).await;
    let key = lock_out(&lab.sshd);
    let (keys, other) =
        (lab.sshd.path("root/authorized_keys"), lab.sshd.path("root/other"));
    let before = (facts(&keys), facts(&other));
    let repairs = [
        guest_step("broken", &[comment_out("other"), comment_out("nowhere")]),
        guest_step("useless", &[comment_out("other")]),
        guest_step("useful", &[insert(&key)]),
    ];
    let denied = fault("auth.test", "auth.denied", "true", &repairs.concat());

    let outcome = run(&lab, vec![denied], Risk::Edit).await;
    assert_eq!(outcome.status, Status::Repaired, "{outcome:#?}");
    let results = results(&outcome);
    let [broken, useless, useful] = results.as_slice() else { panic!("{results:?}") };
    assert!(
        matches!(broken, ("broken", AttemptResult::Failed(why)) if why.contains("nowhere"))
    );
    assert_eq!(*useless, ("useless", &AttemptResult::Undone));
    assert_eq!(*useful, ("useful", &AttemptResult::Solved));
    assert_eq!(outcome.attempts[2].said, ["added a line to /authorized_keys"]);
    assert!(outcome.verdict.reachable && !outcome.first.reachable);
    assert_eq!(facts(&other), before.1);

    let id = outcome.undo_id.unwrap();
    let undone = undo(&lab.request, &id).await.unwrap();
    assert_eq!(undone.remains, [""; 0]);
    assert_eq!(undone.restored, ["/authorized_keys"]);
    assert_eq!((facts(&keys), facts(&other)), before);
    let again = undo(&lab.request, &id).await.unwrap();
    assert!(again.restored.is_empty() && again.remains.is_empty());
}

#[tokio::test]
async fn a_step_that_removes_its_cause_is_kept_when_something_else_is_wrong() {
    let lab = lab(Sshd::start("")).await;
    let key = lock_out(&lab.sshd);
    // With this the key is let in and its session ends at once.
    let half = [insert(&format!("command=\"exit 3\" {key}"))];
    let whole = [insert(&key)];
    let faults = vec![
        fault("auth.test", "auth.denied", "true", &guest_step("half", &half)),
        fault("sess.test", "session.exit", "true", &guest_step("whole", &whole)),
    ];
    let outcome = run(&lab, faults, Risk::Edit).await;
    assert_eq!(outcome.status, Status::Repaired, "{outcome:#?}");
    let expected = [("half", &AttemptResult::Kept), ("whole", &AttemptResult::Solved)];
    assert_eq!(results(&outcome), expected);

    let undone = undo(&lab.request, &outcome.undo_id.unwrap()).await.unwrap();
    assert_eq!(undone.restored.len(), 2);
    let keys = fs::read_to_string(lab.sshd.path("root/authorized_keys")).unwrap();
    assert_eq!(keys, "# locked\n");
}

#[tokio::test]
async fn a_stopped_vm_is_started_and_the_undo_stops_it_again() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let cloud = Cloud::start(sshd.path("root")).await;
    let mut request = request(sshd.home.path(), sshd.port);
    cloud.knows(VM, &mut request).await;
    let sshd = Arc::new(Mutex::new(sshd));
    let booting = Arc::clone(&sshd);
    cloud.with(|state| {
        state.output_limit = 1 << 20;
        state.power = "deallocated".to_owned();
        state.on_start = Some(Box::new(move || booting.lock().unwrap().run()));
    });
    let start = "[[repair]]\nid = 'start'\nrisk = 'open'\n\
                 title = { en = 'S', ja = 'S' }\naction = 'start-vm'\n";
    let catalogue = catalogue(vec![fault("plat.test", "tcp.refused", "true", start)]);

    let refused = repair(&request, &catalogue, &policy(Risk::Edit), &|_| {}).await;
    assert_eq!(refused.status, Status::NotAllowed);
    assert_eq!(refused.next.unwrap().id, "start");
    assert!(refused.undo_id.is_none());

    let outcome = repair(&request, &catalogue, &policy(Risk::Open), &|_| {}).await;
    assert_eq!(outcome.status, Status::Repaired, "{outcome:#?}");
    let undone = undo(&request, &outcome.undo_id.unwrap()).await.unwrap();
    assert_eq!(undone.restored, ["the VM is deallocated"]);
    assert_eq!(cloud.with(|state| state.power.clone()), "deallocated");
}

#[tokio::test]
async fn new_host_keys_are_proved_against_the_guest_s_own_and_the_old_one_is_told() {
    // The guest is this host: its public keys are what /etc/ssh says, so sshd runs on
    // one of those.
    let mut sshd = Sshd::prepare("");
    let config = fs::read_to_string(sshd.path("sshd_config")).unwrap();
    let own = format!("HostKey {}/hostkey", sshd.home.path().display());
    let config = config.replace(&own, "HostKey /etc/ssh/ssh_host_ed25519_key");
    fs::write(sshd.path("sshd_config"), config).unwrap();
    sshd.run();
    let lab = lab(sshd).await;
    fs::create_dir_all(lab.sshd.path("root")).unwrap();
    fs::write(lab.sshd.path("root/other"), "before\n").unwrap();
    keygen(&lab.sshd.path("old"));
    let known = lab.sshd.known_hosts_line(&lab.sshd.path("old"));
    fs::write(lab.sshd.path("known_hosts"), &known).unwrap();
    let changed = fault(
        "sshd.test",
        "hostkey.changed",
        "true",
        &guest_step("say", &[comment_out("other")]),
    );

    let outcome = run(&lab, vec![changed], Risk::Edit).await;
    assert_eq!(outcome.status, Status::Repaired, "{outcome:#?}");
    let forget = format!("ssh-keygen -R '[127.0.0.1]:{}'", lab.sshd.port);
    assert_eq!(outcome.to_type, [forget]);
    assert_eq!(fs::read_to_string(lab.sshd.path("known_hosts")).unwrap(), known);
}

#[tokio::test]
async fn a_client_s_fault_is_told_and_nothing_is_touched() {
    let lab = lab(Sshd::start("")).await;
    lock_out(&lab.sshd);
    let advice = "[[repair]]\nid = 'tell'\nrisk = 'none'\n\
                  title = { en = 'S', ja = 'S' }\ncommand = \"'chmod 600 key'\"\n";
    let outcome = run(
        &lab,
        vec![fault("client.test", "auth.denied", "true", advice)],
        Risk::Offline,
    )
    .await;
    assert_eq!(outcome.status, Status::Operators);
    let command = "chmod 600 key".to_owned();
    assert_eq!(outcome.next.unwrap().action, doctor::Action::Client { command });
    assert!(outcome.undo_id.is_none() && outcome.attempts.is_empty());
}

#[tokio::test]
async fn a_dry_run_plans_and_a_healthy_login_needs_nothing() {
    let lab = lab(Sshd::start("")).await;
    let healthy =
        repair(&lab.request, &catalogue(Vec::new()), &policy(Risk::Edit), &|_| {}).await;
    assert_eq!(healthy.status, Status::Healthy);

    let steps = guest_step("useful", &[insert(&lock_out(&lab.sshd))]);
    let catalogue = catalogue(vec![fault("auth.test", "auth.denied", "true", &steps)]);
    let dry = Policy { dry_run: true, ..policy(Risk::Edit) };
    let planned = repair(&lab.request, &catalogue, &dry, &|_| {}).await;
    assert_eq!(planned.status, Status::Planned);
    assert_eq!(planned.next.unwrap().id, "useful");
    assert!(planned.diff.iter().any(|line| line.starts_with("+ssh-ed25519 ")));
    let keys = fs::read_to_string(lab.sshd.path("root/authorized_keys")).unwrap();
    assert_eq!(keys, "# locked\n");
}

#[tokio::test]
async fn a_dry_run_shows_the_rule_that_would_be_made_and_makes_none() {
    let lab = lab(Sshd::prepare("")).await;
    let nsg = format!("{NETWORK}/networkSecurityGroups/nsg");
    lab.cloud.with(|state| {
        let nsg = state.documents.get_mut(&nsg).unwrap();
        let rule = nsg.pointer_mut("/properties/securityRules/0/properties").unwrap();
        (rule["access"], rule["priority"]) = ("Deny".into(), 100.into());
    });
    let allow = "[[repair]]\nid = 'allow'\nrisk = 'open'\n\
                 title = { en = 'S', ja = 'S' }\naction = 'allow-ssh'\n";
    let denied = "network.access == 'Deny'";
    let catalogue = catalogue(vec![fault("net.test", "tcp.refused", denied, allow)]);
    let dry = Policy { dry_run: true, ..policy(Risk::Open) };
    let planned = repair(&lab.request, &catalogue, &dry, &|_| {}).await;
    assert_eq!(planned.status, Status::Planned, "{planned:#?}");
    let has = |line: &str| planned.diff.iter().any(|shown| shown == line);
    assert!(has("-ssh: priority 100") && has("+ssh: priority 101"), "{:?}", planned.diff);
    assert!(has("+sourceAddressPrefix: 198.51.100.7/32"), "{:?}", planned.diff);
    assert!(lab.cloud.with(|state| {
        state
            .asked
            .iter()
            .all(|asked| asked.ends_with("runCommand") || asked.ends_with("Data"))
    }));
}

#[tokio::test]
async fn a_repair_on_another_vm_is_not_undone_here() {
    let lab = lab(Sshd::start("")).await;
    let steps = guest_step("useful", &[insert(&lock_out(&lab.sshd))]);
    let outcome =
        run(&lab, vec![fault("auth.test", "auth.denied", "true", &steps)], Risk::Edit)
            .await;
    let id = outcome.undo_id.unwrap();
    assert_eq!(Journal::load(&id).unwrap().target.resource_id.as_deref(), Some(VM));
    let mut request = lab.request.clone();
    lab.cloud.knows(&VM.replace("vm1", "vm2"), &mut request).await;
    let error = undo(&request, &id).await.unwrap_err();
    assert!(error.to_string().contains("was made on"), "{error}");
    assert!(undo(&request, "000000000000").await.is_err());
}
