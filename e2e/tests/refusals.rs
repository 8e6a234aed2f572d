//! Bad input gets one clear error with the next step, and leaves nothing.

use std::net::TcpListener;

use e2e::{Lab, Ran, alone};

fn says(ran: &Ran, words: &str) {
    assert!(ran.stderr.contains(words), "expected `{words}` in {ran:#?}");
    assert!(!ran.stderr.contains("panicked"), "{ran:#?}");
}

#[test]
fn what_does_not_exist_is_exit_3() {
    let lab = Lab::up();
    let vm = lab.regain(&["diagnose", "-g", "lab", "-n", "nobody"]);
    assert_eq!(vm.exit, 3, "{vm:#?}");
    says(&vm, "nobody");
    let group = lab.regain(&["diagnose", "-g", "nowhere", "-n", "vm1"]);
    assert_eq!(group.exit, 3, "{group:#?}");
    let fault = lab.regain(&["explain", "no.such-fault"]);
    assert_eq!(fault.exit, 3, "{fault:#?}");
    says(&fault, "regain faults list");
}

#[test]
fn without_a_server_the_next_step_is_named() {
    let lab = Lab::down();
    let ran = alone(lab.home(), &["vm", "list"]);
    assert_eq!(ran.exit, 1, "{ran:#?}");
    says(&ran, "regain lab up");
}

#[test]
fn a_malformed_case_file_is_refused() {
    let lab = Lab::down();
    for (name, text) in [
        ("cut", "{\"version\": 1, \"tar"),
        ("other", "{\"version\": 99}"),
        ("list", "[]"),
    ] {
        let file = lab.home().join(name);
        std::fs::write(&file, text).expect("a file");
        let ran = alone(lab.home(), &["diagnose", "--from", &file.to_string_lossy()]);
        assert_eq!(ran.exit, 2, "{ran:#?}");
        says(&ran, name);
    }
}

#[test]
fn a_port_in_use_is_named_and_leaves_nothing() {
    let lab = Lab::down();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let ran = lab.regain(&["lab", "up", "--listen", &address]);
    assert_eq!(ran.exit, 1, "{ran:#?}");
    says(&ran, &address);
    drop(taken);
    lab.regain(&["lab", "up", "--listen", &address]).ok();
}

#[test]
fn a_lab_needs_root_and_says_so() {
    let lab = Lab::down();
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(e2e::regain())
        .args(["lab", "up"])
        .env("REGAIN_STATE", "/tmp/regain-e2e-nobody");
    let ran = Ran::of(command);
    assert_eq!(ran.exit, 1, "{ran:#?}");
    says(&ran, "root");
    drop(lab);
}

#[test]
fn an_expired_token_is_told_apart() {
    let lab = Lab::up();
    let status = lab.status();
    let mut command = lab.command(&["vm", "list"]);
    command
        .env("REGAIN_ENDPOINT", status["endpoint"].as_str().expect("an endpoint"))
        .env("REQUESTS_CA_BUNDLE", status["ca"].as_str().expect("a CA"))
        .env("REGAIN_ACCESS_TOKEN", "eyJhbGciOiJub25lIn0.eyJleHAiOjF9.");
    let ran = Ran::of(command);
    assert_eq!(ran.exit, 1, "{ran:#?}");
    says(&ran, "Token");
}

#[test]
fn a_truncated_key_is_refused_before_anything_is_written() {
    let lab = Lab::up();
    let vm = lab.vm();
    let before = vm
        .sh("sha256sum /etc/passwd /etc/shadow /home/azureuser/.ssh/authorized_keys")
        .ok();
    let ran = lab.regain(&[
        "vm",
        "user",
        "update",
        "-g",
        "lab",
        "-n",
        "vm1",
        "--username",
        "azureuser",
        "--ssh-key-value",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG",
    ]);
    assert_eq!(ran.exit, 1, "{ran:#?}");
    says(&ran, "key");
    let after = vm
        .sh("sha256sum /etc/passwd /etc/shadow /home/azureuser/.ssh/authorized_keys")
        .ok();
    assert_eq!(before.stdout, after.stdout);
}

#[test]
fn a_diagnosis_is_not_lost_with_the_file_that_was_to_keep_it() {
    let lab = Lab::down();
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr();
    let port = closed.expect("an address").port().to_string();
    let line = ["diagnose", "nobody@127.0.0.1", "--port", &port, "--save"];
    let full = alone(lab.home(), &[&line[..], &["/dev/full"]].concat());
    assert_eq!(full.exit, 1, "{full:#?}");
    says(&full, "cannot write /dev/full");
    assert!(full.stdout.contains("127.0.0.1"), "{full:#?}");
    // What can be known at once is said at once.
    let nowhere = alone(lab.home(), &[&line[..], &["/no/such/directory/case"]].concat());
    assert_eq!((nowhere.exit, nowhere.stdout.as_str()), (1, ""), "{nowhere:#?}");
    says(&nowhere, "cannot write /no/such/directory/case");
}
