//! Single steps: what they ask of the cloud, and what an undo asks back.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use doctor::{Action, Channel, Edit, Line, PlatformAction, Risk, Step};
use rescue::{
    ApplyError, Journal, PlatformError, Request, StepState, apply, preview, undo,
};
use serde_json::{Value, json};
use support::cloud::{Cloud, NETWORK, VM};
use support::sshd::Sshd;
use support::{Forget, me, request};

async fn request_to(cloud: &Cloud, sshd: &Sshd) -> Request {
    let mut request = request(sshd.home.path(), sshd.port);
    cloud.knows(VM, &mut request).await;
    request
}

fn step(action: Action) -> Step {
    Step {
        fault: "test.fault".to_owned(),
        id: "step".to_owned(),
        title: String::new(),
        risk: Risk::Edit,
        channel: Channel::Platform,
        action,
        losses: Vec::new(),
    }
}

fn arm(action: PlatformAction) -> Step {
    step(Action::Platform { action })
}

/// A step in the guest on a file of the test's, and that file.
fn guest(sshd: &Sshd) -> (Step, std::path::PathBuf) {
    let file = sshd.path("root").join("etc/motd.conf");
    std::fs::create_dir_all(sshd.path("root").join("etc")).unwrap();
    std::fs::write(&file, "Before 1\n").unwrap();
    let line =
        Line { file: "/etc/motd.conf".to_owned(), line: 1, text: "Before".to_owned() };
    let edits = vec![Edit::CommentOut { lines: vec![line] }];
    (step(Action::Guest { edits }), file)
}

fn new_id(sshd: &Sshd) -> String {
    format!("test-{}-{}", std::process::id(), sshd.port)
}

#[tokio::test]
async fn ssh_is_allowed_by_one_narrow_rule_and_the_undo_removes_it() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let cloud = Cloud::start(sshd.path("root")).await;
    let nsg = format!("{NETWORK}/networkSecurityGroups/nsg");
    deny(&cloud, 1000);
    let request = request_to(&cloud, &sshd).await;
    let id = new_id(&sshd);

    let applied = apply(&request, &arm(PlatformAction::AllowSsh), &id).await.unwrap();
    assert!(applied.said[0].contains("198.51.100.7/32"), "{:?}", applied.said);
    let path = format!("{nsg}/securityRules/regain-{id}-1");
    let rule = cloud.with(|state| state.documents.get(&path).cloned()).unwrap();
    assert_eq!(rule["properties"]["priority"], 999);
    assert_eq!(rule["properties"]["destinationPortRange"], sshd.port.to_string());

    let undone = undo(&request, &id).await.unwrap();
    assert!(undone.remains.is_empty());
    assert!(cloud.with(|state| !state.documents.contains_key(&path)));
}

/// The NSG's first rule denies SSH, at this priority.
fn deny(cloud: &Cloud, priority: u16) {
    let nsg = format!("{NETWORK}/networkSecurityGroups/nsg");
    cloud.with(|state| {
        let nsg = state.documents.get_mut(&nsg).unwrap();
        let rule = nsg.pointer_mut("/properties/securityRules/0/properties").unwrap();
        rule["access"] = "Deny".into();
        rule["priority"] = priority.into();
    });
}

#[tokio::test]
async fn an_nsg_that_somebody_else_keeps_writing_is_left_to_them() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let cloud = Cloud::start(sshd.path("root")).await;
    // At 100 the deny itself has to make way, so the whole group is written.
    deny(&cloud, 100);
    cloud.with(|state| state.busy = true);
    let request = request_to(&cloud, &sshd).await;
    let id = new_id(&sshd);
    let error = apply(&request, &arm(PlatformAction::AllowSsh), &id).await.unwrap_err();
    assert!(error.to_string().contains("somebody else is changing"), "{error}");
    let puts = cloud.with(|state| {
        state.asked.iter().filter(|asked| asked.starts_with("PUT")).count()
    });
    assert_eq!(puts, 0, "a write that is refused is not a write");
    assert_eq!(Journal::load(&id).unwrap().steps[0].state, StepState::Undone);
}

#[tokio::test]
async fn nothing_is_opened_for_a_client_whose_address_nobody_knows() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let cloud = Cloud::start(sshd.path("root")).await;
    deny(&cloud, 1000);
    cloud.with(|state| state.says_client = false);
    let request = request_to(&cloud, &sshd).await;
    let id = new_id(&sshd);
    let error = apply(&request, &arm(PlatformAction::AllowSsh), &id).await.unwrap_err();
    let told = error.to_string();
    assert!(
        told.contains("--client-address") && told.contains("--priority 999"),
        "{told}"
    );
    assert!(cloud.with(|state| state.asked.is_empty()));
    assert!(Journal::load(&id).is_err());
}

#[tokio::test]
async fn the_token_tells_where_the_caller_is_if_that_is_a_public_address() {
    let sshd = Sshd::prepare("");
    let cloud = Cloud::start(sshd.path("root")).await;
    cloud.with(|state| state.says_client = false);
    // {"ipaddr":"198.51.100.9"} and {"ipaddr":"10.1.2.3"}, unsigned.
    for (claims, known) in [
        ("eyJpcGFkZHIiOiIxOTguNTEuMTAwLjkifQ", Some("198.51.100.9")),
        ("eyJpcGFkZHIiOiIxMC4xLjIuMyJ9", None),
    ] {
        let client = cloud.client_with(&format!("e30.{claims}.")).await;
        let mut request = request(sshd.home.path(), sshd.port);
        request.platform = Some(rescue::azure::Vm::new(client, VM.parse().unwrap()));
        let case = rescue::collect(&request, &|_| {}).await;
        let network = case.network.collected().unwrap();
        assert_eq!(network.client_address.as_deref(), known);
        let from = network.client_address_from.as_deref();
        assert_eq!(from, known.map(|_| "the token of this sign-in"));
    }
}

#[tokio::test]
async fn what_the_cloud_refused_is_not_told_as_something_that_stays() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let cloud = Cloud::start(sshd.path("root")).await;
    cloud.with(|state| state.refused = vec!["/restart"]);
    let request = request_to(&cloud, &sshd).await;
    let id = new_id(&sshd);
    let error = apply(&request, &arm(PlatformAction::RestartVm), &id).await.unwrap_err();
    assert!(error.to_string().contains("refused to restart"), "{error}");
    let undone = undo(&request, &id).await.unwrap();
    assert!(undone.remains.is_empty() && undone.restored.is_empty(), "{undone:?}");
}

#[tokio::test]
async fn an_undo_goes_on_where_it_can_and_keeps_what_the_rest_needs() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let cloud = Cloud::start(sshd.path("root")).await;
    cloud.with(|state| state.power = "stopped".to_owned());
    deny(&cloud, 1000);
    let request = request_to(&cloud, &sshd).await;
    let ((edit, file), id) = (guest(&sshd), new_id(&sshd));
    for step in [arm(PlatformAction::StartVm), arm(PlatformAction::AllowSsh), edit] {
        apply(&request, &step, &id).await.unwrap();
    }
    // The agent is gone: the rule goes, the VM has to stay up for another try.
    cloud.with(|state| state.refused = vec!["/runCommand"]);
    let undone = undo(&request, &id).await.unwrap();
    let [rule] = undone.restored.as_slice() else { panic!("{undone:?}") };
    assert!(rule.contains("is removed"), "{undone:?}");
    assert_eq!(undone.remains.len(), 2, "{undone:?}");
    assert!(undone.remains[1].contains("has to run"), "{undone:?}");
    assert_eq!(cloud.with(|state| state.power.clone()), "running");

    cloud.with(|state| state.refused.clear());
    let undone = undo(&request, &id).await.unwrap();
    assert!(undone.remains.is_empty(), "{undone:?}");
    assert_eq!(undone.restored, ["/etc/motd.conf", "the VM is stopped"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Before 1\n");
}

#[tokio::test]
async fn vmaccess_sets_the_client_s_own_key_under_the_name_that_az_uses() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let cloud = Cloud::start(sshd.path("root")).await;
    let request = request_to(&cloud, &sshd).await;
    let reset = arm(PlatformAction::ResetCredentials);
    apply(&request, &reset, &new_id(&sshd)).await.unwrap();
    let path = format!("{VM}/extensions/enablevmaccess");
    let body = cloud.with(|state| state.documents.get(&path).cloned()).unwrap();
    let properties = &body["properties"];
    assert_eq!(properties["publisher"], "Microsoft.OSTCExtensions");
    assert_eq!(properties["type"], "VMAccessForLinux");
    let protected = &properties["protectedSettings"];
    assert_eq!(protected["username"], me());
    let public = std::fs::read_to_string(sshd.path("key.pub")).unwrap();
    assert!(public.starts_with(protected["ssh_key"].as_str().unwrap()));
    assert_eq!(properties["settings"], json!({}));
    assert_ne!(body["location"], Value::Null);
}

#[tokio::test]
async fn a_step_whose_answer_never_came_can_be_undone() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let cloud = Cloud::start(sshd.path("root")).await;
    cloud.with(|state| state.agent_hangs = true);
    let request = request_to(&cloud, &sshd).await;
    let ((step, _), id) = (guest(&sshd), new_id(&sshd));
    let killed = apply(&request, &step, &id);
    let killed = tokio::time::timeout(Duration::from_secs(1), killed).await;
    assert!(killed.is_err());
    assert_eq!(Journal::load(&id).unwrap().steps[0].state, StepState::Begun);

    cloud.with(|state| state.agent_hangs = false);
    let undone = undo(&request, &id).await.unwrap();
    assert!(undone.remains.is_empty(), "{undone:?}");
    assert_eq!(Journal::load(&id).unwrap().steps[0].state, StepState::Undone);
}

#[tokio::test]
async fn an_undo_that_cannot_be_made_now_says_so_and_can_be_made_later() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let (step, file) = guest(&sshd);
    let text = || std::fs::read_to_string(&file).unwrap();
    let cloud = Cloud::start(sshd.path("root")).await;
    let request = request_to(&cloud, &sshd).await;
    let shown = preview(&request, &step).await.unwrap();
    assert_eq!(shown[2..], ["@@ -1 +1 @@", "-Before 1", "+# regain: Before 1"]);
    assert_eq!(text(), "Before 1\n");
    let id = new_id(&sshd);
    let applied = apply(&request, &step, &id).await.unwrap();
    assert_eq!(applied.said, ["commented out line 1 of /etc/motd.conf"]);

    let offline = Request { channel: None, platform: None, ..request.clone() };
    let undone = undo(&offline, &id).await.unwrap();
    assert!(undone.remains[0].contains("no way into the guest"), "{undone:?}");
    assert_eq!(text(), "# regain: Before 1\n");

    let undone = undo(&request, &id).await.unwrap();
    assert_eq!(undone.restored, ["/etc/motd.conf"]);
    assert_eq!(text(), "Before 1\n");
}

#[tokio::test]
async fn what_cannot_be_done_is_said_before_anything_is_done() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let cloud = Cloud::start(sshd.path("root")).await;
    let request = request_to(&cloud, &sshd).await;
    let id = new_id(&sshd);
    let typed = step(Action::Client { command: "chmod 600 key".to_owned() });
    let error = apply(&request, &typed, &id).await.unwrap_err();
    assert!(
        matches!(error, ApplyError::Operators(command) if command == "chmod 600 key")
    );
    // It runs already, and no NSG denies.
    for action in [PlatformAction::StartVm, PlatformAction::AllowSsh] {
        let error = apply(&request, &arm(action), &id).await.unwrap_err();
        assert!(
            matches!(
                error,
                ApplyError::Impossible(_)
                    | ApplyError::Platform(PlatformError::Impossible(_))
            ),
            "{error}"
        );
    }
    assert!(cloud.with(|state| state.asked.is_empty()));
    assert!(Journal::load(&id).is_err());
}
