//! collect.sh, run by the real sh on this host, for an account whose home is a
//! directory of the test.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use doctor::case::Account;

use crate::channel::with_variables;
use crate::report::{Report, Sections, sections};

const COLLECT: &str = include_str!("../guest/collect.sh");

/// A guest in which `getent` knows one account, `mira`.
struct Guest {
    dir: tempfile::TempDir,
}

impl Guest {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("bin")).unwrap();
        fs::create_dir_all(dir.path().join("tmp")).unwrap();
        let guest = Self { dir };
        let home = guest.home();
        let entry = format!("mira:x:4711:4711::{home}:/bin/no-such-shell");
        let getent = format!("#!/bin/sh\n[ \"$2\" = mira ] && echo '{entry}'\n");
        let file = guest.dir.path().join("bin/getent");
        fs::write(&file, getent).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
        guest
    }

    fn home(&self) -> String {
        self.dir.path().join("home").display().to_string()
    }

    fn authorize(&self, text: &str) -> String {
        let ssh = self.dir.path().join("home/.ssh");
        fs::create_dir_all(&ssh).unwrap();
        let file = ssh.join("authorized_keys");
        fs::write(&file, text).unwrap();
        file.display().to_string()
    }

    fn collect(&self, login: &str) -> Sections {
        let variables = [
            ("MARK", "@@mark"),
            ("LOGIN", login),
            ("HOST", "192.0.2.1"),
            ("ADDRESS", "192.0.2.1"),
        ];
        let path = std::env::var("PATH").unwrap();
        let output = Command::new("sh")
            .arg("-c")
            .arg(with_variables(&variables, COLLECT))
            .env("PATH", format!("{}/bin:{path}:/usr/sbin", self.dir.path().display()))
            .env("TMPDIR", self.dir.path().join("tmp"))
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let report = Report::divide(&stdout, "@@mark");
        assert!(report.is_whole(), "{}", String::from_utf8_lossy(&output.stderr));
        sections(&report, login, "test")
    }

    fn account(&self) -> Account {
        self.collect("mira").account
    }
}

fn kind<'a>(account: &'a Account, path: &str) -> &'a str {
    let fact = account.key_path.iter().find(|fact| fact.path == path);
    &fact.unwrap_or_else(|| panic!("{path} is not in {:?}", account.key_path)).kind
}

#[test]
fn a_home_that_is_not_there_is_missing_with_everything_in_it() {
    let guest = Guest::new();
    let account = guest.account();
    assert!(account.exists);
    assert_eq!((account.uid, account.gid), (Some(4711), Some(4711)));
    assert_eq!(kind(&account, &guest.home()), "missing");
    assert_eq!(kind(&account, &format!("{}/.ssh", guest.home())), "missing");
    assert_eq!(kind(&account, "/"), "directory");
    assert_eq!(account.authorized_keys.len(), 0);
    assert_eq!(account.shell_file.unwrap().kind, "missing");
    assert_eq!(account.password, "missing");
}

#[test]
fn an_account_that_does_not_exist_is_just_that() {
    let account = Guest::new().collect("nobody-here").account;
    assert!(!account.exists);
    assert!(account.key_path.is_empty());
}

#[test]
fn lines_of_the_keys_file_arrive_as_they_are() {
    let guest = Guest::new();
    let line = "from=\"192.0.2.0/24\",command=\"echo \\\"$HOME\\\"\" ssh-ed25519 AAAA me";
    let file = guest.authorize(&format!("{line}\n\n# comment\nlast"));
    let account = guest.account();
    assert_eq!(account.authorized_keys[&file], [line, "", "# comment", "last"]);
    assert_eq!(kind(&account, &file), "file");
}

#[test]
fn an_empty_keys_file_is_an_entry_without_lines() {
    let guest = Guest::new();
    let file = guest.authorize("");
    assert_eq!(guest.account().authorized_keys[&file], [""; 0]);
}

#[test]
fn a_private_key_is_seen_and_stays_where_it_is() {
    let pem = |between: &str| {
        format!(
            "ssh-rsa before\n-----BEGIN OPENSSH PRIVATE KEY-----{between}c2VjcmV0{between}\
             -----END OPENSSH PRIVATE KEY-----\nssh-rsa after\n"
        )
    };
    let putty = "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nc2VjcmV0\n\
                 Private-MAC: 00\nssh-rsa after\n";
    let unended = "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\nc2VjcmV0\n";
    for text in [&pem("\n"), &pem(""), &pem(" "), putty, unended] {
        let guest = Guest::new();
        let file = guest.authorize(text);
        let lines = guest.account().authorized_keys[&file].join("\n");
        assert!(!lines.contains("c2VjcmV0"), "{lines}");
        let marked =
            lines.contains("PRIVATE KEY-----") || lines.contains("Private-Lines");
        assert!(marked, "{lines}");
        assert_eq!(text.contains("after"), lines.contains("ssh-rsa after"), "{lines}");
    }
}

#[test]
fn a_file_that_quotes_the_mark_stays_one_file() {
    let guest = Guest::new();
    let file = guest.authorize("x @@mark end\n");
    assert_eq!(guest.account().authorized_keys[&file], ["x @@mark end"]);
}
