//! A guest's file system, the shells that work on it, and everything that is in it.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use doctor::Edit;

/// The account that logs in, and another one.
pub(crate) const ANN: u32 = 41001;
pub(crate) const BOB: u32 = 41002;

/// A key of the client's.
pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAhhkXUzFcIrCpNqGuEFfcoyrE6MYJgsGxr7hgJAh6ix";
/// A key that is there.
pub(crate) const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJAzbsBAOVgsbOVkqpE8rYLj6hDP0wvbZMkCyJcEbhFS";
/// What nobody but root may ever read.
pub(crate) const SECRET: &str = "$6$SECRET$SECRETSECRET";

/// What carries the script out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shell {
    Dash,
    Bash,
    Busybox,
}

/// Where the guest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Mounted,
    Live,
}

/// Every way that a verb must work in.
pub(crate) const WAYS: [(Shell, Form); 6] = [
    (Shell::Dash, Form::Mounted),
    (Shell::Bash, Form::Mounted),
    (Shell::Busybox, Form::Mounted),
    (Shell::Dash, Form::Live),
    (Shell::Bash, Form::Live),
    (Shell::Busybox, Form::Live),
];

/// A guest.
pub(crate) struct Tree {
    dir: tempfile::TempDir,
    pub(crate) shell: Shell,
    pub(crate) form: Form,
    /// Commands before the script, in its mount namespace; `$tree` is the guest.
    pub(crate) mounts: String,
    /// A directory of programs that come first.
    pub(crate) first: Option<PathBuf>,
}

/// What a script did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ok: bool,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn succeeded(&self) -> &Self {
        assert!(self.ok, "{}{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.out.contains(text), "no `{text}` in:\n{}{}", self.out, self.err);
        self
    }
}

impl Tree {
    pub(crate) fn new(shell: Shell, form: Form) -> Self {
        let dir = tempfile::Builder::new().prefix("guest").tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let tree = Self { dir, shell, form, mounts: String::new(), first: None };
        for name in [
            "dev",
            "etc/alternatives",
            "etc/cron.d",
            "etc/ssh/sshd_config.d",
            "etc/systemd/system",
            "fake",
            "home",
            "proc",
            "root",
            "run/systemd/system",
            "tmp",
            "usr/bin",
            "usr/sbin",
            "usr/lib",
            "usr/lib64",
            "usr/lib/systemd/system",
            "usr/share/openssh",
            "var/lib",
            "applets",
        ] {
            tree.directory(name, 0, 0o755);
        }
        for name in ["bin", "sbin", "lib", "lib64"] {
            tree.link(&format!("usr/{name}"), name);
        }
        tree.mode("tmp", 0o1777);
        // Debian's awk is mawk, that of RHEL and SUSE is gawk.
        let awk = if shell == Shell::Bash { "gawk" } else { "mawk" };
        tree.link(&format!("/usr/bin/{awk}"), "etc/alternatives/awk");
        let passwd = format!(
            "root:x:0:0:root:/root:/bin/bash\nann:x:{ANN}:{ANN}:Ann,,,:/home/ann:/bin/false\n\
             bob:x:{BOB}:{BOB}:Bob:/home/bob:/bin/bash\n"
        );
        tree.file("etc/passwd", &passwd, 0, 0o644);
        let group = format!("root:x:0:\nann:x:{ANN}:\nbob:x:{BOB}:\nstaff:x:50:ann\n");
        tree.file("etc/group", &group, 0, 0o644);
        let shadow = format!(
            "root:{SECRET}:19000:0:99999:7:::\nann:!{SECRET}:0:0:99999:7::19500:\n\
             bob:{SECRET}:19000:0:99999:7:::\n"
        );
        // Every system that ever changed an account has it.
        tree.file("etc/.pwd.lock", "", 0, 0o600);
        tree.file("etc/shadow", &shadow, 0, 0o640);
        chown(tree.path("etc/shadow"), None, Some(42)).unwrap();
        tree.file("etc/sudoers", &format!("# {SECRET}\nroot ALL=(ALL) ALL\n"), 0, 0o440);
        tree.file("etc/shells", "# shells\n/bin/sh\n/bin/bash\n", 0, 0o644);
        tree.file("usr/bin/bash", "#!\n", 0, 0o755);
        tree.file("usr/bin/sh", "#!\n", 0, 0o755);
        tree.file("usr/sbin/sshd", "#!\n", 0, 0o755);
        let config = "Include /etc/ssh/sshd_config.d/*.conf\nPort 2222\nAllowUsers bob carol # us\n\
                      DenyUsers ann\nDenyUsers eve ann mallory\nX11Forwarding noPrintMotd no\n\
                      Match User bob\n  X11Forwarding yes\n\n  # prose\nMatch all\n";
        tree.file("etc/ssh/sshd_config", config, 0, 0o640);
        tree.directory("home/ann", ANN, 0o755);
        tree.directory("home/bob", BOB, 0o700);
        tree.directory("home/ann/.ssh", ANN, 0o700);
        tree.file(
            "home/ann/.ssh/authorized_keys",
            &format!("{OTHER} laptop"),
            ANN,
            0o600,
        );
        if shell == Shell::Busybox {
            tree.applets();
        }
        tree.age();
        tree
    }

    fn applets(&self) {
        let list = Command::new("busybox").arg("--list").output().unwrap();
        for applet in String::from_utf8(list.stdout).unwrap().lines() {
            self.link("/usr/bin/busybox", &format!("applets/{applet}"));
        }
        self.link("/usr/bin/busybox", "applets/busybox");
        // Of no busybox, and of no other package than the one that is repaired.
        self.link("/usr/bin/ssh-keygen", "applets/ssh-keygen");
    }

    /// Everything was there for a while, so that a time that changes shows.
    pub(crate) fn age(&self) {
        let find = Command::new("find")
            .arg(self.dir.path())
            .args([
                "-exec",
                "touch",
                "-h",
                "-d",
                "2024-05-06 07:08:09.123456789",
                "{}",
                "+",
            ])
            .status();
        assert!(find.unwrap().success());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name.trim_start_matches('/'))
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn file(&self, name: &str, text: &str, owner: u32, mode: u32) {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        chown(&path, Some(owner), Some(owner)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn directory(&self, name: &str, owner: u32, mode: u32) {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        chown(&path, Some(owner), Some(owner)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn link(&self, to: &str, name: &str) {
        let path = self.path(name);
        std::os::unix::fs::symlink(to, &path).unwrap();
        let owner = path.parent().unwrap().metadata().unwrap().uid();
        std::os::unix::fs::lchown(&path, Some(owner), Some(owner)).unwrap();
    }

    pub(crate) fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn owner(&self, name: &str, owner: u32) {
        chown(self.path(name), Some(owner), Some(owner)).unwrap();
    }

    pub(crate) fn facts(&self, name: &str) -> (u32, u32) {
        let facts = fs::symlink_metadata(self.path(name)).unwrap();
        (facts.uid(), facts.mode() & 0o7777)
    }

    pub(crate) fn remove(&self, name: &str) {
        let path = self.path(name);
        let is_dir = fs::symlink_metadata(&path).unwrap().is_dir();
        if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }

    /// Carries edits out, recorded as the step `number`.
    pub(crate) fn run(&self, number: u32, edits: &[Edit]) -> Ran {
        let script = rescue::edit::script(&format!("repair/{number}"), edits).unwrap();
        self.script(&script)
    }

    pub(crate) fn dry_run(&self, edits: &[Edit]) -> Ran {
        self.script(&rescue::edit::dry_run(edits).unwrap())
    }

    pub(crate) fn undo(&self, number: u32) -> Ran {
        let script = format!(
            "exec sh \"${{REGAIN_ROOT:-}}/var/lib/regain/undo/repair/{number}/undo.sh\"\n"
        );
        self.script(&script)
    }

    pub(crate) fn script(&self, text: &str) -> Ran {
        let ran = self.command(text).output().unwrap();
        Ran {
            ok: ran.status.success(),
            code: ran.status.code(),
            out: String::from_utf8_lossy(&ran.stdout).into_owned(),
            err: String::from_utf8_lossy(&ran.stderr).into_owned(),
        }
    }

    /// The process that carries a script out.
    pub(crate) fn command(&self, text: &str) -> Command {
        let script =
            tempfile::Builder::new().prefix("script").tempfile_in(self.path("run"));
        let (_, script) = script.unwrap().keep().unwrap();
        fs::write(&script, text).unwrap();
        let inside = format!("/run/{}", script.file_name().unwrap().display());
        let tree = self.dir.path().display().to_string();
        let enter = match self.form {
            Form::Mounted if self.mounts.is_empty() => String::new(),
            Form::Mounted => self.mounts.clone(),
            Form::Live => format!(
                "mount --rbind \"$tree\" \"$tree\"\n\
                 mount --bind /usr \"$tree/usr\"\nmount --rbind /proc \"$tree/proc\"\n\
                 mount --rbind /dev \"$tree/dev\"\n{}",
                self.mounts
            ),
        };
        let shell = match self.shell {
            Shell::Dash => "dash",
            Shell::Bash => "bash --posix",
            Shell::Busybox => "busybox ash",
        };
        let base = match (self.form, self.shell) {
            (Form::Live, Shell::Busybox) => "/fake:/applets".to_owned(),
            (Form::Live, _) => "/fake:/usr/sbin:/usr/bin".to_owned(),
            (Form::Mounted, Shell::Busybox) => format!("{tree}/applets"),
            (Form::Mounted, _) => "/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        };
        let path = match &self.first {
            Some(first) => format!("{}:{base}", first.display()),
            None => base,
        };
        let run = match self.form {
            Form::Mounted => format!(
                "exec env REGAIN_ROOT=\"$tree\" PATH=\"{path}\" {shell} \"$tree{inside}\""
            ),
            Form::Live => format!(
                "exec chroot \"$tree\" /usr/bin/env PATH=\"{path}\" {shell} {inside}"
            ),
        };
        let mut command = Command::new("setsid");
        if enter.is_empty() {
            command.args(["sh", "-c"]);
        } else {
            command.args(["unshare", "-m", "sh", "-ec"]);
        }
        command.arg(format!("tree=$1\n{enter}\n{run}")).args(["sh", &tree]);
        command.stdin(Stdio::null()).env_remove("TMPDIR").env_remove("REGAIN_ROOT");
        command
    }

    /// Everything that an undo must bring back: path, and what it is.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut found = BTreeMap::new();
        self.walk(self.dir.path(), &mut found);
        Snapshot(found)
    }

    /// The same while somebody swaps things in the user's home, which is left out.
    pub(crate) fn snapshot_settled(&self) -> Snapshot {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(self.dir.path()).unwrap() {
            let path = entry.unwrap().path();
            if !path.ends_with("home") {
                self.walk(&path, &mut found);
            }
        }
        Snapshot(found)
    }

    fn walk(&self, path: &Path, found: &mut BTreeMap<String, String>) {
        let name = path.strip_prefix(self.dir.path()).unwrap().display().to_string();
        if name == "var/lib/regain" || name.starts_with("run/script") {
            return;
        }
        let facts = fs::symlink_metadata(path).unwrap();
        let kind = facts.file_type();
        let content = if kind.is_symlink() {
            fs::read_link(path).unwrap().display().to_string()
        } else if kind.is_file() && facts.len() < 10_000_000 {
            String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
        } else {
            format!("{kind:?} {}", if kind.is_dir() { 0 } else { facts.len() })
        };
        // busybox sets times to the second only.
        let time = match self.shell {
            _ if ["tmp", "var/lib", "run", "run/sshd", "etc/.pwd.lock"]
                .contains(&name.as_str()) =>
            {
                String::new()
            }
            Shell::Busybox => facts.mtime().to_string(),
            _ => format!("{}.{}", facts.mtime(), facts.mtime_nsec()),
        };
        let (mode, owner) = (facts.mode(), (facts.uid(), facts.gid()));
        found.insert(name, format!("{mode:o} {owner:?} {time} {content}"));
        if kind.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                self.walk(&entry.unwrap().path(), found);
            }
        }
    }
}

/// A whole file system.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) struct Snapshot(pub(crate) BTreeMap<String, String>);

impl Snapshot {
    /// What is not below `name`.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|path, _| path != name && !path.starts_with(&format!("{name}/")));
        self
    }

    #[track_caller]
    pub(crate) fn assert_same(&self, other: &Self, context: &str) {
        let mut differences = String::new();
        for name in self.0.keys().chain(other.0.keys()) {
            let (was, is) = (self.0.get(name), other.0.get(name));
            if was != is {
                let cut = |what: Option<&String>| {
                    what.map(|what| what.chars().take(200).collect::<String>())
                };
                differences.push_str(&format!(
                    "{name}:\n  {:?}\n  {:?}\n",
                    cut(was),
                    cut(is)
                ));
            }
        }
        assert!(differences.is_empty(), "{context}: {differences}");
    }
}

/// Waits until something holds; false after `limit`.
pub(crate) fn until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}
