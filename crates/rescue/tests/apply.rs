//! Single steps: what they ask of the cloud, and what an undo asks back.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use doctor::{Action, ArmAction, Channel, Edit, Line, Risk, Step};
use rescue::{ApplyError, Journal, Request, StepState, apply, preview, undo};
use serde_json::{Value, json};
use support::cloud::{Cloud, NETWORK, VM};
use support::sshd::Sshd;
use support::{Forget, me, request};

async fn request_to(cloud: &Cloud, sshd: &Sshd) -> Request {
    let mut request = request(sshd.home.path(), sshd.port);
    request.vm = Some(VM.parse().unwrap());
    request.cloud = Some(cloud.client().await);
    request
}

fn step(action: Action) -> Step {
    Step {
        fault: "test.fault".to_owned(),
        id: "step".to_owned(),
        title: String::new(),
        risk: Risk::Edit,
        channel: Channel::Arm,
        action,
    }
}

fn arm(action: ArmAction) -> Step {
    step(Action::Arm { action })
}

fn guest(edits: &[Edit]) -> Step {
    let script = serde_json::to_string(edits).unwrap();
    step(Action::Guest { script, env: std::collections::BTreeMap::new() })
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
    cloud.with(|state| {
        let rule = "/properties/securityRules/0/properties/access";
        *state.documents.get_mut(&nsg).unwrap().pointer_mut(rule).unwrap() =
            "Deny".into();
    });
    let request = request_to(&cloud, &sshd).await;
    let id = new_id(&sshd);

    let applied = apply(&request, &arm(ArmAction::AllowSsh), &id).await.unwrap();
    assert!(applied.said[0].contains("198.51.100.7/32"), "{:?}", applied.said);
    let path = format!("{nsg}/securityRules/regain-{id}-1");
    let rule = cloud.with(|state| state.documents.get(&path).cloned()).unwrap();
    assert_eq!(rule["properties"]["priority"], 999);
    assert_eq!(rule["properties"]["destinationPortRange"], sshd.port.to_string());

    let undone = undo(&request, &id).await.unwrap();
    assert!(undone.remains.is_empty());
    assert!(cloud.with(|state| !state.documents.contains_key(&path)));
}

#[tokio::test]
async fn vmaccess_sets_the_client_s_own_key_under_the_name_that_az_uses() {
    let sshd = Sshd::prepare("");
    let _forget = Forget(sshd.port);
    let cloud = Cloud::start(sshd.path("root")).await;
    let request = request_to(&cloud, &sshd).await;
    let reset = arm(ArmAction::ResetCredentials);
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
    let (step, id) = (guest(&[]), new_id(&sshd));
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
    let root = sshd.path("root");
    let file = root.join("etc/motd.conf");
    std::fs::create_dir_all(root.join("etc")).unwrap();
    std::fs::write(&file, "Before 1\n").unwrap();
    let cloud = Cloud::start(sshd.path("root")).await;
    let request = request_to(&cloud, &sshd).await;
    let line =
        Line { file: "/etc/motd.conf".to_owned(), line: 1, text: "Before".to_owned() };
    let step = guest(&[Edit::CommentOut { lines: vec![line] }]);
    let shown = preview(&request, &step).await.unwrap();
    assert_eq!(shown[2..], ["@@ -1 +1 @@", "-Before 1", "+# regain: Before 1"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Before 1\n");
    let id = new_id(&sshd);
    let applied = apply(&request, &step, &id).await.unwrap();
    assert_eq!(applied.said, ["commented out line 1 of /etc/motd.conf"]);

    let offline = Request { cloud: None, ..request.clone() };
    let undone = undo(&offline, &id).await.unwrap();
    assert!(undone.remains[0].contains("no cloud is known"), "{undone:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# regain: Before 1\n");

    let undone = undo(&request, &id).await.unwrap();
    assert_eq!(undone.restored, ["/etc/motd.conf"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Before 1\n");
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
    for action in [ArmAction::StartVm, ArmAction::AllowSsh] {
        let error = apply(&request, &arm(action), &id).await.unwrap_err();
        assert!(matches!(error, ApplyError::Impossible(_)), "{error}");
    }
    assert!(cloud.with(|state| state.asked.is_empty()));
    assert!(Journal::load(&id).is_err());
}
