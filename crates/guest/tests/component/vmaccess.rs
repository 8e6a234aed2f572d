//! The VMAccess handler as an agent runs it: settings file in, status file out, on a
//! guest in a temporary directory.

use crate::root::{KEY, Root, message};
use guest::wire::Verdict;
use serde_json::json;

#[test]
fn a_new_user_can_log_in_with_password_and_key() {
    let root = Root::new();
    let settings = json!({"username": "bob", "password": "correct horse", "ssh_key": KEY, "expiration": "2030-01-02"});
    let (output, status) = root.vmaccess(0, &settings);
    assert_eq!(status.status, Verdict::Success, "{}", message(&status));
    assert!(message(&status).starts_with("Enable succeeded."), "{}", message(&status));
    assert_eq!((status.operation.as_str(), &status.code), ("Enable", &json!("0")));
    assert!(output.status.success());
    assert!(root.read("etc/passwd").contains("bob:x:1001:1001::/home/bob:/bin/sh\n"));
    let shadow = root.read("etc/shadow");
    let bob =
        shadow.lines().find(|line| line.starts_with("bob:$6$")).expect("a password");
    assert!(bob.ends_with(":0:99999:7::21916:"), "{bob}");
    assert_eq!(root.read("home/bob/.ssh/authorized_keys"), format!("{KEY}\n"));
    assert_eq!(root.read("etc/sudoers.d/90-regain-bob"), "bob ALL=(ALL:ALL) ALL\n");
}

#[test]
fn a_bad_key_changes_nothing_at_all() {
    let root = Root::new();
    let before = root.picture();
    for (sequence, key) in
        ["ssh-ed25519 AAAA", "~/.ssh/id_rsa.pub", "nonsense"].iter().enumerate()
    {
        let settings = json!({"username": "bob", "password": "p", "ssh_key": key});
        let sequence = u32::try_from(sequence).expect("small");
        let (output, status) = root.vmaccess(sequence, &settings);
        assert_eq!(status.status, Verdict::Error);
        assert!(
            message(&status).contains("public key cannot be used"),
            "{}",
            message(&status)
        );
        assert_eq!(output.status.code(), Some(1));
    }
    assert_eq!(root.picture(), before);
}

#[test]
fn a_failure_halfway_leaves_nothing_behind() {
    let root = Root::new();
    std::os::unix::fs::symlink("/etc", root.path("home/ann/.ssh")).expect("link");
    let before = root.picture();
    let settings = json!({"username": "ann", "password": "p", "ssh_key": KEY});
    let (_, status) = root.vmaccess(0, &settings);
    assert_eq!(status.status, Verdict::Error);
    assert!(message(&status).contains("symlink"), "{}", message(&status));
    assert_eq!(root.picture(), before);
}

#[test]
fn a_password_opens_password_login_for_that_user_only() {
    let root = Root::new();
    root.write("etc/ssh/sshd_config.d/50-cloud-init.conf", "PasswordAuthentication no\n");
    let (_, status) = root.vmaccess(0, &json!({"username": "ann", "password": "p"}));
    assert_eq!(status.status, Verdict::Success, "{}", message(&status));
    let drop_in = root.read("etc/ssh/sshd_config.d/00-regain-ann.conf");
    assert!(
        drop_in.ends_with("Match User ann\n    PasswordAuthentication yes\n"),
        "{drop_in}"
    );
    let (_, status) = root.vmaccess(1, &json!({"username": "ann", "ssh_key": KEY}));
    assert_eq!(status.status, Verdict::Success, "{}", message(&status));
    assert!(root.read("etc/shadow").contains("\nann:$6$"), "the password stays");
}

#[test]
fn a_reset_can_be_taken_back_byte_for_byte() {
    let root = Root::new();
    root.write("etc/ssh/sshd_config.d/10-port.conf", "Port 2222\n");
    root.write("etc/ssh/sshd_config.d/20-motd.conf", "PrintMotd no\n");
    root.write("etc/ssh/sshd_config.d/30-bad.conf", "Broken yes\n");
    root.write("etc/hosts.deny", "ALL: ALL\n");
    root.write("etc/ssh/ssh_host_ecdsa_key", "");
    std::os::unix::fs::symlink("/dev/null", root.path("etc/systemd/system/ssh.service"))
        .or_else(|_| {
            std::fs::create_dir_all(root.path("etc/systemd/system"))?;
            std::os::unix::fs::symlink(
                "/dev/null",
                root.path("etc/systemd/system/ssh.service"),
            )
        })
        .expect("mask");
    let before = root.picture();
    let (_, status) = root.vmaccess(0, &json!({"reset_ssh": "true"}));
    let text = message(&status);
    assert_eq!(status.status, Verdict::Success, "{text}");
    assert_eq!(
        root.read("etc/ssh/sshd_config"),
        "Include /etc/ssh/sshd_config.d/*.conf\n"
    );
    assert!(!root.exists("etc/ssh/sshd_config.d/10-port.conf"));
    assert!(root.exists("etc/ssh/sshd_config.d/20-motd.conf"));
    assert!(!root.exists("etc/ssh/sshd_config.d/30-bad.conf"));
    assert_eq!(root.read("etc/ssh/ssh_host_ecdsa_key"), "new ecdsa\n");
    assert_eq!(root.read("etc/ssh/ssh_host_ed25519_key"), "old\n");
    assert_eq!(root.read("etc/hosts.allow"), "sshd: ALL\n");
    assert!(!root.exists("etc/systemd/system/ssh.service"), "unmasked");
    assert!(root.exists("etc/systemd/system/multi-user.target.wants/ssh.service"));

    let id = text.rsplit("undo ").next().expect("has an id").trim_end_matches('.');
    let undo = root.command(&["undo", id]).output().expect("starts");
    assert!(undo.status.success(), "{undo:?}");
    assert_eq!(root.picture(), before);
}

#[test]
fn what_sshd_refuses_is_not_left_behind() {
    let root = Root::new();
    root.write("usr/share/openssh/sshd_config", "Broken yes\n");
    let before = root.picture();
    let (_, status) = root.vmaccess(0, &json!({"reset_ssh": true}));
    assert_eq!(status.status, Verdict::Error);
    assert!(
        message(&status).contains("Bad configuration option"),
        "{}",
        message(&status)
    );
    assert_eq!(root.picture(), before);
}

#[test]
fn a_reset_mends_keys_and_the_privilege_separation_user() {
    let root = Root::new();
    root.write("etc/ssh/ssh_host_ed25519_key", "");
    let passwd = root.read("etc/passwd");
    root.write("etc/passwd", &passwd.replace("sshd:", "gone:"));
    let (_, status) = root.vmaccess(0, &json!({"reset_ssh": true}));
    assert_eq!(status.status, Verdict::Success, "{}", message(&status));
    assert_eq!(root.read("etc/ssh/ssh_host_ed25519_key"), "new ed25519\n");
    assert!(root.read("etc/passwd").contains("\nsshd:x:"), "{}", root.read("etc/passwd"));
}

#[test]
fn the_configuration_before_a_reset_can_be_restored() {
    let root = Root::new();
    root.write("etc/ssh/sshd_config.d/10-port.conf", "Port 2222\n");
    let (_, status) = root.vmaccess(0, &json!({"restore_backup_ssh": true}));
    assert!(message(&status).contains("no backup"), "{}", message(&status));
    root.vmaccess(1, &json!({"reset_ssh": true}));
    assert_ne!(root.read("etc/ssh/sshd_config"), "Port 2222\n");
    let (_, status) = root.vmaccess(2, &json!({"restore_backup_ssh": "True"}));
    assert_eq!(status.status, Verdict::Success, "{}", message(&status));
    assert_eq!(root.read("etc/ssh/sshd_config"), "Port 2222\n");
    assert_eq!(root.read("etc/ssh/sshd_config.d/10-port.conf"), "Port 2222\n");
}

#[test]
fn a_removed_user_is_gone_and_can_be_brought_back() {
    let root = Root::new();
    let (_, status) = root.vmaccess(0, &json!({"username": "bob", "ssh_key": KEY}));
    assert_eq!(status.status, Verdict::Success, "{}", message(&status));
    let before = root.picture();
    let (_, status) = root.vmaccess(1, &json!({"remove_user": "bob"}));
    let text = message(&status);
    assert_eq!(status.status, Verdict::Success, "{text}");
    for file in ["etc/passwd", "etc/shadow", "etc/group"] {
        assert!(!root.read(file).contains("bob"), "{file}");
    }
    assert!(!root.exists("home/bob"));
    assert!(!root.exists("etc/sudoers.d/90-regain-bob"));
    let id = text.rsplit("undo ").next().expect("has an id").trim_end_matches('.');
    assert!(root.command(&["undo", id]).status().expect("starts").success());
    assert_eq!(root.picture(), before);
    let (_, status) = root.vmaccess(2, &json!({"remove_user": "nobody-here"}));
    assert_eq!(status.status, Verdict::Success);
    let (_, status) = root.vmaccess(3, &json!({"remove_user": "root"}));
    assert_eq!(status.status, Verdict::Error);
}

#[test]
fn the_same_settings_are_not_applied_twice() {
    let root = Root::new();
    root.vmaccess(5, &json!({"username": "ann", "ssh_key": KEY}));
    root.write("home/ann/.ssh/authorized_keys", "");
    let (output, status) = root.enable(&root.handler(), 5);
    assert_eq!((output.status.code(), status.status), (Some(0), Verdict::Success));
    assert_eq!(root.read("home/ann/.ssh/authorized_keys"), "");
    // The same number with other settings: a VM that was made from a captured image.
    let (_, status) = root.vmaccess(5, &json!({"username": "ann", "ssh_key": KEY}));
    assert_eq!(status.status, Verdict::Success);
    assert_eq!(root.read("home/ann/.ssh/authorized_keys"), format!("{KEY}\n"));
}

#[test]
fn a_failed_sequence_stays_failed() {
    let root = Root::new();
    let (_, status) = root.vmaccess(3, &json!({"username": "root", "password": "p"}));
    assert_eq!(status.status, Verdict::Error);
    let dir = root.handler();
    std::fs::remove_file(dir.join("status/3.status")).expect("remove");
    let (output, status) = root.enable(&dir, 3);
    assert_eq!((output.status.code(), status.status), (Some(1), Verdict::Error));
    assert!(message(&status).contains("(0x06)"), "{}", message(&status));
}

#[test]
fn settings_for_another_vm_are_an_error_with_code_1() {
    let mut root = Root::new();
    root.tenant = guest::envelope::Identity::generate("another").expect("key");
    let (_, status) = root.vmaccess(0, &json!({"reset_ssh": true}));
    assert_eq!((status.status, &status.code), (Verdict::Error, &json!("1")));
    assert!(message(&status).contains("is not on this VM"), "{}", message(&status));
}
