//! What a user may do before and after VMAccess, by the word of the real programs:
//! sudo, visudo and sshd, with the guest's `/etc` in place of the host's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use guest::wire::Verdict;
use serde_json::{Value, json};

use crate::root::{KEY, Root, message};

const APT: &str = "ann ALL=(root) NOPASSWD: /usr/bin/apt\n";

/// A guest in which sudo and sshd can be asked, with these rules beside root's.
fn guest(rules: &str) -> Root {
    let root = Root::new();
    root.write("etc/pam.d/other", "account required pam_permit.so\n");
    root.write("etc/sudoers.d/rules", rules);
    for path in ["etc/sudoers", "etc/sudoers.d/rules"] {
        let mode = PermissionsExt::from_mode(0o440);
        fs::set_permissions(root.path(path), mode).expect("chmod");
    }
    root
}

/// What a program of the host says when the guest's `/etc` is the only one.
fn asked(root: &Root, argv: &[&str]) -> String {
    const SCRIPT: &str = "mount --bind \"$0\" /etc && mount -t tmpfs none /run && \
                          mkdir /run/sshd && exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", SCRIPT])
        .arg(root.path("etc"))
        .args(argv)
        .output()
        .expect("unshare");
    assert!(output.status.success(), "{argv:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The commands that a user may run, a line each; visudo accepts all of it.
fn rights(root: &Root, user: &str) -> Vec<String> {
    asked(root, &["visudo", "-c"]);
    let list = asked(root, &["sudo", "-l", "-U", user]);
    let rights = list.lines().filter(|line| line.starts_with("    "));
    rights.map(|line| line.trim().to_owned()).collect()
}

fn applied(root: &Root, sequence: u32, settings: &Value) {
    let (_, status) = root.vmaccess(sequence, settings);
    assert_eq!(status.status, Verdict::Success, "{}", message(&status));
}

#[test]
fn new_credentials_are_no_new_rights() {
    for rules in [
        APT,
        "Cmnd_Alias UPDATE = /usr/bin/apt\nann ALL=(root) NOPASSWD: UPDATE\n",
        "User_Alias OPS = ann, bob\nOPS ALL=(root) NOPASSWD: /usr/bin/apt\n",
        "ann ALL=(ALL:ALL) NOPASSWD: ALL\n",
        "ann ALL=(ALL:ALL) ALL\n",
        "%ann ALL=(ALL:ALL) ALL\n",
        "",
    ] {
        let root = guest(rules);
        let before = rights(&root, "ann");
        applied(&root, 0, &json!({ "username": "ann", "ssh_key": KEY }));
        assert_eq!(rights(&root, "ann"), before, "a key, {rules}");
        applied(&root, 1, &json!({ "username": "ann", "password": "Correct-Horse-7" }));
        assert_eq!(rights(&root, "ann"), before, "a password, {rules}");
    }
}

#[test]
fn a_new_user_may_do_everything() {
    let root = guest(APT);
    applied(&root, 0, &json!({ "username": "bob", "ssh_key": KEY }));
    assert_eq!(rights(&root, "bob"), ["(ALL : ALL) NOPASSWD: ALL"]);
    applied(&root, 1, &json!({ "username": "cat", "password": "Correct-Horse-7" }));
    assert_eq!(rights(&root, "cat"), ["(ALL : ALL) ALL"]);
    assert_eq!(rights(&root, "ann"), ["(root) NOPASSWD: /usr/bin/apt"]);
}

#[test]
fn a_rule_that_waits_for_its_user_is_not_widened() {
    let root = guest("bob ALL=(root) NOPASSWD: /usr/bin/apt\n");
    applied(&root, 0, &json!({ "username": "bob", "ssh_key": KEY }));
    assert_eq!(rights(&root, "bob"), ["(root) NOPASSWD: /usr/bin/apt"]);
}

#[test]
fn what_is_asked_for_in_so_many_words_is_given() {
    let root = guest(APT);
    let settings = json!({ "username": "ann", "ssh_key": KEY,
        "enable_passwordless_access": true });
    applied(&root, 0, &settings);
    let given = "(ALL : ALL) NOPASSWD: ALL".to_owned();
    assert!(rights(&root, "ann").contains(&given), "{:?}", rights(&root, "ann"));
}

#[test]
fn a_user_called_all_is_one_user() {
    let root = guest(APT);
    applied(&root, 0, &json!({ "username": "ALL", "ssh_key": KEY }));
    assert_eq!(rights(&root, "ann"), ["(root) NOPASSWD: /usr/bin/apt"]);
    assert_eq!(rights(&root, "ALL"), ["(ALL : ALL) NOPASSWD: ALL"]);
}

#[test]
fn files_that_were_not_in_force_stay_so() {
    let root = guest("ann ALL=(ALL:ALL) NOPASSWD: ALL\n");
    root.write("etc/sudoers", "root ALL=(ALL:ALL) ALL\n");
    assert_eq!(rights(&root, "ann"), Vec::<String>::new());
    applied(&root, 0, &json!({ "username": "bob", "ssh_key": KEY }));
    assert_eq!(rights(&root, "ann"), Vec::<String>::new());
    assert_eq!(rights(&root, "bob"), ["(ALL : ALL) NOPASSWD: ALL"]);
}

/// What sshd would do for a user, of these keywords.
fn settings_of(root: &Root, user: &str) -> Vec<String> {
    let connection = format!("user={user},host=client,addr=192.0.2.1");
    let all = asked(root, &["/usr/sbin/sshd", "-T", "-C", &connection]);
    let shown = ["passwordauthentication", "authenticationmethods", "maxauthtries"];
    let lines =
        all.lines().filter(|line| shown.iter().any(|word| line.starts_with(word)));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_password_of_one_user_leaves_what_match_user_says_of_another() {
    let rules = "Match User bob\n    PasswordAuthentication no\n    MaxAuthTries 2\n\
                 Match User cat\n    AuthenticationMethods publickey,password\n";
    let drop_in = "Include /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication no\n";
    for (main, directory) in [
        (format!("{drop_in}{rules}"), true),
        (format!("PasswordAuthentication no\n{rules}"), false),
    ] {
        let root = guest("");
        root.write("etc/ssh/sshd_config", &main);
        host_key(&root);
        if !directory {
            fs::remove_dir(root.path("etc/ssh/sshd_config.d")).expect("rmdir");
        }
        let others = ["bob", "cat", "dan", "root"];
        let before = others.map(|user| settings_of(&root, user));
        applied(&root, 0, &json!({ "username": "ann", "password": "Correct-Horse-7" }));
        assert_eq!(others.map(|user| settings_of(&root, user)), before, "{main}");
        let ann = settings_of(&root, "ann");
        assert!(ann.contains(&"passwordauthentication yes".to_owned()), "{ann:?}");
    }
}

/// A real one: sshd does not answer without.
fn host_key(root: &Root) {
    let key = root.path("etc/ssh/ssh_host_ed25519_key");
    fs::remove_file(&key).expect("remove");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.expect("ssh-keygen").success());
}
