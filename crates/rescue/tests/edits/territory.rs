//! Root's land: links there are followed inside the mounted root and never out of it,
//! and what others can change is left alone.

use std::fs;

use doctor::{Edit, Line};

use crate::tree::{ANN, Form, KEY, OTHER, Shell, Tree, WAYS};
use crate::verbs::{KEYS, ann, authorize};

fn comment_out(text: &str) -> Vec<Edit> {
    let line =
        Line { file: "/etc/ssh/sshd_config".to_owned(), line: 1, text: text.to_owned() };
    vec![Edit::CommentOut { lines: vec![line] }]
}

#[test]
fn absolute_links_and_dots_of_a_mounted_root_stay_inside_it() {
    for shell in [Shell::Dash, Shell::Bash, Shell::Busybox] {
        for to in ["/srv/ssh", "../../../../../../../srv/ssh"] {
            let outside = tempfile::tempdir().unwrap();
            let tree = Tree::new(shell, Form::Mounted);
            tree.directory("srv", 0, 0o755);
            fs::rename(tree.path("etc/ssh"), tree.path("srv/ssh")).unwrap();
            tree.link(to, "etc/ssh");
            // The same path on this machine, if it were followed there.
            let _ = outside;
            tree.age();
            let before = tree.snapshot();
            tree.run(1, &comment_out("include x")).succeeded();
            assert!(tree.read("srv/ssh/sshd_config").starts_with("# regain: Include"));
            tree.undo(1).succeeded();
            before.assert_same(&tree.snapshot(), to);
        }
    }
}

#[test]
fn accounts_of_a_mounted_root_are_its_own_whatever_it_links_to() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    tree.remove("etc/passwd");
    // On this machine there is such a file, and no ann in it.
    tree.link("/etc/passwd.real", "etc/passwd");
    tree.file(
        "etc/passwd.real",
        &format!("ann:x:{ANN}:{ANN}::/home/ann:/bin/sh\n"),
        0,
        0o644,
    );
    tree.run(1, &authorize()).succeeded();
    assert_eq!(tree.facts(KEYS).0, ANN);
}

#[test]
fn a_configuration_that_others_can_change_is_left_alone() {
    for (shell, form) in WAYS {
        for mode in [0o775, 0o1777] {
            let tree = Tree::new(shell, form);
            tree.mode("etc/ssh", mode);
            let before = tree.snapshot();
            let ran = tree.run(1, &comment_out("Include"));
            ran.says("/etc/ssh can be changed by others than root");
            before.assert_same(&tree.snapshot(), "nothing is changed");
        }
        let tree = Tree::new(shell, form);
        tree.owner("etc/ssh", ANN);
        assert!(!tree.run(1, &comment_out("Include")).ok);
    }
}

#[test]
fn records_are_not_written_where_others_could_change_them() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    tree.mode("var/lib", 0o777);
    let before = tree.snapshot();
    let ran = tree.run(1, &comment_out("Include"));
    assert!(!ran.ok);
    ran.says("/var/lib can be changed by others than root");
    before.assert_same(&tree.snapshot(), "nothing is changed");
}

#[test]
fn what_is_no_file_or_too_large_is_left_alone() {
    for (shell, form) in WAYS {
        let config = "etc/ssh/sshd_config";
        let tree = Tree::new(shell, form);
        fs::File::options()
            .write(true)
            .open(tree.path(config))
            .unwrap()
            .set_len(104_857_600)
            .unwrap();
        tree.run(1, &comment_out("Include")).says("is larger than 1048576 bytes");
        tree.remove(config);
        tree.directory(config, 0, 0o755);
        tree.run(1, &comment_out("Include")).says("is not a file");
    }
}

#[test]
fn any_name_is_a_name() {
    for shell in [Shell::Dash, Shell::Bash, Shell::Busybox] {
        for name in ["an n", "-a'n\"n", "a$(id)*\\n"] {
            let tree = Tree::new(shell, Form::Mounted);
            let home = format!("home/{name}");
            let passwd =
                tree.read("etc/passwd").replace(":/home/ann:", &format!(":/{home}:"));
            fs::write(tree.path("etc/passwd"), passwd).unwrap();
            fs::rename(tree.path("home/ann"), tree.path(&home)).unwrap();
            let file = format!("{home}/.ssh/authorized_keys");
            tree.age();
            let before = tree.snapshot();
            let paths = vec![format!("/{home}"), format!("/{file}")];
            let edits = [
                Edit::AuthorizeKey {
                    user: ann(),
                    file: format!("/{file}"),
                    key: KEY.to_owned(),
                },
                Edit::TakeWriteAccess { user: ann(), paths: paths.clone() },
                Edit::GiveBack { user: ann(), paths },
            ];
            tree.run(1, &edits).succeeded();
            assert_eq!(tree.read(&file), format!("{OTHER} laptop\n{KEY} regain\n"));
            tree.undo(1).succeeded();
            before.assert_same(&tree.snapshot(), name);
        }
    }
}

#[test]
fn a_file_beside_with_a_strange_name_disturbs_nothing() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    for name in ["a\nb", "-rf", "*", " "] {
        tree.file(&format!("home/ann/.ssh/{name}"), "x", ANN, 0o600);
    }
    let before = tree.snapshot();
    tree.run(1, &authorize()).succeeded();
    tree.undo(1).succeeded();
    before.assert_same(&tree.snapshot(), "undone");
}

#[test]
fn a_home_that_another_account_has_is_not_given_away() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    let passwd = tree.read("etc/passwd").replace(":/home/ann:", ":/home/bob:");
    fs::write(tree.path("etc/passwd"), passwd).unwrap();
    let edit = Edit::GiveBack { user: ann(), paths: vec!["/home/bob".to_owned()] };
    tree.run(1, &[edit]).says("is the home of its owner, another account");
    for home in ["/etc", "/usr/lib", "/var/lib", "/", "/home"] {
        let tree = Tree::new(Shell::Dash, Form::Mounted);
        let passwd = tree.read("etc/passwd").replace(":/home/ann:", &format!(":{home}:"));
        fs::write(tree.path("etc/passwd"), passwd).unwrap();
        let before = tree.snapshot();
        let edit = Edit::GiveBack { user: ann(), paths: vec![home.to_owned()] };
        assert!(!tree.run(1, &[edit]).ok, "{home}");
        before.assert_same(&tree.snapshot(), home);
    }
}

#[test]
fn no_home_is_made_among_the_systems_own_directories() {
    for home in ["/etc/evil", "/usr/evil", "/evil", "/var/evil"] {
        let tree = Tree::new(Shell::Dash, Form::Mounted);
        fs::remove_dir_all(tree.path("home/ann")).unwrap();
        tree.link(home, "home/ann");
        let before = tree.snapshot();
        let edit = Edit::MakeHome { user: ann(), home: "/home/ann".to_owned() };
        tree.run(1, &[edit]).says("is a directory of the system");
        before.assert_same(&tree.snapshot(), home);
    }
}
