//! `kill -9` in the midst: at whichever program of its own a step is killed, its undo
//! script brings everything back.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::system::offline_cases;
use crate::tree::{Form, Shell, Tree, until};
use crate::verbs::{Case, cases};

/// Programs that change something.
const ACTS: [&str; 7] = ["chmod", "chown", "cp", "ln", "mkdir", "mv", "rm"];

/// Puts programs first that stop at the `at`th of their kind.
fn stop_at(tree: &mut Tree, at: u32) {
    let dir = tree.path("dev/stop");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, Permissions::from_mode(0o777)).unwrap();
    let place = dir.display();
    for act in ACTS {
        let text = format!(
            "#!/bin/sh\nn=$(($(/bin/cat {place}/count 2>/dev/null || echo 0) + 1))\n\
             echo $n >{place}/count 2>/dev/null\n/bin/chmod 666 {place}/count 2>/dev/null\n\
             if [ $n = {at} ]; then : >{place}/now; exec /bin/sleep 60; fi\n\
             exec /usr/bin/{act} \"$@\"\n"
        );
        let program = dir.join(act);
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    }
    tree.first = Some(dir);
}

/// Every process of a session.
fn session(leader: u32) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let mut found = Vec::new();
    for entry in entries {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        if rest.split(' ').nth(3) == Some(leader.to_string().as_str()) {
            let pid = entry.file_name().to_string_lossy().parse().unwrap();
            found.extend(Pid::from_raw(pid));
        }
    }
    found
}

/// Runs the case and kills it at its `at`th act; false if it had ended by then.
fn killed_at(case: &Case, at: u32) -> bool {
    let context = format!("{}, killed at act {at}", case.name);
    let mut tree = Tree::new(Shell::Dash, Form::Mounted);
    (case.prepare)(&tree);
    tree.age();
    stop_at(&mut tree, at);
    let before = tree.snapshot().without("dev");
    let script = rescue::edit::script("repair/1", &(case.edits)()).unwrap();
    let mut child = tree
        .command(&script)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let now = tree.path("dev/stop/now");
    let mut ended = false;
    assert!(until(Duration::from_secs(60), || {
        ended = child.try_wait().unwrap().is_some();
        ended || now.exists()
    }));
    if !ended || now.exists() {
        for pid in session(child.id()) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    child.wait().unwrap();
    tree.first = None;
    if tree.path("var/lib/regain/undo/repair/1/undo.sh").exists() {
        let undone = tree.undo(1);
        assert!(undone.ok, "{context}: {}{}", undone.out, undone.err);
    }
    before.assert_same(&tree.snapshot().without("dev"), &context);
    !ended
}

fn kill_all(cases: Vec<Case>) {
    for case in cases {
        // The first acts only make the place for the records. Every third is enough to
        // fall into each of the few that a record and its edit have.
        let acts = (6..200).step_by(3).take_while(|&at| killed_at(&case, at)).count();
        assert!(acts > 2, "{}: {acts}", case.name);
    }
}

/// One for each kind of record.
fn telling(words: &[&str]) -> Vec<Case> {
    let told = |case: &Case| words.iter().any(|word| case.name.starts_with(word));
    let cases: Vec<Case> =
        cases().into_iter().chain(offline_cases()).filter(told).collect();
    assert_eq!(cases.len(), words.len());
    cases
}

#[test]
fn an_undo_is_exact_wherever_a_user_s_file_was_left() {
    kill_all(telling(&[
        "authorize-key makes file and directory",
        "authorize-key moves aside",
        "authorize-key keeps a file of another owner",
    ]));
}

#[test]
fn an_undo_is_exact_wherever_rights_were_left() {
    kill_all(telling(&["take-write-access from the whole", "give-back of home"]));
}

#[test]
fn an_undo_is_exact_wherever_root_s_file_was_left() {
    kill_all(telling(&["comment-out of", "clear-expiry", "unmask-unit"]));
}
