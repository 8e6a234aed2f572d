//! Accounts made, changed and removed under a root directory.

use super::*;
use crate::clock;
use crate::settings::UserName;
use crate::ssh_key;
use crate::undo::Journal;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xkAsQnAgUiQzKpnTuWS2LmEBKLUfSH7wdDbhVoLhX me";

/// A root with one user, `ann`, whose password is locked and too old.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("tempdir");
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().expect("parent")).expect("mkdir");
        std::fs::write(path, text).expect("write");
    };
    write(
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n\
         nobody:x:65534:65534::/none:/bin/false\n",
    );
    write("etc/shadow", "root:*:1::::::\nann:!$6$h:0:0:99999:7:::\nnobody:*:1::::::");
    write("etc/group", "root:x:0:\nsudo:x:27:ann\nann:x:1000:\n");
    write("etc/gshadow", "root:*::\nsudo:*::ann\nann:!::\n");
    write("etc/login.defs", "UID_MIN 1000\nHOME_MODE 0700\n");
    write("etc/skel/.profile", "# profile\n");
    write("etc/sudoers", "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n");
    write(
        "etc/sudoers.d/90-cloud-init-users",
        "# by cloud-init\nann ALL=(ALL) NOPASSWD:ALL\n",
    );
    std::fs::create_dir_all(root.path().join("home/ann")).expect("mkdir");
    rustix::fs::chown(
        root.path().join("home/ann"),
        Some(rustix::fs::Uid::from_raw(1000)),
        Some(rustix::fs::Gid::from_raw(1000)),
    )
    .expect("chown");
    root
}

fn name(text: &str) -> UserName {
    UserName::parse(text).expect("valid")
}

fn text(root: &tempfile::TempDir, path: &str) -> String {
    std::fs::read_to_string(root.path().join(path)).expect(path)
}

#[test]
fn a_new_user_is_whole() {
    let root = root();
    let mut journal = Journal::begin(root.path(), "test").expect("begin");
    let mut accounts = Accounts::open(root.path()).expect("open");
    let bob = accounts.create(root.path(), &name("bob")).expect("create");
    accounts.set_password(&bob, "$6$x");
    accounts.set_expiration(&bob, Date::from_days(30_000));
    accounts.save(&mut journal).expect("save");
    make_home(&mut journal, &bob, accounts.home_mode()).expect("home");
    assert!(text(&root, "etc/passwd").ends_with("bob:x:1001:1001::/home/bob:/bin/sh\n"));
    let today = clock::today().days();
    let shadow = format!("\nnobody:*:1::::::\nbob:$6$x:{today}:0:99999:7::30000:\n");
    assert!(
        text(&root, "etc/shadow").ends_with(&shadow),
        "{}",
        text(&root, "etc/shadow")
    );
    assert!(text(&root, "etc/group").ends_with("bob:x:1001:\n"));
    assert!(text(&root, "etc/gshadow").ends_with("bob:!::\n"));
    let home = std::fs::metadata(root.path().join("home/bob")).expect("home");
    assert_eq!((home.mode() & 0o7777, home.uid(), home.gid()), (0o700, 1001, 1001));
    let profile = std::fs::metadata(root.path().join("home/bob/.profile")).expect("skel");
    assert_eq!((profile.uid(), profile.gid()), (1001, 1001));
    drop(journal);
    assert!(!text(&root, "etc/passwd").contains("bob"), "rolled back");
    assert!(!root.path().join("home/bob").exists(), "rolled back");
}

#[test]
fn unlocking_keeps_the_password_and_the_expiry() {
    let root = root();
    let mut accounts = Accounts::open(root.path()).expect("open");
    let ann = accounts.find_person(&name("ann")).expect("read").expect("exists");
    accounts.unlock(&ann);
    assert_eq!(accounts.shadow.field("ann", 1).as_deref(), Some("$6$h"));
    let today = clock::today().days().to_string();
    assert_eq!(accounts.shadow.field("ann", 2), Some(today), "a forced change is over");
    assert_eq!(accounts.obstacle(&ann), None);
    accounts.set_expiration(&ann, Date::from_days(10));
    assert_eq!(accounts.obstacle(&ann), Some(Obstacle::Expired(Date::from_days(10))));
    accounts.shadow.set_field("ann", 1, "!!");
    accounts.unlock(&ann);
    assert_eq!(accounts.shadow.field("ann", 1).as_deref(), Some("*"));
}

#[test]
fn accounts_of_the_system_are_refused() {
    let root = root();
    let accounts = Accounts::open(root.path()).expect("open");
    for system in ["root", "nobody"] {
        let error = accounts.find_person(&name(system)).expect_err("system user");
        assert!(error.to_string().contains("(0x06)"), "{error}");
    }
}

#[test]
fn a_removed_user_leaves_nothing_in_the_files() {
    let root = root();
    let mut journal = Journal::begin(root.path(), "test").expect("begin");
    let mut accounts = Accounts::open(root.path()).expect("open");
    let ann = accounts.find(&name("ann")).expect("read").expect("exists");
    accounts.remove(&ann);
    accounts.save(&mut journal).expect("save");
    revoke_sudo(&mut journal, "ann").expect("sudo");
    for file in ["etc/passwd", "etc/shadow", "etc/group", "etc/gshadow"] {
        assert!(!text(&root, file).contains("ann"), "{file}: {}", text(&root, file));
    }
    assert!(!root.path().join("etc/sudoers.d/90-cloud-init-users").exists());
    assert_eq!(text(&root, "etc/group"), "root:x:0:\nsudo:x:27:\n");
}

#[test]
fn a_key_lands_in_the_home_of_passwd() {
    let root = root();
    let keys = ssh_key::parse(KEY).expect("valid");
    let home = root.path().join("home/ann");
    std::fs::set_permissions(&home, PermissionsExt::from_mode(0o777)).expect("chmod");
    let accounts = Accounts::open(root.path()).expect("open");
    let ann = accounts.find(&name("ann")).expect("read").expect("exists");
    let mut journal = Journal::begin(root.path(), "test").expect("begin");
    authorize(&mut journal, &ann, &accounts, &keys, false).expect("authorize");
    journal.commit().expect("commit");
    assert_eq!(text(&root, "home/ann/.ssh/authorized_keys"), format!("{KEY}\n"));
    let file = std::fs::metadata(home.join(".ssh/authorized_keys")).expect("file");
    assert_eq!((file.mode() & 0o7777, file.uid()), (0o600, 1000));
    assert_eq!(std::fs::metadata(&home).expect("home").mode() & 0o7777, 0o755);
}

#[test]
fn links_and_strangers_directories_are_not_written_through() {
    let root = root();
    let keys = ssh_key::parse(KEY).expect("valid");
    let accounts = Accounts::open(root.path()).expect("open");
    let ann = accounts.find(&name("ann")).expect("read").expect("exists");
    let ssh = root.path().join("home/ann/.ssh");
    let refused = || {
        let mut journal = Journal::begin(root.path(), "test").expect("begin");
        authorize(&mut journal, &ann, &accounts, &keys, false)
            .expect_err("refused")
            .to_string()
    };
    symlink("/etc", &ssh).expect("link");
    assert!(refused().contains("symlink"));
    assert!(!root.path().join("etc/authorized_keys").exists());
    std::fs::remove_file(&ssh).expect("unlink");
    std::fs::create_dir(&ssh).expect("mkdir");
    symlink("/etc/passwd", ssh.join("authorized_keys")).expect("link");
    assert!(refused().contains("symlink"));
    std::fs::remove_file(ssh.join("authorized_keys")).expect("unlink");
    let stranger = Some(rustix::fs::Uid::from_raw(1234));
    rustix::fs::chown(&ssh, stranger, None).expect("chown");
    assert!(refused().contains("not owned by ann or root"));
}

fn person(name: &str, uid: u32) -> Account {
    let home = format!("/home/{name}");
    Account { name: name.into(), uid, gid: uid, home, shell: "/bin/sh".into() }
}

#[test]
fn a_grant_of_sudo_is_one_file() {
    let root = root();
    let account = person("a.b", 1005);
    let mut journal = Journal::begin(root.path(), "test").expect("begin");
    grant_sudo(&mut journal, &account, false).expect("grant");
    let path = "etc/sudoers.d/90-regain-a%2eb";
    assert_eq!(text(&root, path), "a.b ALL=(ALL:ALL) ALL\n");
    let mode = std::fs::metadata(root.path().join(path)).expect("file").mode();
    assert_eq!(mode & 0o7777, 0o440);
    grant_sudo(&mut journal, &account, true).expect("grant");
    assert_eq!(text(&root, path), "a.b ALL=(ALL:ALL) NOPASSWD: ALL\n");
    revoke_sudo(&mut journal, "a.b").expect("revoke");
    assert!(!root.path().join(path).exists());
}

#[test]
fn a_grant_puts_no_file_in_force_but_its_own() {
    let root = root();
    std::fs::write(root.path().join("etc/sudoers"), "root ALL=(ALL:ALL) ALL\n")
        .expect("write");
    let mut journal = Journal::begin(root.path(), "test").expect("begin");
    grant_sudo(&mut journal, &person("bob", 1005), false).expect("grant");
    let whole = "root ALL=(ALL:ALL) ALL\n#include /etc/sudoers.d/90-regain-bob\n";
    assert_eq!(text(&root, "etc/sudoers"), whole);
    grant_sudo(&mut journal, &person("bob", 1005), true).expect("grant");
    assert_eq!(text(&root, "etc/sudoers"), whole, "said once");
}

#[test]
fn a_name_that_sudo_would_take_for_an_alias_is_given_as_a_number() {
    let root = root();
    let mut journal = Journal::begin(root.path(), "test").expect("begin");
    grant_sudo(&mut journal, &person("ALL", 1005), false).expect("grant");
    let written = text(&root, "etc/sudoers.d/90-regain-ALL");
    assert_eq!(written, "#1005 ALL=(ALL:ALL) ALL\n");
}

#[test]
fn a_rule_names_its_users_and_an_alias_its_members() {
    let root = root();
    let is_named = |rule: &str| {
        std::fs::write(root.path().join("etc/sudoers.d/rule"), rule).expect("write");
        is_in_sudoers(root.path(), &person("bob", 1005)).expect("read")
    };
    for rule in [
        "bob ALL = NOPASSWD: /usr/bin/apt\n",
        "ann, bob ALL=(ALL) ALL\n",
        "ann ,bob ALL=(ALL) ALL\n",
        "ann,bob\tALL=(ALL) ALL\n",
        "ann,\\\n  bob ALL=(ALL) ALL\n",
        "#1005 ALL=(ALL) ALL\n",
        "User_Alias ADMINS = ann, bob\n",
    ] {
        assert!(is_named(rule), "{rule}");
    }
    for rule in [
        "# bob ALL=(ALL) ALL\n",
        "bobby ALL=(ALL) ALL\n",
        "ann ALL=(bob) ALL\n",
        "ann bob=(ALL) ALL\n",
        "Host_Alias bob = 192.0.2.1\n",
        "Defaults:bob !lecture\n",
        "#10055 ALL=(ALL) ALL\n",
    ] {
        assert!(!is_named(rule), "{rule}");
    }
}
