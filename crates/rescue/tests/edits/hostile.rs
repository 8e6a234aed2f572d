//! Tricks of a user who may write the own home, against every verb that works there.
//!
//! Whether the verb refuses or works, nothing that is not the user's may change, the
//! user may not come to read what only root may, and the undo is exact.

use std::fs;
use std::process::Command;

use doctor::Edit;

use crate::tree::{ANN, BOB, Form, KEY, OTHER, SECRET, Shell, Tree};
use crate::verbs::{KEYS, ann, authorize, give_back};

struct Trick {
    name: &'static str,
    plant: fn(&mut Tree),
}

const SSH: &str = "home/ann/.ssh";

const TRICKS: &[Trick] = &[
    Trick {
        name: "keys are a link to /etc/shadow",
        plant: |tree| instead_of_keys(tree, "/etc/shadow"),
    },
    Trick {
        name: "keys are a link to a file that root alone would make",
        plant: |tree| instead_of_keys(tree, "/etc/ld.so.preload"),
    },
    Trick {
        name: "keys are a link to /etc/sudoers by way of another link and `..`",
        plant: |tree| {
            tree.link("../../../../../etc", "home/ann/way");
            instead_of_keys(tree, "../way/sudoers");
        },
    },
    Trick {
        name: "keys are a link to another user's keys",
        plant: |tree| {
            tree.directory("home/bob/.ssh", BOB, 0o755);
            tree.file("home/bob/.ssh/authorized_keys", &format!("{OTHER}\n"), BOB, 0o644);
            instead_of_keys(tree, "/home/bob/.ssh/authorized_keys");
        },
    },
    Trick {
        name: ".ssh is a link to /etc/cron.d",
        plant: |tree| {
            tree.remove(SSH);
            tree.link("/etc/cron.d", SSH);
        },
    },
    Trick {
        name: ".ssh is a link to a directory of root's with such a file in it",
        plant: |tree| {
            tree.directory("etc/vault", 0, 0o755);
            tree.file("etc/vault/authorized_keys", &format!("{OTHER}\n"), 0, 0o600);
            tree.remove(SSH);
            tree.link("/etc/vault", SSH);
        },
    },
    Trick {
        name: "home is a link to /etc",
        plant: |tree| {
            tree.remove("home/ann");
            tree.link("/etc", "home/ann");
        },
    },
    Trick {
        name: "keys are a hard link to a file of root's",
        plant: |tree| {
            tree.remove(KEYS);
            fs::hard_link(tree.path("etc/shadow"), tree.path(KEYS)).unwrap();
        },
    },
    Trick {
        name: "keys are a hard link to a file of keys that is root's",
        plant: |tree| {
            tree.file("root/keys", &format!("{OTHER}\n"), 0, 0o600);
            tree.remove(KEYS);
            fs::hard_link(tree.path("root/keys"), tree.path(KEYS)).unwrap();
        },
    },
    Trick {
        name: "keys are a secret of root's that was moved there",
        plant: |tree| tree.file(KEYS, &format!("# key\n{SECRET}\n"), 0, 0o600),
    },
    Trick {
        name: "keys are a secret behind a key and a NUL",
        plant: |tree| tree.file(KEYS, &format!("{OTHER}\0{SECRET}\n"), 0, 0o600),
    },
    Trick { name: "keys are a FIFO", plant: |tree| special(tree, &["-m", "600"], "p") },
    Trick {
        name: "keys are a device",
        plant: |tree| special(tree, &["-m", "660"], "c 1 1"),
    },
    Trick {
        name: "keys are a directory with a link in it",
        plant: |tree| {
            tree.remove(KEYS);
            tree.directory(KEYS, ANN, 0o777);
            tree.link("/etc/shadow", &format!("{KEYS}/shadow"));
        },
    },
    Trick {
        name: "keys are a hundred megabytes",
        plant: |tree| {
            fs::File::options()
                .write(true)
                .open(tree.path(KEYS))
                .unwrap()
                .set_len(104_857_600)
                .unwrap();
        },
    },
    Trick {
        name: "/etc/shadow is mounted over the keys",
        plant: |tree| {
            tree.mounts = format!("mount --bind \"$tree/etc/shadow\" \"$tree/{KEYS}\"");
        },
    },
    Trick {
        name: "/etc is mounted over .ssh",
        plant: |tree| {
            tree.file("etc/authorized_keys", &format!("{OTHER}\n"), 0, 0o600);
            tree.mounts = format!("mount --bind \"$tree/etc\" \"$tree/{SSH}\"");
        },
    },
    Trick {
        name: "a directory of root's was renamed to .ssh",
        plant: |tree| {
            tree.owner(SSH, 0);
            tree.directory("home/ann/.ssh/vault", 0, 0o755);
            tree.file("home/ann/.ssh/vault/secret", SECRET, 0, 0o644);
        },
    },
    Trick {
        name: "a loop of links",
        plant: |tree| instead_of_keys(tree, "authorized_keys"),
    },
    Trick {
        name: "the home is everybody's, and its .ssh another user's",
        plant: |tree| {
            tree.mode("home/ann", 0o777);
            tree.owner(SSH, BOB);
            tree.owner(KEYS, BOB);
        },
    },
    Trick {
        name: "/home is everybody's",
        plant: |tree| {
            tree.mode("home", 0o777);
            tree.remove("home/ann");
            tree.link("/root", "home/ann");
        },
    },
];

fn instead_of_keys(tree: &Tree, to: &str) {
    tree.remove(KEYS);
    tree.link(to, KEYS);
}

fn special(tree: &Tree, options: &[&str], kind: &str) {
    tree.remove(KEYS);
    let made = Command::new("mknod")
        .args(options)
        .arg(tree.path(KEYS))
        .args(kind.split(' '))
        .status();
    assert!(made.unwrap().success());
    tree.owner(KEYS, ANN);
}

type Verb = (&'static str, fn() -> Vec<Edit>);

const VERBS: &[Verb] = &[
    ("authorize-key", authorize),
    ("amend-key-line", || {
        vec![Edit::AmendKeyLine {
            user: ann(),
            file: format!("/{KEYS}"),
            line: 1,
            key: OTHER.to_owned(),
            drop: vec![],
            add: vec!["no-pty".to_owned()],
        }]
    }),
    ("take-write-access", || {
        let paths =
            [KEYS, SSH, "home/ann"].iter().map(|path| format!("/{path}")).collect();
        vec![Edit::TakeWriteAccess { user: ann(), paths }]
    }),
    ("give-back of all", || give_back(&[KEYS, SSH, "home/ann"])),
    ("give-back of the file", || give_back(&[KEYS])),
    ("give-back of .ssh", || give_back(&[SSH])),
    ("take-write-access from the file", || {
        vec![Edit::TakeWriteAccess { user: ann(), paths: vec![format!("/{KEYS}")] }]
    }),
    ("give-back of /etc/shadow itself", || give_back(&["etc/shadow", "etc"])),
    ("make-home", || {
        vec![Edit::MakeHome { user: ann(), home: "/home/ann/.ssh/home".to_owned() }]
    }),
];

fn prove_all(shell: Shell, form: Form, verbs: &[Verb]) {
    for trick in TRICKS {
        for (verb, edits) in verbs {
            prove(trick, verb, &edits(), shell, form);
        }
    }
}

fn prove(trick: &Trick, verb: &str, edits: &[Edit], shell: Shell, form: Form) {
    let context = format!("{verb}, {} ({shell:?}, {form:?})", trick.name);
    let mut tree = Tree::new(shell, form);
    tree.age();
    (trick.plant)(&mut tree);
    let before = tree.snapshot();
    let outside = before.clone().without("home/ann");

    let ran = tree.run(1, edits);
    outside.assert_same(&tree.snapshot().without("home/ann"), &context);
    assert!(!ran.out.contains(SECRET) && !ran.err.contains(SECRET), "{context}: {ran:?}");
    for (name, what) in &tree.snapshot().without("etc").without("root").0 {
        let (uid, mode) = tree.facts(name);
        let was = before.0.get(name);
        let readable = uid == ANN || mode & 0o004 != 0;
        assert!(
            was == Some(what) || !(what.contains(SECRET) && readable),
            "{context}: {name} can be read"
        );
        assert!(was == Some(what) || mode & 0o6000 == 0, "{context}: {name} is {mode:o}");
    }
    if ran.ok {
        let undone = tree.undo(1);
        assert!(undone.ok, "{context}: {}{}", undone.out, undone.err);
    } else {
        assert!(!ran.out.contains("remains"), "{context}: {}", ran.out);
    }
    before.assert_same(
        &tree.snapshot(),
        &format!("{context}, brought back after {}{}", ran.out, ran.err),
    );
}

#[test]
fn no_trick_turns_the_keys_verbs() {
    prove_all(Shell::Dash, Form::Mounted, &VERBS[..3]);
}

#[test]
fn no_trick_turns_giving_back() {
    prove_all(Shell::Dash, Form::Mounted, &VERBS[3..6]);
}

#[test]
fn no_trick_turns_the_rest() {
    prove_all(Shell::Dash, Form::Mounted, &VERBS[6..]);
}

#[test]
fn no_trick_turns_bash_live() {
    prove_all(Shell::Bash, Form::Live, &VERBS[..1]);
}

#[test]
fn no_trick_turns_busybox_on_a_mounted_root() {
    prove_all(Shell::Busybox, Form::Mounted, &VERBS[3..4]);
}

#[test]
fn a_link_of_the_user_s_own_is_followed_with_the_user_s_rights() {
    for (shell, form) in crate::tree::WAYS {
        let tree = Tree::new(shell, form);
        tree.directory("home/ann/dotfiles", ANN, 0o755);
        tree.file("home/ann/dotfiles/keys", &format!("{OTHER}\n"), ANN, 0o600);
        instead_of_keys(&tree, "/home/ann/dotfiles/keys");
        tree.age();
        let before = tree.snapshot();
        tree.run(1, &authorize()).succeeded();
        assert!(tree.path(KEYS).is_symlink());
        assert_eq!(
            tree.read("home/ann/dotfiles/keys"),
            format!("{OTHER}\n{KEY} regain\n")
        );
        tree.undo(1).succeeded();
        before.assert_same(&tree.snapshot(), &format!("{shell:?} {form:?}"));
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    tree.owner(SSH, 0);
    tree.run(1, &authorize())
        .says("/home/ann/.ssh cannot be entered: give it back first");
    tree.remove(SSH);
    tree.owner("home/ann", 0);
    tree.run(1, &authorize()).says("root owns it, so make /home/ann/.ssh by hand");
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    tree.file(KEYS, &format!("# key\n{SECRET}\n"), 0, 0o600);
    tree.run(1, &give_back(&[KEYS])).says("it holds something else than keys");
    tree.run(1, &authorize())
        .says("ann cannot read /home/ann/.ssh/authorized_keys; give it back first");
}
