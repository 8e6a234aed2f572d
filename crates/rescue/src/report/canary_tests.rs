//! Canaries in every file that the collector may touch: none of them sings, neither in
//! the raw report nor in the case.
//!
//! The guest is this host in a mount namespace of its own: files of the test lie over
//! the system's, the real sh and the real sshd read them.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use doctor::case::{Case, Target};

use crate::channel::with_variables;
use crate::report::{Asked, Report, fill, script};

const UID: u32 = 4711;

struct Aviary {
    dir: tempfile::TempDir,
    planted: usize,
}

impl Aviary {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        for part in ["bin", "etc/ssh/sshd_config.d", "home/.ssh", "tmp"] {
            fs::create_dir_all(dir.path().join(part)).unwrap();
        }
        Self { dir, planted: 0 }
    }

    /// A new canary. All of them look like words that people use as passwords.
    fn canary(&mut self) -> String {
        self.planted += 1;
        format!("Kanarie{:02}vogel", self.planted)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }

    fn account_files(&mut self) {
        let home = self.path("home").display().to_string();
        let (gecos, hash, other) = (self.canary(), self.canary(), self.canary());
        let passwd = format!(
            "root:x:0:0:root:/root:/bin/sh\nsshd:x:104:65534::/run/sshd:/usr/sbin/nologin\n\
             other:x:4712:4712:{other}:/nowhere:/bin/sh\n\
             mira:x:{UID}:{UID}:{gecos},,,:{home}:/bin/sh\n"
        );
        self.write("etc/passwd", &passwd, 0o644);
        let shadow = format!(
            "root:*:1::::::\nother:{hash}:1::::::\nmira:$y$j9T${hash}:1:0:99999:7:::\n"
        );
        self.write("etc/shadow", &shadow, 0o600);
        let (device, credentials) = (self.canary(), self.canary());
        let fstab = format!(
            "//{device}/x /mnt cifs username=u,password={credentials},ro 0 0\n# {device}\n"
        );
        self.write("etc/fstab", &fstab, 0o644);
    }

    fn sshd_files(&mut self) {
        let words: Vec<String> = (0..9).map(|_| self.canary()).collect();
        let [comment, behind, env, force, arguments, addendum, key, value, blob] =
            &words[..]
        else {
            panic!("nine words")
        };
        let config = format!(
            "# {comment}\n   # {comment}\nInclude /etc/ssh/sshd_config.d/*.conf\nPort 22 # {behind}\n\
             SetEnv TOKEN={env}\nAuthorizedKeysCommand /bin/echo {arguments} %u\n\
             AuthorizedKeysCommandUser nobody\nVersionAddendum {addendum}\n\
             Subsystem sftp /usr/lib/openssh/sftp-server -P {arguments}\n\
             Match User mira\n\tForceCommand /bin/echo {force}\n"
        );
        self.write("etc/ssh/sshd_config", &config, 0o644);
        let bad =
            format!("Passwort {value}\n{key}=1\nbase64+{blob}/== x\nPasswrd = {value}\n");
        self.write("etc/ssh/sshd_config.d/50-x.conf", &bad, 0o644);
        let host = self.path("etc/ssh/ssh_host_ed25519_key").display().to_string();
        let comment = self.canary();
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", &comment, "-f", &host])
            .status();
        assert!(made.unwrap().success());
    }

    fn keys(&mut self) {
        let public =
            fs::read_to_string(self.path("etc/ssh/ssh_host_ed25519_key.pub")).unwrap();
        let public: Vec<&str> = public.split(' ').take(2).collect();
        let public = public.join(" ");
        let words: Vec<String> = (0..7).map(|_| self.canary()).collect();
        let [comment, command, env, name, private, line, remark] = &words[..] else {
            panic!("seven words")
        };
        let text = format!(
            "# {remark}\ncommand=\"/bin/x {command}\",environment=\"T={env}\",\
             {name}{name}=\"x\" {public} {comment}\n{line}\n\
             -----BEGIN OPENSSH PRIVATE KEY-----\n{private}\n-----END OPENSSH PRIVATE KEY-----\n"
        );
        self.write("home/.ssh/authorized_keys", &text, 0o600);
        for name in ["home", "home/.ssh", "home/.ssh/authorized_keys"] {
            chown(self.path(name), Some(UID), Some(UID)).unwrap();
        }
    }

    fn tools(&mut self) {
        let words: Vec<String> = (0..8).map(|_| self.canary()).collect();
        let [typed, tricky, text, reason, rule, log, saved, other] = &words[..] else {
            panic!("eight words")
        };
        let journal = format!(
            "Invalid user {typed} from 192.0.2.7 port 4000\n\
             Failed password for invalid user {tricky} from 192.0.2.8 port 1 from 192.0.2.7 port 2 ssh2\n\
             Connection closed by invalid user {typed} 192.0.2.7 port 4000 [preauth]\n\
             {text}: hello\nReceived disconnect from 192.0.2.7 port 9:11: {reason} [preauth]\n\
             pam_unix(sshd:session): session opened for user {other}(uid=1) by (uid=0)\n\
             User {other} from 192.0.2.7 not allowed because {reason}\n\
             error: Received disconnect from {text} x\n\
             Bad protocol version identification '{text}' from 192.0.2.7 port 1\n\
             Failed password for mira from 192.0.2.7 port 2 ssh2\nServer listening on :: port 22.\n"
        );
        self.write("journal", &journal, 0o644);
        let journal = self.path("journal").display().to_string();
        self.write("bin/journalctl", &format!("#!/bin/sh\ncat {journal}\n"), 0o755);
        let ruleset = format!(
            "{{\"nftables\": [{{\"rule\": {{\"family\": \"ip\", \"table\": \"t\", \"chain\": \"c\", \
             \"comment\": \"a \\\"{rule} b\", \"expr\": [{{\"log\": {{\"prefix\": \"{log} \"}}}}, \
             {{\"drop\": null}}]}}}}]}}"
        );
        self.write("bin/nft", &format!("#!/bin/sh\nprintf '%s\\n' '{ruleset}'\n"), 0o755);
        let save = format!(
            "# {saved}\n*filter\n:INPUT ACCEPT [1:2]\n-A INPUT -m comment --comment \"x \\\"{saved} y\" \
             -j LOG --log-prefix {log}\n-A INPUT -m string --string \"{saved}\" -j DROP\nCOMMIT\n"
        );
        for tool in ["iptables-nft-save", "ip6tables-nft-save"] {
            let body = format!("#!/bin/sh\nprintf '%s\\n' '{save}'\n");
            self.write(&format!("bin/{tool}"), &body, 0o755);
        }
    }

    /// A process named sshd with canaries in its environment and on its command line.
    fn process(&mut self) -> std::process::Child {
        let (env, argument) = (self.canary(), self.canary());
        fs::copy("/bin/sh", self.path("bin/sshd")).unwrap();
        let child = Command::new(self.path("bin/sshd"))
            .args(["-c", "read -r _", &argument])
            .env("TOKEN", env)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        fs::remove_file(self.path("bin/sshd")).unwrap();
        child
    }

    fn collect(&self) -> String {
        let variables = [
            ("MARK", "@@mark"),
            ("LOGIN", "mira"),
            ("HOST", "192.0.2.1"),
            ("ADDRESS", "192.0.2.1"),
            ("PORT", "22"),
        ];
        self.write("script", &with_variables(&variables, &script()), 0o600);
        let over =
            |file: &str| format!("mount --bind {} /{file}\n", self.path(file).display());
        let mounts: String =
            ["etc/passwd", "etc/shadow", "etc/fstab", "etc/ssh"].map(over).concat();
        let script = self.path("script").display().to_string();
        let output = Command::new("unshare")
            .args(["-m", "sh", "-ec", &format!("{mounts}exec sh {script}")])
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("TMPDIR", self.path("tmp"))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            said.contains("@@mark end"),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        said
    }
}

fn case_of(raw: &str) -> Case {
    let target = Target {
        user: "mira".to_owned(),
        host: "h".to_owned(),
        port: 22,
        resource_id: None,
        identity: None,
    };
    let mut case = Case::new(target, "2026-11-22T12:00:00Z".to_owned());
    let asked = Asked { user: "mira".to_owned(), address: None, channel: "test" };
    fill(&mut case, &Report::divide(raw, "@@mark"), &asked);
    case
}

/// Whether a file of the test lies over the system's: else nothing would be proved.
fn was_read(raw: &str, path: &Path) {
    let path = path.display().to_string();
    for sign in [&path, "Bad configuration option: Passwort", "usable:1", "@@mark v4"] {
        assert!(raw.contains(sign), "{sign} is not in the report:\n{raw}");
    }
}

#[test]
fn no_canary_sings() {
    let mut aviary = Aviary::new();
    aviary.account_files();
    aviary.sshd_files();
    aviary.keys();
    aviary.tools();
    let mut process = aviary.process();
    let raw = aviary.collect();
    drop(process.stdin.take());
    let _ = process.wait();
    let case = case_of(&raw);
    was_read(&raw, &aviary.path("home/.ssh/authorized_keys"));
    let keys = case.keys.collected().unwrap();
    assert_eq!(keys.files.len(), 1, "{keys:?}");
    assert!(raw.contains("Failed password for mira from 192.0.2.7"), "{raw}");
    assert!(raw.contains("Invalid user (another user) from 192.0.2.7"), "{raw}");
    let document = serde_json::to_string(&case).unwrap();
    assert!(aviary.planted > 30);
    for number in 1..=aviary.planted {
        let canary = format!("Kanarie{number:02}vogel");
        for (place, text) in [("the raw report", &raw), ("the case", &document)] {
            let lower = text.to_lowercase();
            assert!(
                !lower.contains(&canary.to_lowercase()),
                "{canary} is in {place}:\n{text}"
            );
        }
    }
}
