//! `kill -9` of the server in the midst of what it does to real VMs. The same with
//! simulated ones, a hundred times, is `crates/cloud/tests/kill`.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use e2e::{Lab, words};
use serde_json::Value;

/// What is under way when the server is killed, and after how many milliseconds.
fn rounds(key: &str) -> Vec<(String, u64)> {
    let create = format!(
        "vm create -g lab -n vm2 --image Debian12 --admin-username azureuser \
         --ssh-key-values {key}"
    );
    let delete = "vm delete -g lab -n vm2 --yes";
    vec![
        ("vm user reset-ssh -g lab -n vm1".to_owned(), 20),
        ("vm restart -g lab -n vm1".to_owned(), 400),
        (create.clone(), 900),
        (delete.to_owned(), 150),
        ("vm deallocate -g lab -n vm1".to_owned(), 200),
        ("vm start -g lab -n vm1".to_owned(), 300),
        (create, 1800),
        (delete.to_owned(), 50),
    ]
}

#[test]
fn a_server_killed_in_the_midst_of_its_work_loses_no_vm_and_leaves_none_behind() {
    let lab = Lab::up();
    let key = format!("{}.pub", lab.vm().key());
    for (line, after) in rounds(&key) {
        let mut client = lab
            .command(&words(&line))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("regain starts");
        std::thread::sleep(Duration::from_millis(after));
        lab.kill_server();
        // It may have ended, or wait for a server that is gone.
        let _may_be_over = client.kill();
        client.wait().expect("the client ended");
        lab.regain(&["lab", "up"]).ok();
        settle(&lab);
        assert_eq!(kept(&lab), documented(&lab), "after {line}");
    }
    lab.say("vm start -g lab -n vm1").ok();
    lab.vm().ssh("true").ok();
    lab.say("vm user reset-ssh -g lab -n vm1").ok();
}

/// Waits until nothing is being created, updated or deleted any more.
fn settle(lab: &Lab) {
    let give_up = Instant::now() + Duration::from_secs(120);
    loop {
        let all =
            lab.regain(&["resource", "list", "-g", "lab", "-o", "json"]).ok().json();
        let busy: Vec<&Value> = all
            .as_array()
            .expect("a list")
            .iter()
            .filter(|one| {
                !matches!(one["provisioningState"].as_str(), Some("Succeeded" | "Failed"))
            })
            .collect();
        if busy.is_empty() {
            return;
        }
        assert!(Instant::now() < give_up, "it does not end: {busy:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The machines that the engine has.
fn kept(lab: &Lab) -> BTreeSet<String> {
    std::fs::read_dir(lab.state().join("machines"))
        .expect("the engine's directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        // What is on its way out has another name.
        .filter(|name| !name.starts_with('.'))
        .collect()
}

/// The machines that the documents name.
fn documented(lab: &Lab) -> BTreeSet<String> {
    let all = lab.regain(&["vm", "list", "-o", "json"]).ok().json();
    let ids = all.as_array().expect("a list").iter();
    ids.map(|vm| vm["vmId"].as_str().expect("an id").to_owned()).collect()
}
