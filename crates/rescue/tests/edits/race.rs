//! A process of the user that swaps files, links and directories all the time.

use std::process::{Child, Command, Stdio};

use crate::tree::{ANN, Form, KEY, SECRET, Shell, Tree};
use crate::verbs::{KEYS, authorize, give_back};

/// Swaps what is at a place in the user's home until it is dropped.
struct Swapper(Child);

impl Swapper {
    fn start(tree: &Tree, place: &str, with: &str) -> Self {
        let script = format!(
            "cd \"$1\" || exit 1\nn=0\nwhile [ $n -lt 200000 ]; do n=$((n + 1))\n\
             mv -T {place} mine; ln -s {with} {place}; rm -f {place}; mv -T mine {place}\n\
             done 2>/dev/null"
        );
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid",
            &ANN.to_string(),
            "--regid",
            &ANN.to_string(),
            "--clear-groups",
        ]);
        command
            .args(["timeout", "100", "dash", "-c", &script, "sh"])
            .arg(tree.path("home/ann"));
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Swapper {
    fn drop(&mut self) {
        // Its `timeout` takes the loop along.
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

fn race(shell: Shell, place: &str, with: &str, tries: u32) {
    let tree = Tree::new(shell, Form::Mounted);
    tree.directory("etc/vault", 0, 0o700);
    let keys = format!("{KEY} of-root\n");
    tree.file("etc/vault/authorized_keys", &keys, 0, 0o600);
    tree.owner(KEYS, 0);
    tree.age();
    let outside = tree.snapshot_settled();
    let swapper = Swapper::start(&tree, place, with);
    for number in 1..=tries {
        let edits = if number % 2 == 0 { authorize() } else { give_back(&[KEYS]) };
        let ran = tree.run(number, &edits);
        assert!(!ran.out.contains(SECRET), "{ran:?}");
        let context = format!("{place} -> {with}, try {number}: {ran:?}");
        outside.assert_same(&tree.snapshot_settled(), &context);
        if ran.ok {
            tree.undo(number);
            outside.assert_same(&tree.snapshot_settled(), &context);
        }
    }
    drop(swapper);
    for (name, what) in &tree.snapshot().0 {
        if name.starts_with("home/ann")
            && (what.contains("of-root") || what.contains(SECRET))
        {
            panic!("{name}: {what}");
        }
    }
}

#[test]
fn a_race_for_the_file_wins_nothing() {
    race(Shell::Dash, ".ssh/authorized_keys", "/etc/shadow", 16);
}

#[test]
fn a_race_for_the_directory_wins_nothing() {
    race(Shell::Bash, ".ssh", "../../etc/vault", 16);
}

#[test]
fn a_race_against_busybox_wins_nothing() {
    race(Shell::Busybox, ".ssh", "../../etc/vault", 10);
}
