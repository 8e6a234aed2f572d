//! Passwords and hashes: applied, and then looked for wherever they must not be.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use guest::wire::Verdict;
use serde_json::json;
use sha_crypt::{PasswordVerifier, ShaCrypt};

use crate::root::{KEY, Root, message};

const PASSWORD: &str = "Correct-Canary-77";
const OLD_HASH: &str = "$6$oldcanary$oldcanaryhash";

#[test]
fn secrets_stay_secret() {
    let root = Root::new();
    let shadow = root.read("etc/shadow").replace("ann:!", &format!("ann:{OLD_HASH}"));
    root.write("etc/shadow", &shadow);
    // It does not end before everybody has been looked at.
    root.program("usr/sbin/visudo", &visudo_behind_a_gate());
    let gate = root.path("gate");
    let made = std::process::Command::new("mkfifo").arg(&gate).status();
    assert!(made.expect("mkfifo").success());

    let settings = json!({ "username": "bob", "password": PASSWORD, "ssh_key": KEY });
    let dir = root.prepare(0, &settings);
    let handler = root
        .enable_command(&dir, 0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut gate = opened(&gate);
    let seen = processes();
    gate.write_all(b"go\n").expect("the gate opens");
    let output = handler.wait_with_output().expect("ends");
    let status = root.status(&dir, 0);

    assert_eq!(status.status, Verdict::Success, "{}", message(&status));
    let hash = field(&root, "bob");
    assert!(ShaCrypt::SHA512.verify_password(PASSWORD.as_bytes(), hash.as_str()).is_ok());

    let said = format!("{output:?} {status:?}");
    let programs = root.read("spy");
    for place in [&said, &programs, &seen] {
        assert!(!place.contains(PASSWORD) && !place.contains(&hash), "{place}");
        assert!(!place.contains(OLD_HASH), "{place}");
    }
    // Whoever looked saw the handler and its children.
    for expected in ["vmaccess\0enable", "visudo\0-c"] {
        assert!(seen.contains(expected), "{expected} not in {seen:?}");
    }
    assert!(programs.contains("sshd -T"), "{programs}");

    assert!(root.files_with(PASSWORD).is_empty(), "{:?}", root.files_with(PASSWORD));
    assert_eq!(root.files_with(&hash), [root.path("etc/shadow")]);
    // What is taken back has to be kept: by root, for root.
    let kept = root.files_with(OLD_HASH);
    assert!(kept.len() > 1, "{kept:?}");
    for path in kept {
        let file = fs::metadata(&path).expect("stat");
        assert_eq!((file.uid(), file.mode() & 0o077), (0, 0), "{}", path.display());
    }
}

#[test]
fn a_refused_request_repeats_no_secret() {
    let root = Root::new();
    for (sequence, settings) in [
        json!({ "username": "ann", "password": PASSWORD, "ssh_key": "x canarykey" }),
        json!({ "username": "root", "password": PASSWORD }),
        json!({ "username": "a/b", "password": PASSWORD }),
        json!({ "username": "ann", "password": format!("{PASSWORD}\n") }),
        json!({ "password": PASSWORD }),
        json!({ "username": "ann", "password": [PASSWORD] }),
        json!({ "username": "ann", "password": PASSWORD, "expiration": "tomorrow" }),
    ]
    .iter()
    .enumerate()
    {
        let (output, status) =
            root.vmaccess(u32::try_from(sequence).expect("small"), settings);
        assert_eq!(status.status, Verdict::Error);
        let all = format!("{output:?} {status:?}");
        assert!(!all.contains(PASSWORD) && !all.contains("canarykey"), "{all}");
        assert!(root.files_with(PASSWORD).is_empty(), "{:?}", root.files_with(PASSWORD));
    }
}

#[test]
fn the_hash_of_the_first_user_is_in_shadow_only() {
    let root = Root::new();
    let hash = "$6$newcanary$newcanaryhash";
    let document = json!({ "hostname": "web-1", "username": "azureuser",
        "password_hash": hash, "authorized_keys": [KEY] });
    root.write("var/lib/regain/provision.json", &document.to_string());
    let output = root.command(&["provision"]).output().expect("starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(field(&root, "azureuser"), hash);
    assert_eq!(root.files_with(hash), [root.path("etc/shadow")]);
    assert!(!format!("{output:?} {}", root.read("spy")).contains(hash));
}

/// The second field of a user's line in shadow.
fn field(root: &Root, user: &str) -> String {
    let shadow = root.read("etc/shadow");
    let line = shadow.lines().find_map(|line| line.strip_prefix(&format!("{user}:")));
    line.expect("a line").split(':').next().expect("a field").to_owned()
}

fn visudo_behind_a_gate() -> String {
    format!("#!/bin/sh\n{}read -r go </gate\nexit 0\n", crate::root::SPY)
}

/// The gate, once somebody waits behind it.
fn opened(gate: &PathBuf) -> fs::File {
    let patience = Instant::now() + Duration::from_secs(60);
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("small");
    loop {
        let open = OpenOptions::new().write(true).custom_flags(nonblocking).open(gate);
        if let Ok(file) = open {
            return file;
        }
        assert!(Instant::now() < patience, "visudo was never asked");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Command line and environment of every process.
fn processes() -> String {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let all: BTreeSet<Vec<u8>> = entries
        .flat_map(|entry| ["cmdline", "environ"].map(|what| entry.path().join(what)))
        .filter_map(|path| fs::read(path).ok())
        .collect();
    let all: Vec<u8> = all.into_iter().flatten().collect();
    String::from_utf8_lossy(&all).into_owned()
}
