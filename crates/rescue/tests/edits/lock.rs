//! The accounts' own lock: real usermod and chage at the same time lose nothing, and
//! nothing of theirs is lost.

use std::fs;
use std::time::Duration;

use doctor::Edit;

use crate::tree::{Form, Shell, Tree, until};
use crate::verbs::ann;

/// A live guest where the system's own tools can work.
fn guest() -> Tree {
    let tree = Tree::new(Shell::Dash, Form::Live);
    tree.file("etc/login.defs", "PASS_MAX_DAYS 99999\n", 0, 0o644);
    tree.file(
        "etc/nsswitch.conf",
        "passwd: files\ngroup: files\nshadow: files\n",
        0,
        0o644,
    );
    tree.file("etc/gshadow", "root:*::\nann:!::\nbob:!::\n", 0, 0o640);
    tree
}

#[test]
fn nothing_is_lost_while_usermod_and_chage_change_other_accounts() {
    let tree = guest();
    let loops = "n=0\nwhile [ ! -e /run/stop ] && [ $n -lt 500 ]; do n=$((n + 1))\n\
                 usermod -c \"Bob $n\" bob && echo $n >/run/bob\n\
                 chage -d $((10000 + n)) bob && echo $n >/run/day\ndone";
    let mut theirs = tree
        .command(loops)
        .stderr(fs::File::create(tree.path("run/errors")).unwrap())
        .spawn()
        .unwrap();
    assert!(until(Duration::from_secs(30), || tree.path("run/day").exists()));
    for number in 1..=5 {
        let edits = [
            Edit::SetShell { user: ann() },
            Edit::ClearExpiry { user: ann() },
            Edit::UnlockKeys { user: ann() },
        ];
        tree.run(number, &edits).succeeded();
        assert!(tree.read("etc/passwd").contains("/home/ann:/bin/bash\n"));
        assert!(tree.read("etc/shadow").contains("\nann:*"));
        // Somebody else's hand, which holds no lock: back to the beginning.
        let back =
            "usermod -s /bin/false ann && usermod -p '!x' ann && chage -E 19500 ann";
        tree.script(back).succeeded();
    }
    fs::write(tree.path("run/stop"), "").unwrap();
    theirs.wait().unwrap();
    let last = |name: &str| tree.read(name).trim().to_owned();
    let (bob, day) = (last("run/bob"), last("run/day").parse::<u32>().unwrap());
    assert_eq!(tree.read("run/errors"), "", "theirs failed");
    assert!(
        tree.read("etc/passwd").contains(&format!(":Bob {bob}:")),
        "{bob}: {}",
        tree.read("etc/passwd")
    );
    assert!(
        tree.read("etc/shadow").contains(&format!(":{}:0:99999", 10000 + day)),
        "{day}"
    );
}

#[test]
fn the_lock_is_let_go_however_the_step_ends() {
    let tree = guest();
    let missing = Edit::ClearExpiry { user: "nobody-here".to_owned() };
    tree.run(1, &[missing]).says("nobody-here is not in /etc/shadow");
    tree.script("timeout 5 usermod -c free bob").succeeded();
    assert!(!tree.path("etc/passwd.lock").exists());
    assert!(tree.read("etc/passwd").contains(":free:"));
}

#[test]
fn a_system_without_vipw_takes_the_link_that_shadow_s_tools_look_at() {
    let tree = Tree::new(Shell::Busybox, Form::Live);
    tree.age();
    // Of a process that has ended: nobody's.
    tree.file("etc/passwd.lock", "4194304", 0, 0o600);
    tree.run(1, &[Edit::SetShell { user: ann() }]).succeeded();
    assert!(!tree.path("etc/passwd.lock").exists());
    // Of one that lives: theirs.
    tree.file("etc/passwd.lock", &std::process::id().to_string(), 0, 0o600);
    let begun = std::time::Instant::now();
    let ran = tree.run(2, &[Edit::ClearExpiry { user: ann() }]);
    ran.says("somebody else is changing the accounts");
    assert!(begun.elapsed() > Duration::from_secs(3));
    assert_eq!(tree.read("etc/passwd.lock"), std::process::id().to_string());
}
