//! What comes back from a guest: the whole of collect.sh through a channel that
//! carries four kilobytes, and what a case says when the channel does not answer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use doctor::case::{Case, Section};
use rescue::{EventState, Request, collect};
use support::cloud::{Cloud, VM};
use support::sshd::Sshd;
use support::{me, request};

async fn request_to(cloud: &Cloud, sshd: &Sshd) -> Request {
    let mut request = request(sshd.home.path(), sshd.port);
    cloud.knows(VM, &mut request).await;
    request
}

async fn collected(change: impl FnOnce(&mut support::cloud::State)) -> (Case, Cloud) {
    let sshd = Sshd::prepare("");
    let cloud = Cloud::start(sshd.home.path().join("root")).await;
    cloud.with(change);
    let case = collect(&request_to(&cloud, &sshd).await, &|_| {}).await;
    (case, cloud)
}

#[tokio::test]
async fn a_guest_answers_in_pieces_of_four_kilobytes() {
    let (case, cloud) = collected(|_| {}).await;
    let guest = case.guest.collected().unwrap_or_else(|| panic!("{:?}", case.guest));
    assert!(!guest.os.is_empty());
    assert_eq!(guest.channel, "run-command");
    assert!(guest.disk_used.contains_key("/"));
    assert!(guest.uptime.is_some());

    let account = case.account.collected().unwrap();
    assert!(account.exists);
    assert_eq!(account.user, me());
    let home = account.home.as_ref().unwrap();
    assert!(account.key_path.iter().any(|fact| fact.path == *home));
    assert_eq!(account.key_path.iter().filter(|fact| fact.path == "/").count(), 1);
    assert!(["usable", "locked", "none"].contains(&account.password.as_str()));
    assert_eq!(account.shell_file.as_ref().unwrap().kind, "file");
    assert!(account.today.unwrap() > 20_000);

    let sshd = case.sshd.collected().unwrap();
    assert_eq!(sshd.binary.as_deref(), Some("/usr/sbin/sshd"));
    assert!(sshd.config.contains_key("/etc/ssh/sshd_config"));
    assert_eq!(sshd.effective["port"], ["22"]);
    assert_eq!(sshd.test.exit, Some(0));
    assert!(sshd.host_keys.iter().any(|fact| fact.path == "/etc/ssh"));
    assert!(sshd.processes.is_some());
    let firewall = case.firewall.collected().unwrap();
    assert!(firewall.interfaces["lo"].contains(&"127.0.0.1".to_owned()));

    let calls = cloud.with(|state| state.asked.len());
    assert!(calls > 2, "{calls} calls for an answer of more than four kilobytes");
}

#[tokio::test]
async fn platform_network_and_boot_log_come_from_arm() {
    let (case, _cloud) = collected(|state| {
        state.output_limit = 1 << 20;
        state.boot_log = b"\x1b[0;32mOK\x1b[0m booted\r\n".to_vec();
    })
    .await;
    let platform = case.platform.collected().unwrap();
    assert_eq!(platform.vm, "vm1");
    assert_eq!(platform.resource_group, "lab");
    assert_eq!(platform.power.as_deref(), Some("running"));
    assert_eq!(platform.agent.status.as_deref(), Some("Ready"));
    let network = case.network.collected().unwrap();
    assert_eq!(network.client_address.as_deref(), Some("198.51.100.7"));
    assert_eq!(network.public_addresses, ["127.0.0.1"]);
    let decider = network.inbound.as_ref().unwrap().decider().unwrap();
    assert_eq!(decider.rule.as_deref(), Some("ssh"));
    assert_eq!(case.boot.collected().unwrap().text, "OK booted\n");
}

#[tokio::test]
async fn a_stopped_vm_is_not_asked_and_the_case_says_so() {
    let (case, cloud) = collected(|state| state.power = "deallocated".to_owned()).await;
    let stopped = Section::NotTried("the VM is stopped".to_owned());
    assert_eq!(case.sshd, stopped);
    let asked = cloud.with(|state| state.asked.clone());
    assert!(!asked.iter().any(|asked| asked.ends_with("runCommand")), "{asked:?}");
}

#[tokio::test]
async fn a_vm_without_a_host_name_is_reached_at_its_public_address() {
    let sshd = Sshd::start("");
    let cloud = Cloud::start(sshd.home.path().join("root")).await;
    cloud.with(|state| state.output_limit = 1 << 20);
    let mut request = request_to(&cloud, &sshd).await;
    request.host = None;
    let case = collect(&request, &|_| {}).await;
    assert_eq!(case.target.host, "127.0.0.1");
    let stage = case.login.collected().unwrap().stage;
    assert_eq!(stage, doctor::case::LoginStage::LoggedIn);
}

#[tokio::test]
async fn an_unknown_vm_fails_its_own_sections_only() {
    let sshd = Sshd::prepare("");
    let cloud = Cloud::start(sshd.home.path().join("root")).await;
    let mut request = request_to(&cloud, &sshd).await;
    cloud.knows(&VM.replace("vm1", "vm2"), &mut request).await;
    let case = collect(&request, &|_| {}).await;
    let Section::Failed(why) = &case.platform else { panic!("{:?}", case.platform) };
    assert!(why.contains("ResourceNotFound"), "{why}");
    assert!(case.client.collected().is_some());
    assert!(case.tcp.collected().is_some());
    assert!(matches!(case.sshd, Section::NotTried(_) | Section::Failed(_)));
}

#[tokio::test]
async fn an_agent_that_never_answers_does_not_stop_the_other_sections() {
    let sshd = Sshd::start("");
    let cloud = Cloud::start(sshd.home.path().join("root")).await;
    cloud.with(|state| state.agent_hangs = true);
    let request = request_to(&cloud, &sshd).await;
    let (send, mut logged_in) = tokio::sync::mpsc::unbounded_channel();
    let watch = move |event: rescue::Event| {
        let _ = send.send(event);
    };
    let collecting = collect(&request, &watch);
    let login_is_there = async {
        while let Some(event) = logged_in.recv().await {
            if event.section == "login" && event.state == EventState::Collected {
                return true;
            }
        }
        false
    };
    tokio::select! {
        _ = collecting => panic!("the guest cannot have answered"),
        found = login_is_there => assert!(found),
        () = tokio::time::sleep(Duration::from_secs(15)) => panic!("no login"),
    }
}
