//! What lies in a home is what its user put there. Whatever it is, a reset of the
//! user's credentials changes nothing outside, gives nothing away, and is taken back
//! without going outside.

use std::process::Command;

use guest::wire::Verdict;
use serde_json::json;

use crate::root::{KEY, Root, message};

/// A trick's name, and the lines that play it: `cd` is the guest's root, ann is 1000.
const TRICKS: &[(&str, &str)] = &[
    ("a link to shadow", "ln -s /etc/shadow home/ann/.ssh/authorized_keys"),
    ("a link to nothing", "ln -s /etc/ld.so.preload home/ann/.ssh/authorized_keys"),
    ("a hard link to passwd", "ln etc/passwd home/ann/.ssh/authorized_keys"),
    ("a hard link to shadow", "ln etc/shadow home/ann/.ssh/authorized_keys"),
    ("a pipe", "mkfifo home/ann/.ssh/authorized_keys"),
    ("a directory", "mkdir home/ann/.ssh/authorized_keys"),
    (
        "a file without an end",
        "truncate -s 4T home/ann/.ssh/authorized_keys; chown 1000 home/ann/.ssh/authorized_keys",
    ),
    (
        "another one's file",
        "echo >home/ann/.ssh/authorized_keys; chown 1001 home/ann/.ssh/authorized_keys",
    ),
    ("root's file with a secret", "echo secret >home/ann/.ssh/authorized_keys"),
    (
        "cron.d for .ssh",
        "rmdir home/ann/.ssh; mkdir etc/cron.d; ln -s /etc/cron.d home/ann/.ssh",
    ),
    ("a link to nothing for .ssh", "rmdir home/ann/.ssh; ln -s /etc/evil home/ann/.ssh"),
    ("a file for .ssh", "rmdir home/ann/.ssh; : >home/ann/.ssh"),
    ("etc under .ssh", "mount --bind etc home/ann/.ssh"),
    (
        "a file under a mount",
        ": >home/ann/.ssh/authorized_keys; mount --bind etc/shadow home/ann/.ssh/authorized_keys",
    ),
    ("a home that is a link to etc/ssh", "rm -r home/ann; ln -s /etc/ssh home/ann"),
    ("a home that is a link to nothing", "rm -r home/ann; ln -s /etc/evil home/ann"),
    ("a home that is a file", "rm -r home/ann; : >home/ann"),
    (
        "a home through the user's own link",
        "mkdir srv/u; chown 1000 srv/u; ln -s /etc srv/u/h; sed -i 's#/home/ann#/srv/u/h/ssh#' etc/passwd",
    ),
    (
        "a home to be made in everybody's directory",
        "mkdir -m 1777 srv/all; sed -i 's#/home/ann#/srv/all/ann#' etc/passwd",
    ),
    (
        "a link in everybody's directory for a home",
        "mkdir -m 1777 srv/all; ln -s /etc/evil srv/all/ann; sed -i 's#/home/ann#/srv/all/ann#' etc/passwd",
    ),
    (
        "another one's home in another one's directory",
        "mkdir -p srv/u/ann; chown -R 1001 srv/u; sed -i 's#/home/ann#/srv/u/ann#' etc/passwd",
    ),
    (
        "bob's home for another name",
        "rmdir home/ann/.ssh; echo 'bob:x:1001:1001::/home/ann/:/bin/sh' >>etc/passwd; chown 1001:1001 home/ann",
    ),
    (
        "another one's directory that is nobody's home",
        "mkdir -m 2775 srv/shared; chown 33:33 srv/shared; sed -i 's#/home/ann#/srv/shared#' etc/passwd",
    ),
    ("the root for a home", "sed -i 's#:/home/ann:#:/:#' etc/passwd"),
    ("etc for a home", "sed -i 's#:/home/ann:#:/etc:#' etc/passwd"),
];

/// A guest whose user has a `.ssh`, in a mount namespace's worth of lines.
fn played(lines: &str) -> Root {
    let root = Root::new();
    let script =
        format!("mkdir -m 700 home/ann/.ssh; chown 1000:1000 home/ann/.ssh; {lines}");
    let ran = Command::new("sh")
        .args(["-euc", &script])
        .current_dir(root.dir.path())
        .output()
        .expect("sh runs");
    assert!(ran.status.success(), "{ran:?}");
    root
}

fn unmount(root: &Root) {
    let mounts = std::fs::read_to_string("/proc/self/mounts").expect("mounts");
    let below = root.dir.path().to_string_lossy().into_owned();
    for line in mounts.lines().rev() {
        let place = line.split(' ').nth(1).unwrap_or_default();
        if place.starts_with(&below) {
            let _ = Command::new("umount").arg(place).status();
        }
    }
}

#[test]
fn a_hostile_home_changes_nothing_outside_and_is_refused() {
    let mut wrong = Vec::new();
    for (name, lines) in TRICKS {
        let root = played(lines);
        let before = root.picture();
        let settings = json!({"username": "ann", "ssh_key": KEY});
        let (_, status) = root.vmaccess(0, &settings);
        if status.status != Verdict::Error {
            wrong.push(format!("{name}: it went through: {}", message(&status)));
        }
        let after = root.picture();
        let changed = after.iter().filter(|one| !before.contains(one));
        for (path, facts, _) in changed {
            wrong.push(format!("{name}: {} is {facts:?} now", path.display()));
        }
        if before.len() != after.len() {
            wrong.push(format!("{name}: {} became {} files", before.len(), after.len()));
        }
        unmount(&root);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_a_user_puts_there_later_does_not_lead_an_undo_astray() {
    for (path, swap) in [
        ("a link", "rm -r home/ann/.ssh; ln -s /etc home/ann/.ssh"),
        ("another directory", "mv home/ann/.ssh home/ann/old; cp -a etc home/ann/.ssh"),
    ] {
        let root = played("chmod 755 home/ann/.ssh");
        let etc = || {
            let all = root.picture().into_iter();
            all.filter(|(path, ..)| path.starts_with(root.path("etc")))
                .collect::<Vec<_>>()
        };
        let fresh = etc();
        let settings = json!({"username": "ann", "ssh_key": KEY});
        let (_, status) = root.vmaccess(0, &settings);
        let text = message(&status);
        assert_eq!(status.status, Verdict::Success, "{text}");
        let id = text.rsplit("undo ").next().expect("has an id").trim_end_matches('.');
        let mut swapping = Command::new("sh");
        swapping.args(["-euc", swap]).current_dir(root.dir.path());
        assert!(swapping.status().expect("sh runs").success());
        let reset = etc();
        let _ = root.command(&["undo", id]).output().expect("starts");
        for one in etc() {
            assert!(fresh.contains(&one) || reset.contains(&one), "{path}: {:?}", one.0);
        }
    }
}

#[test]
fn a_user_who_goes_takes_nobody_elses_files_along() {
    let removed = |lines: &str| {
        let root = played(lines);
        let (_, status) = root.vmaccess(0, &json!({"remove_user": "ann"}));
        (root, status)
    };
    for (name, other) in [("twin", "/home/ann/"), ("dana", "/home/ann/dana")] {
        let (root, status) = removed(&format!(
            "echo '{name}:x:1000:1000::{other}:/bin/sh' >>etc/passwd; mkdir -p .{other}; echo x >.{other}/thesis"
        ));
        assert_eq!(status.status, Verdict::Success, "{}", message(&status));
        assert!(message(&status).contains("stays"), "{}", message(&status));
        assert_eq!(root.read(&format!("{other}/thesis")[1..]), "x\n");
    }
    let (root, status) = removed(
        "mkdir srv/data home/ann/data; echo x >srv/data/f; mount --bind srv/data home/ann/data",
    );
    assert_eq!(status.status, Verdict::Error, "{}", message(&status));
    assert!(message(&status).contains("mounted below it"), "{}", message(&status));
    assert!(root.exists("home/ann/data/f"));
    unmount(&root);
}

#[test]
fn what_an_undo_brought_back_has_one_name() {
    use std::os::unix::fs::MetadataExt;
    let root = played(
        "echo '# mine' >home/ann/.ssh/authorized_keys; chown 1000 home/ann/.ssh/authorized_keys",
    );
    let (_, status) = root.vmaccess(0, &json!({"username": "ann", "ssh_key": KEY}));
    let text = message(&status);
    let id = text.rsplit("undo ").next().expect("has an id").trim_end_matches('.');
    assert!(root.command(&["undo", id]).status().expect("starts").success());
    for file in ["home/ann/.ssh/authorized_keys", "etc/shadow", "etc/passwd"] {
        let links = root.path(file).metadata().expect(file).nlink();
        assert_eq!(links, 1, "{file}");
    }
}
