//! The client's side against a real sshd: each way in which a login ends has its own
//! stage, and ssh's words are kept.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;

use doctor::case::{
    Case, GreetingOutcome, Login, LoginStage, Resolution, Section, TcpOutcome,
};
use rescue::collect;
use support::request;
use support::sshd::{Sshd, chmod, keygen};

async fn case_of(sshd: &Sshd) -> Case {
    collect(&request(sshd.home.path(), sshd.port), &|_| {}).await
}

async fn login_of(sshd: &Sshd) -> Login {
    let case = case_of(sshd).await;
    let Section::Collected(login) = case.login else {
        panic!("no login was tried: {:?}", case.login);
    };
    login
}

fn says(login: &Login, text: &str) -> bool {
    login.stderr.iter().any(|line| line.contains(text))
}

#[tokio::test]
async fn a_login_that_works_is_logged_in_and_leaves_known_hosts_alone() {
    let sshd = Sshd::start("");
    let case = case_of(&sshd).await;
    let login = case.login.collected().unwrap();
    assert_eq!(login.stage, LoginStage::LoggedIn, "{login:?}");
    assert_eq!(login.exit, Some(0));
    assert!(login.key_accepted);
    assert_eq!(login.offered.len(), 1);
    assert_eq!((&login.stdout, &login.stderr), (&Vec::new(), &Vec::new()));
    assert!(login.host_key.as_ref().unwrap().starts_with("ssh-ed25519 SHA256:"));
    assert!(!sshd.path("known_hosts").exists());

    let greeting = case.greeting.collected().unwrap();
    assert_eq!(greeting.outcome, GreetingOutcome::Ok);
    assert!(greeting.banner.as_ref().unwrap().starts_with("SSH-2.0-OpenSSH"));
    assert!(greeting.kex.iter().any(|kex| kex.starts_with("curve25519-sha256")));

    let client = case.client.collected().unwrap();
    assert!(client.ssh_version.starts_with("OpenSSH"));
    let identity = &client.identities[0];
    assert!(identity.named && identity.exists);
    let public = fs::read_to_string(sshd.path("key.pub")).unwrap();
    assert!(public.starts_with(identity.public_key.as_ref().unwrap()));
    assert_eq!(identity.fingerprint.as_ref(), login.offered.first());
    assert!(matches!(case.platform, Section::NotTried(_)));
    assert!(matches!(case.sshd, Section::NotTried(_)));
}

#[tokio::test]
async fn a_key_that_the_server_does_not_know_ends_at_authentication() {
    let sshd = Sshd::start("");
    fs::write(sshd.path("authorized_keys"), "").unwrap();
    let login = login_of(&sshd).await;
    assert_eq!(login.stage, LoginStage::Authentication);
    assert_eq!(login.exit, Some(255));
    assert_eq!(login.methods, ["publickey"]);
    assert!(!login.key_accepted);
    assert!(says(&login, "Permission denied (publickey)."));
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused_in_ssh_s_own_words() {
    let sshd = Sshd::start("");
    chmod(&sshd.path("key"), 0o644);
    let case = case_of(&sshd).await;
    let login = case.login.collected().unwrap();
    assert_eq!(login.stage, LoginStage::Authentication);
    // ssh offers the public file beside it, and the server would take that key.
    assert!(login.key_accepted);
    assert!(says(login, "UNPROTECTED PRIVATE KEY FILE"));
    let identity = &case.client.collected().unwrap().identities[0];
    assert_eq!(identity.mode.as_deref(), Some("0644"));
    assert_eq!(identity.error, None);
}

#[tokio::test]
async fn another_host_key_than_the_known_one_ends_there() {
    let sshd = Sshd::start("");
    keygen(&sshd.path("other"));
    let known = sshd.known_hosts_line(&sshd.path("other"));
    fs::write(sshd.path("known_hosts"), &known).unwrap();
    let login = login_of(&sshd).await;
    assert_eq!(login.stage, LoginStage::HostKey);
    assert!(says(&login, "REMOTE HOST IDENTIFICATION HAS CHANGED"));
    assert_eq!(fs::read_to_string(sshd.path("known_hosts")).unwrap(), known);
}

#[tokio::test]
async fn algorithms_without_a_common_one_end_at_the_key_exchange() {
    let sshd = Sshd::start("KexAlgorithms diffie-hellman-group14-sha1");
    let login = login_of(&sshd).await;
    assert_eq!(login.stage, LoginStage::KeyExchange);
    assert!(says(&login, "Unable to negotiate"));
    assert!(says(&login, "Their offer: diffie-hellman-group14-sha1"));
}

#[tokio::test]
async fn a_session_that_leaves_with_a_text_is_no_login() {
    let sshd = Sshd::start("ForceCommand echo currently not available; exit 1");
    let login = login_of(&sshd).await;
    assert_eq!((login.stage, login.exit), (LoginStage::Session, Some(1)));
    assert_eq!(login.stdout, ["currently not available"]);
    assert!(login.key_accepted);
}

#[tokio::test]
async fn a_session_that_repeats_the_command_is_no_login() {
    let sshd = Sshd::start("ForceCommand echo \"$SSH_ORIGINAL_COMMAND\"; id -u");
    let login = login_of(&sshd).await;
    assert_eq!((login.stage, login.exit), (LoginStage::Session, Some(0)));
}

#[tokio::test]
async fn a_session_that_hangs_is_given_up_and_told_apart() {
    let sshd = Sshd::start("ForceCommand sleep 60");
    let login = login_of(&sshd).await;
    assert_eq!((login.stage, login.exit), (LoginStage::Session, None));
}

#[tokio::test]
async fn a_closed_port_is_refused_and_no_login_is_tried() {
    let sshd = Sshd::prepare("");
    let case = case_of(&sshd).await;
    assert_eq!(case.tcp.collected().unwrap().outcome, TcpOutcome::Refused);
    assert!(matches!(case.greeting, Section::NotTried(_)));
    assert!(matches!(case.login, Section::NotTried(_)));
    assert!(case.client.collected().is_some());
}

#[tokio::test]
async fn a_name_that_does_not_exist_ends_before_tcp() {
    let sshd = Sshd::prepare("");
    let mut request = request(sshd.home.path(), sshd.port);
    request.host = Some("vm1.invalid".to_owned());
    let case = collect(&request, &|_| {}).await;
    let resolution = &case.name.collected().unwrap().resolution;
    assert_eq!(*resolution, Resolution::NxDomain { server: "RFC 6761".to_owned() });
    assert!(matches!(case.tcp, Section::NotTried(_)));
    assert!(matches!(case.login, Section::NotTried(_)));
}

#[tokio::test]
async fn a_server_that_hangs_up_before_its_banner_ends_there() {
    let sshd = Sshd::prepare("");
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", sshd.port)).await.unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let case = case_of(&sshd).await;
    let greeting = case.greeting.collected().unwrap();
    let hung_up = [GreetingOutcome::Closed, GreetingOutcome::Reset];
    assert!(hung_up.contains(&greeting.outcome), "{greeting:?}");
    assert_eq!(case.login.collected().unwrap().stage, LoginStage::Banner);
}
