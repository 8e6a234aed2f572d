//! The edit prelude and its undo, run by the real sh in a directory of their own: what
//! a script changes comes back to the byte.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::apply::guest_step::assemble;

/// A guest's file system, as far as a script needs one.
struct Root {
    dir: tempfile::TempDir,
    shell: &'static [&'static str],
}

impl Root {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("etc")).unwrap();
        Self { dir, shell: &["sh"] }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Runs a step's script; `$ETC` is the directory that it may change.
    fn run(&self, number: u32, script: &str) -> Output {
        let etc = self.path("etc").display().to_string();
        let env = BTreeMap::from([("ETC".to_owned(), etc)]);
        let text = assemble("repair", number, script, &env).unwrap();
        let file = self.path("script");
        fs::write(&file, text).unwrap();
        self.sh(&file)
    }

    fn undo(&self, number: u32) -> Output {
        self.sh(&self.records(number).join("undo.sh"))
    }

    fn sh(&self, file: &Path) -> Output {
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.path("bin").display());
        let mut command = Command::new(self.shell[0]);
        command.args(&self.shell[1..]).arg(file).env("PATH", path);
        command.env("REGAIN_ROOT", self.dir.path()).output().unwrap()
    }

    fn records(&self, number: u32) -> PathBuf {
        self.path("var/lib/regain/undo/repair").join(number.to_string())
    }

    /// Everything that an undo must bring back.
    fn snapshot(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.path("etc"), &mut found);
        found
    }
}

fn walk(path: &Path, found: &mut Vec<String>) {
    let facts = fs::symlink_metadata(path).unwrap();
    let content = match facts.file_type() {
        kind if kind.is_symlink() => fs::read_link(path).unwrap().display().to_string(),
        kind if kind.is_file() => fs::read_to_string(path).unwrap(),
        _ => String::new(),
    };
    let (mode, owner, time) =
        (facts.mode(), (facts.uid(), facts.gid()), (facts.mtime(), facts.mtime_nsec()));
    found.push(format!("{} {mode:o} {owner:?} {time:?} {content}", path.display()));
    if facts.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| walk(entry, found));
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[track_caller]
fn assert_success(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}{stderr}", stdout(output));
}

const EVERYTHING: &str = r#"
keep "$ETC/file" "$ETC/link" "$ETC/absent" "$ETC/dir" "$ETC/newdir" "$ETC/newdir/in"
put "$ETC/file" <<EOF
new
EOF
rm "$ETC/link"
echo here >"$ETC/absent"
chmod 0777 "$ETC/dir"
mkdir "$ETC/newdir"
echo in >"$ETC/newdir/in"
say done
"#;

fn everything() -> Root {
    let root = Root::new();
    root.write("etc/file", "old\n", 0o640);
    symlink("file", root.path("etc/link")).unwrap();
    fs::create_dir(root.path("etc/dir")).unwrap();
    fs::set_permissions(root.path("etc/dir"), Permissions::from_mode(0o750)).unwrap();
    root
}

#[test]
fn files_links_absence_directories_modes_and_times_come_back() {
    let root = everything();
    let before = root.snapshot();
    let ran = root.run(1, EVERYTHING);
    assert_success(&ran);
    assert!(stdout(&ran).contains("say done"));
    assert_eq!(fs::read_to_string(root.path("etc/file")).unwrap(), "new\n");
    assert_ne!(root.snapshot(), before);

    let undone = root.undo(1);
    assert_success(&undone);
    assert_eq!(root.snapshot(), before);
    let restored = format!("restored {}", root.path("etc/file").display());
    assert!(stdout(&undone).contains(&restored), "{}", stdout(&undone));
    assert!(!root.path("var/lib/regain").exists(), "the undo leaves no trace");
}

#[test]
fn a_script_that_fails_leaves_nothing_changed_in_any_guest_s_sh() {
    // Debian's sh is dash, that of RHEL and SUSE is bash.
    let shells: [&[&str]; 2] = [&["dash"], &["bash", "--posix"]];
    for shell in shells {
        let root = Root { shell, ..everything() };
        let before = root.snapshot();
        let ran = root.run(1, &format!("{EVERYTHING}\nfalse\nsay never"));
        assert_eq!(ran.status.code(), Some(1), "{shell:?}");
        assert!(stdout(&ran).contains("rollback"), "{shell:?}");
        assert!(!stdout(&ran).contains("never"), "{shell:?}");
        assert_eq!(root.snapshot(), before, "{shell:?}");
        assert_success(&root.run(2, EVERYTHING));
        assert_success(&root.undo(2));
        assert_eq!(root.snapshot(), before, "{shell:?}");
    }
}

#[test]
fn a_script_that_cannot_be_parsed_does_not_begin() {
    let root = everything();
    let before = root.snapshot();
    let ran = root.run(1, &format!("{EVERYTHING}\nif true; then"));
    assert!(!ran.status.success());
    assert_eq!(root.snapshot(), before);
}

#[test]
fn a_script_that_is_stopped_rolls_back() {
    let root = everything();
    let before = root.snapshot();
    let ran = root.run(1, &format!("{EVERYTHING}\nkill -TERM $$\nsleep 5"));
    assert_eq!(ran.status.code(), Some(143));
    assert_eq!(root.snapshot(), before);
}

#[test]
fn put_keeps_mode_and_link_and_records_by_itself() {
    let root = Root::new();
    let real = root.write("etc/real", "old\n", 0o604);
    symlink("real", root.path("etc/link")).unwrap();
    let before = root.snapshot();
    assert_success(&root.run(1, "echo new | put \"$ETC/link\""));
    assert!(fs::symlink_metadata(root.path("etc/link")).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "new\n");
    assert_eq!(fs::metadata(&real).unwrap().mode() & 0o777, 0o604);
    assert_success(&root.undo(1));
    assert_eq!(root.snapshot(), before);
}

#[test]
fn put_makes_a_file_that_others_can_read() {
    let root = Root::new();
    assert_success(&root.run(1, "echo new | put \"$ETC/new\""));
    assert_eq!(fs::metadata(root.path("etc/new")).unwrap().mode() & 0o777, 0o644);
}

#[test]
fn the_first_record_of_a_path_is_the_true_one() {
    let root = Root::new();
    root.write("etc/file", "first\n", 0o600);
    let before = root.snapshot();
    let script = "for n in 1 2 3; do echo $n | put \"$ETC/file\"; done";
    assert_success(&root.run(1, script));
    assert_success(&root.undo(1));
    assert_eq!(root.snapshot(), before);
}

#[test]
fn commands_run_after_the_files_are_back_and_the_last_one_first() {
    let root = Root::new();
    root.write("etc/file", "old\n", 0o600);
    let log = root.path("log");
    let script = format!(
        "echo new | put \"$ETC/file\"\n\
         on_undo \"echo one >>'{0}'; cat '$ETC/file' >>'{0}'\"\n\
         on_undo \"echo two >>'{0}'\"\n",
        log.display()
    );
    assert_success(&root.run(1, &script));
    assert_success(&root.undo(1));
    assert_eq!(fs::read_to_string(log).unwrap(), "two\none\nold\n");
}

#[test]
fn what_cannot_come_back_is_named_and_tried_again() {
    let root = Root::new();
    root.write("etc/a", "a\n", 0o600);
    let before = root.snapshot();
    let script =
        "keep \"$ETC/new\" \"$ETC/a\"; mkdir \"$ETC/new\"; echo b | put \"$ETC/a\"";
    assert_success(&root.run(1, script));
    let theirs = root.write("etc/new/theirs", "", 0o600);

    let undone = root.undo(1);
    assert_eq!(undone.status.code(), Some(3));
    let remains = format!("remains {}: ", root.path("etc/new").display());
    assert!(stdout(&undone).contains(&remains), "{}", stdout(&undone));
    assert_eq!(fs::read_to_string(root.path("etc/a")).unwrap(), "a\n");

    fs::remove_file(theirs).unwrap();
    // What came back the first time is not touched again.
    root.write("etc/a", "changed since\n", 0o600);
    assert_success(&root.undo(1));
    assert!(!root.path("etc/new").exists());
    assert_eq!(fs::read_to_string(root.path("etc/a")).unwrap(), "changed since\n");
    assert_ne!(root.snapshot(), before);
}

#[test]
fn two_steps_are_undone_apart() {
    let root = Root::new();
    root.write("etc/file", "0\n", 0o600);
    assert_success(&root.run(1, "echo 1 | put \"$ETC/file\""));
    let after_first = root.snapshot();
    assert_success(&root.run(2, "echo 2 | put \"$ETC/file\""));
    assert_success(&root.undo(2));
    assert_eq!(root.snapshot(), after_first);
    assert!(root.records(1).exists());
    assert!(!root.records(2).exists());
}

#[test]
fn a_path_with_spaces_quotes_and_dollars_is_a_path() {
    let root = Root::new();
    let name = "etc/a b'c$d\"e\\f";
    root.write(name, "old\n", 0o600);
    let before = root.snapshot();
    let script = "for file in \"$ETC\"/a*; do echo new | put \"$file\"; done";
    assert_success(&root.run(1, script));
    assert_eq!(fs::read_to_string(root.path(name)).unwrap(), "new\n");
    assert_success(&root.undo(1));
    assert_eq!(root.snapshot(), before);
}

/// sshd and systemctl, first on the PATH, that write down what they are asked and
/// answer as told.
fn fake_services(root: &Root, sshd_accepts: bool, active: bool) {
    let bin = root.path("bin");
    fs::create_dir(&bin).unwrap();
    let log = root.path("log").display().to_string();
    let state = root.path("active").display().to_string();
    if active {
        fs::write(&state, "").unwrap();
    }
    let verdict = if sshd_accepts { "exit 0" } else { "echo 'bad line 3' >&2; exit 255" };
    root.write("bin/sshd", &format!("#!/bin/sh\n{verdict}\n"), 0o755);
    let systemctl = format!(
        "#!/bin/sh\ncase \"$*\" in\n\
         'is-active -q ssh.socket') exit 3 ;;\n\
         is-active*) [ -e '{state}' ] && echo active || {{ echo inactive; exit 3; }} ;;\n\
         cat*) exit 0 ;;\n\
         start*) echo \"$*\" >>'{log}'; : >'{state}' ;;\n\
         stop*) echo \"$*\" >>'{log}'; rm '{state}' ;;\n\
         reload*) echo \"$*\" >>'{log}' ;;\nesac\n"
    );
    root.write("bin/systemctl", &systemctl, 0o755);
}

#[test]
fn sshd_is_never_touched_on_a_configuration_that_it_refuses() {
    let root = Root::new();
    root.write("etc/sshd_config", "old\n", 0o600);
    let before = root.snapshot();
    fake_services(&root, false, true);
    let ran = root.run(1, "echo bad | put \"$ETC/sshd_config\"\nsshd_apply");
    assert!(!ran.status.success());
    assert!(stdout(&ran).contains("say sshd refuses its configuration"));
    assert!(stdout(&ran).contains("bad line 3"));
    assert_eq!(root.snapshot(), before);
    assert!(!root.path("log").exists(), "a service was touched");
}

#[test]
fn a_running_sshd_is_reloaded_and_a_stopped_one_started_and_stopped_again() {
    let root = Root::new();
    fake_services(&root, true, false);
    let log = || fs::read_to_string(root.path("log")).unwrap();
    assert_success(&root.run(1, "sshd_apply"));
    assert_eq!(log(), "start ssh.service\n");
    assert_success(&root.run(2, "sshd_apply"));
    assert_eq!(log(), "start ssh.service\nreload ssh.service\n");
    assert_success(&root.undo(1));
    assert_eq!(log(), "start ssh.service\nreload ssh.service\nstop ssh.service\n");
}
