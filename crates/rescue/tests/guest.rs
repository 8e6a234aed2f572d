//! What comes back from a guest: all parts of collect.sh through a channel that
//! carries four kilobytes, and what a case says when the channel does not answer.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use doctor::case::{Case, NameService, PathKind, Section};
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

fn got<T: std::fmt::Debug>(section: &Section<T>) -> &T {
    section.collected().unwrap_or_else(|| panic!("{section:?}"))
}

#[tokio::test]
async fn a_guest_answers_in_one_call_of_four_kilobytes() {
    let (case, cloud) = collected(|_| {}).await;
    let system = got(&case.system);
    assert!(system.os.is_some() && system.uptime.is_some());
    assert!(system.clock.unwrap() > 20_000 * 86_400);
    assert_eq!(system.channel, "run-command");
    assert!(got(&case.disks).used.contains_key("/"));

    let account = got(&case.account);
    assert_eq!(account.name_service, NameService::Found);
    assert!(account.line);
    assert_eq!(account.user, me());
    assert!(account.shadow.is_some());
    assert_eq!(account.shell_file.as_ref().unwrap().kind, PathKind::File);
    let (keys, home) = (got(&case.keys), account.home.as_ref().unwrap());
    assert!(keys.paths.iter().any(|fact| fact.path == *home));
    assert_eq!(keys.paths.iter().filter(|fact| fact.path == "/").count(), 1);

    let sshd = got(&case.sshd);
    assert_eq!(sshd.binary.as_deref(), Some("/usr/sbin/sshd"));
    assert_eq!(sshd.test.as_ref().unwrap().exit, Some(0));
    assert!(got(&case.config).files.contains_key("/etc/ssh/sshd_config"));
    let settings = got(&case.settings);
    assert_eq!(settings.values["port"], ["22"]);
    assert_eq!(settings.address.as_deref(), Some("198.51.100.7"));
    assert!(got(&case.host_keys).files.iter().any(|fact| fact.path == "/etc/ssh"));
    got(&case.processes);
    got(&case.listeners);
    let addresses = got(&case.addresses);
    assert!(addresses.interfaces["lo"].contains(&"127.0.0.1".to_owned()));

    let asked = cloud.with(|state| state.asked.clone());
    let calls = asked.iter().filter(|asked| asked.ends_with("runCommand")).count();
    assert_eq!(calls, 1);
}

#[tokio::test]
async fn platform_network_and_boot_log_come_from_arm() {
    let (case, _cloud) = collected(|state| {
        state.output_limit = 1 << 20;
        state.boot_log = b"[\x1b[0;32m  OK  \x1b[0m] booted\r\nhello\r\n".to_vec();
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
    assert_eq!(case.boot.collected().unwrap().text, "[  OK  ] booted\n");
}

#[tokio::test]
async fn a_stopped_vm_is_not_asked_and_the_case_says_so() {
    let (case, cloud) = collected(|state| state.power = "deallocated".to_owned()).await;
    let stopped = "the VM is stopped".to_owned();
    assert_eq!(case.sshd, Section::NotTried(stopped.clone()));
    assert_eq!(case.keys, Section::NotTried(stopped));
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
