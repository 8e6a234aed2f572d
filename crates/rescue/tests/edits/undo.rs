//! The undo: exact, and blind to nothing that happened since.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Command;

use doctor::{Edit, Line};

use crate::tree::{ANN, Form, KEY, OTHER, SECRET, Shell, Tree, WAYS};
use crate::verbs::{KEYS, ann, authorize, give_back};

const CONFIG: &str = "etc/ssh/sshd_config";

fn comment_out(file: &str, line: u32, text: &str) -> Edit {
    Edit::CommentOut {
        lines: vec![Line { file: file.to_owned(), line, text: text.to_owned() }],
    }
}

#[test]
fn what_was_changed_since_stays_and_the_rest_comes_back() {
    for (shell, form) in WAYS {
        let tree = Tree::new(shell, form);
        let before = tree.read("etc/shadow");
        let edits = [
            vec![comment_out("/etc/ssh/sshd_config", 2, "Port")],
            authorize(),
            vec![Edit::ClearExpiry { user: "ann".to_owned() }],
        ];
        tree.run(1, &edits.concat()).succeeded();
        for name in [CONFIG, KEYS] {
            let theirs = format!("{}# theirs\n", tree.read(name));
            fs::write(tree.path(name), theirs).unwrap();
        }
        let undone = tree.undo(1);
        assert_eq!(undone.code, Some(3), "{undone:?}");
        undone.says("remains /etc/ssh/sshd_config: it was changed since the repair\n");
        undone.says(
            "remains /home/ann/.ssh/authorized_keys: it was changed since the repair\n",
        );
        undone.says("restored /etc/shadow\n");
        assert!(tree.read(CONFIG).ends_with("# theirs\n"));
        assert_eq!(tree.read("etc/shadow"), before);
        // What came back the first time is not touched again.
        fs::write(tree.path("etc/shadow"), "new\n").unwrap();
        assert_eq!(tree.undo(1).code, Some(3));
        assert_eq!(tree.read("etc/shadow"), "new\n");
    }
}

#[test]
fn a_link_planted_since_is_not_followed() {
    for (shell, form) in WAYS {
        let tree = Tree::new(shell, form);
        tree.owner(KEYS, 0);
        tree.run(1, &give_back(&[KEYS])).succeeded();
        tree.remove("home/ann/.ssh");
        tree.directory("etc/vault", 0, 0o755);
        tree.file("etc/vault/authorized_keys", &format!("{OTHER} laptop"), 0, 0o600);
        tree.link("/etc/vault", "home/ann/.ssh");
        let vault = tree.snapshot();
        assert_eq!(tree.undo(1).code, Some(3));
        vault.assert_same(&tree.snapshot(), "nothing is changed");

        let tree = Tree::new(shell, form);
        tree.run(1, &authorize()).succeeded();
        tree.remove(KEYS);
        tree.link("/etc/sudoers", KEYS);
        let planted = tree.snapshot();
        assert_eq!(tree.undo(1).code, Some(3));
        planted.assert_same(&tree.snapshot(), "nothing is changed");
    }
}

#[test]
fn a_directory_that_root_no_longer_has_alone_is_not_restored_into() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    tree.run(1, &[comment_out("/etc/ssh/sshd_config", 2, "Port")]).succeeded();
    tree.mode("etc/ssh", 0o777);
    tree.undo(1).says(
        "remains /etc/ssh/sshd_config: others than root can change its directory now",
    );
    tree.mode("etc/ssh", 0o755);
    tree.undo(1).succeeded();
    assert!(tree.read(CONFIG).contains("\nPort 2222\n"));
}

#[test]
fn a_step_that_fails_in_the_end_leaves_nothing_changed() {
    for (shell, form) in WAYS {
        let tree = Tree::new(shell, form);
        tree.age();
        let before = tree.snapshot();
        let mut edits = authorize();
        edits.push(comment_out("/etc/ssh/sshd_config", 2, "Port"));
        edits.push(comment_out("/etc/ssh/sshd_config", 3, "Port"));
        let ran = tree.run(1, &edits);
        assert_eq!(ran.code, Some(1));
        ran.says(
            "say line 3 of /etc/ssh/sshd_config is not what it was: nothing is changed",
        );
        ran.says("rollback\n").says("restored /home/ann/.ssh/authorized_keys\n");
        before.assert_same(&tree.snapshot(), "rolled back");
    }
}

#[test]
fn two_steps_are_undone_apart_and_two_edits_of_a_file_in_turn() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    tree.age();
    let port = || comment_out("/etc/ssh/sshd_config", 2, "Port");
    let deny = || comment_out("/etc/ssh/sshd_config", 4, "DenyUsers");
    tree.run(1, &[port()]).succeeded();
    let first = tree.snapshot();
    tree.run(2, &[deny(), comment_out("/etc/ssh/sshd_config", 5, "DenyUsers")])
        .succeeded();
    tree.undo(2).succeeded();
    first.assert_same(&tree.snapshot(), "the first step stays");
    tree.undo(1).succeeded();
}

#[test]
fn acls_attributes_and_the_very_file_come_back() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    let set = |program: &str, args: &[&str], name: &str| {
        assert!(
            Command::new(program)
                .args(args)
                .arg(tree.path(name))
                .status()
                .unwrap()
                .success()
        );
    };
    for name in [CONFIG, KEYS] {
        set("setfacl", &["-m", "u:41002:r"], name);
        set("setfattr", &["-n", "user.note", "-v", "mine"], name);
    }
    let facts = |name: &str| {
        let path = tree.path(name);
        let acl =
            Command::new("getfacl").args(["-cpn"]).arg(&path).output().unwrap().stdout;
        let note = Command::new("getfattr")
            .args(["-d", "--absolute-names"])
            .arg(&path)
            .output()
            .unwrap()
            .stdout;
        String::from_utf8([acl, note].concat()).unwrap()
    };
    let before = [facts(CONFIG), facts(KEYS)];
    assert!(
        before[0].contains("user:41002:r") && before[0].contains("mine"),
        "{before:?}"
    );
    let inode = fs::metadata(tree.path(CONFIG)).unwrap().ino();
    let mut edits = authorize();
    edits.push(comment_out("/etc/ssh/sshd_config", 2, "Port"));
    tree.run(1, &edits).succeeded();
    assert_eq!([facts(CONFIG), facts(KEYS)], before, "they stay");
    tree.undo(1).succeeded();
    assert_eq!([facts(CONFIG), facts(KEYS)], before, "they come back");
    assert_eq!(fs::metadata(tree.path(CONFIG)).unwrap().ino(), inode);
}

#[test]
fn the_keys_of_another_owner_come_back_with_owner_and_attributes() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    tree.file(KEYS, &format!("{KEY}\n"), 0, 0o640);
    let note = || {
        let get = Command::new("getfattr")
            .args(["-d", "--absolute-names"])
            .arg(tree.path(KEYS))
            .output();
        String::from_utf8(get.unwrap().stdout).unwrap()
    };
    let set = Command::new("setfattr")
        .args(["-n", "user.note", "-v", "mine"])
        .arg(tree.path(KEYS))
        .status();
    assert!(set.unwrap().success());
    tree.run(1, &give_back(&[KEYS])).succeeded();
    assert_eq!(tree.facts(KEYS), (ANN, 0o640));
    tree.undo(1).succeeded();
    assert_eq!(tree.facts(KEYS), (0, 0o640));
    assert!(note().contains("mine"));
}

#[test]
fn records_are_root_s_alone() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    tree.run(1, &[Edit::ClearExpiry { user: "ann".to_owned() }]).succeeded();
    assert_eq!(tree.facts("var/lib/regain"), (0, 0o700));
    let kept = tree.read("var/lib/regain/undo/repair/1/101/old");
    assert!(kept.contains(SECRET));
}

/// GNU's chmod leaves the bits for others' rights on a directory if it is given three
/// digits.
#[test]
fn a_directory_with_a_set_group_comes_back_as_it_was() {
    for shell in [Shell::Dash, Shell::Busybox] {
        for mode in [0o2775, 0o2777, 0o3770] {
            let tree = Tree::new(shell, Form::Mounted);
            tree.mode("home/ann", mode);
            tree.age();
            let before = tree.snapshot();
            let edit = Edit::TakeWriteAccess {
                user: ann(),
                paths: vec!["/home/ann".to_owned()],
            };
            let ran = tree.run(1, &[edit]);
            if mode & 0o1000 == 0 {
                ran.succeeded();
                assert_eq!(tree.facts("home/ann").1 & 0o022, 0, "{mode:o}");
            }
            tree.undo(1);
            before.assert_same(&tree.snapshot(), &format!("{mode:o}"));
        }
    }
}

#[test]
fn a_time_before_1970_is_a_time() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    tree.mode(KEYS, 0o666);
    let file = fs::File::options().write(true).open(tree.path(KEYS)).unwrap();
    let long_ago = std::time::UNIX_EPOCH - std::time::Duration::from_secs(315_619_200);
    file.set_modified(long_ago).unwrap();
    let edit = Edit::TakeWriteAccess { user: ann(), paths: vec![format!("/{KEYS}")] };
    tree.run(1, &[edit]).succeeded();
    assert_eq!(tree.facts(KEYS).1, 0o644);
}
