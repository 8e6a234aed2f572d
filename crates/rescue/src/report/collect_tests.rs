//! collect.sh and its parts, run by the real sh on this host, for an account whose home
//! is a directory of the test.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use doctor::case::{
    Case, KeyFile, KeyLine, KeyLines, KeyOption, NameService, PathKind, Section, Target,
};

use crate::channel::with_variables;
use crate::report::{Asked, Report, fill, script};

/// The user of the tests: nobody's number.
const UID: u32 = 4711;

/// A guest in which `getent` knows one account, `mira`.
struct Guest {
    dir: tempfile::TempDir,
    path: String,
}

/// What one collection gave.
struct Collected {
    raw: String,
    case: Case,
}

impl Guest {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // The user has to come through it.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(dir.path().join("tmp")).unwrap();
        let path = format!("/usr/bin:/bin:{}", dir.path().join("bin").display());
        let mut guest = Self { dir, path };
        let entry = format!("mira:x:{UID}:{UID}::{}:/bin/no-such-shell", guest.home());
        guest.tool("getent", &format!("[ \"$2\" = mira ] && echo '{entry}' || exit 2"));
        guest
    }

    /// Puts a program before the system's own.
    fn tool(&mut self, name: &str, body: &str) {
        let bin = self.dir.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        let file = bin.join(name);
        fs::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();
        self.path = format!("{}:/usr/bin:/bin", bin.display());
    }

    fn home(&self) -> String {
        self.dir.path().join("home").display().to_string()
    }

    /// The file of keys, in a directory of the user's.
    fn keys_file(&self) -> PathBuf {
        let ssh = self.dir.path().join("home/.ssh");
        fs::create_dir_all(&ssh).unwrap();
        for path in [ssh.parent().unwrap(), &ssh] {
            chown(path, Some(UID), Some(UID)).unwrap();
            fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
        }
        ssh.join("authorized_keys")
    }

    fn authorize(&self, text: &str) -> String {
        let file = self.keys_file();
        fs::write(&file, text).unwrap();
        chown(&file, Some(UID), Some(UID)).unwrap();
        file.display().to_string()
    }

    fn collect(&self, login: &str) -> Collected {
        let variables = [
            ("MARK", "@@mark"),
            ("LOGIN", login),
            ("HOST", "192.0.2.1"),
            ("ADDRESS", "192.0.2.1"),
            ("PORT", "22"),
        ];
        let text = self.dir.path().join("script");
        fs::write(&text, with_variables(&variables, &script())).unwrap();
        let output = Command::new("sh")
            .arg(text)
            .env("PATH", &self.path)
            .env("TMPDIR", self.dir.path().join("tmp"))
            .output()
            .unwrap();
        let raw = String::from_utf8(output.stdout).unwrap();
        let report = Report::divide(&raw, "@@mark");
        assert!(report.is_whole(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut case = Case::new(
            Target {
                user: login.to_owned(),
                host: "192.0.2.1".to_owned(),
                port: 22,
                resource_id: None,
                identity: None,
            },
            "2026-11-22T12:00:00Z".to_owned(),
        );
        let asked = Asked { user: login.to_owned(), address: None, channel: "test" };
        fill(&mut case, &report, &asked);
        let left = fs::read_dir(self.dir.path().join("tmp")).unwrap().count();
        assert_eq!(left, 0, "files are left behind");
        Collected { raw, case }
    }

    fn lines(&self, file: &str) -> KeyLines {
        match &collected(&self.collect("mira").case.keys).files[file] {
            KeyFile::Read(lines) => lines.clone(),
            KeyFile::Unread(why) => panic!("{file}: {why}"),
        }
    }
}

fn collected<T: std::fmt::Debug>(section: &Section<T>) -> &T {
    section.collected().unwrap_or_else(|| panic!("{section:?}"))
}

fn kind(case: &Case, path: &str) -> PathKind {
    let paths = &collected(&case.keys).paths;
    let fact = paths.iter().find(|fact| fact.path == path);
    fact.unwrap_or_else(|| panic!("{path} is not in {paths:?}")).kind
}

/// A new public key, `type base64`, and its fingerprint.
fn key(dir: &Path, name: &str) -> (String, String) {
    let path = dir.join(name);
    let run = |arguments: &[&str]| {
        let output = Command::new("ssh-keygen").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let file = path.display().to_string();
    run(&["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", &file]);
    let print = run(&["-l", "-f", &file]);
    let public = fs::read_to_string(path.with_extension("pub")).unwrap();
    (public.trim().to_owned(), print.split(' ').nth(1).unwrap().to_owned())
}

#[test]
fn a_home_that_is_not_there_is_missing_with_everything_in_it() {
    let guest = Guest::new();
    let case = guest.collect("mira").case;
    let account = collected(&case.account);
    assert_eq!(account.name_service, NameService::Found);
    assert!(!account.line);
    assert_eq!((account.uid, account.gid), (Some(UID), Some(UID)));
    assert_eq!(account.shell_file.as_ref().unwrap().kind, PathKind::Missing);
    // An account of a directory: no line, so nothing is known of its password.
    assert_eq!(account.shadow, None);
    assert_eq!(kind(&case, &guest.home()), PathKind::Missing);
    assert_eq!(kind(&case, &format!("{}/.ssh", guest.home())), PathKind::Missing);
    assert_eq!(kind(&case, "/"), PathKind::Directory);
    assert_eq!(collected(&case.keys).files.len(), 0);
}

#[test]
fn an_account_that_does_not_exist_is_just_that() {
    let case = Guest::new().collect("nobody-here").case;
    let account = collected(&case.account);
    assert_eq!((account.name_service, account.line), (NameService::NotFound, false));
    assert!(case.keys.why_not().unwrap().contains("no such account"));
}

#[test]
fn keys_are_told_by_fingerprint_and_names_of_options() {
    let guest = Guest::new();
    let (public, print) = key(guest.dir.path(), "k");
    let (other, other_print) = key(guest.dir.path(), "l");
    let file = guest.authorize(&format!(
        "# comment\n\nfrom=\"192.0.2.0/24,!10.*\",command=\"echo \\\"$HOME, x\\\" # y\",No-Pty {public} me\n\
         {other}\r\nhello\n"
    ));
    let lines = guest.lines(&file);
    let option = |name: &str, value: Option<&str>| KeyOption {
        name: name.to_owned(),
        value: value.map(str::to_owned),
    };
    let key = |line, print: &str, options| KeyLine::Key {
        line,
        r#type: "ssh-ed25519".to_owned(),
        fingerprint: Some(print.to_owned()),
        options,
    };
    let options = vec![
        option("from", Some("192.0.2.0/24,!10.*")),
        option("command", None),
        option("no-pty", None),
    ];
    let expected = vec![
        key(3, &print, options),
        key(4, &other_print, Vec::new()),
        KeyLine::Other { line: 5 },
    ];
    assert_eq!(lines, KeyLines { lines: expected, cut: false });
}

#[test]
fn a_key_over_several_lines_is_known_as_one() {
    let guest = Guest::new();
    let (public, _) = key(guest.dir.path(), "k");
    let broken = format!("{}\n{}\n{}\n", &public[..30], &public[30..60], &public[60..]);
    let file = guest.authorize(&broken);
    assert_eq!(guest.lines(&file).lines, [KeyLine::Wrapped { line: 1 }]);
    let file = guest.authorize(&public[..60]);
    assert_eq!(guest.lines(&file).lines, [KeyLine::Other { line: 1 }]);
}

#[test]
fn a_private_key_is_seen_and_stays_where_it_is() {
    let pem = |between: &str| {
        format!(
            "x\n-----BEGIN OPENSSH PRIVATE KEY-----{between}c2VjcmV0{between}\
             -----END OPENSSH PRIVATE KEY-----\nafter\n"
        )
    };
    let putty = "x\nPuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nc2VjcmV0\n\
                 Private-MAC: 00\nafter\n";
    let unended = "x\n-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\nc2VjcmV0\n";
    for text in [&pem("\n"), &pem(""), &pem(" "), putty, unended] {
        let guest = Guest::new();
        let file = guest.authorize(text);
        let collected = guest.collect("mira");
        assert!(!collected.raw.contains("c2VjcmV0"), "{}", collected.raw);
        let lines = guest.lines(&file).lines;
        assert_eq!(
            lines[..2],
            [KeyLine::Other { line: 1 }, KeyLine::PrivateKey { line: 2 }]
        );
        assert_eq!(lines.len(), if text.contains("after") { 3 } else { 2 }, "{text}");
    }
}

#[test]
fn an_empty_keys_file_is_an_entry_without_lines_and_a_huge_one_is_cut() {
    let guest = Guest::new();
    let file = guest.authorize("");
    assert_eq!(guest.lines(&file), KeyLines::default());
    let file = guest.authorize(&"# nothing\n".repeat(10_000));
    assert_eq!(guest.lines(&file), KeyLines { lines: Vec::new(), cut: true });
}

#[test]
fn what_is_planted_in_place_of_keys_is_named_and_not_opened_by_root() {
    let secret = "SECRET-OF-ROOT";
    type Plant = fn(&Path, &Path);
    let plants: [(&str, Plant, &str); 6] = [
        (
            "link to a file of root's",
            |file, root| symlink(root, file).unwrap(),
            "cannot read",
        ),
        (
            "pipe",
            |file, _| {
                assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
            },
            "not a regular file",
        ),
        ("directory", |file, _| fs::create_dir(file).unwrap(), "not a regular file"),
        (
            "link to a device",
            |file, _| symlink("/dev/zero", file).unwrap(),
            "not a regular file",
        ),
        ("dangling link", |file, _| symlink("/no/such", file).unwrap(), ""),
        (
            "link to itself",
            |file, _| symlink("authorized_keys", file).unwrap(),
            "leads nowhere",
        ),
    ];
    for (name, plant, expected) in plants {
        let guest = Guest::new();
        let root = guest.dir.path().join("root-only");
        fs::write(&root, format!("ssh-ed25519 {secret}\n{secret}\n")).unwrap();
        fs::set_permissions(&root, Permissions::from_mode(0o600)).unwrap();
        let file = guest.keys_file();
        plant(&file, &root);
        let collected_now = guest.collect("mira");
        assert!(!collected_now.raw.contains(secret), "{name}");
        let keys = collected(&collected_now.case.keys);
        match keys.files.get(&file.display().to_string()) {
            Some(KeyFile::Unread(why)) => {
                assert!(why.contains(expected), "{name}: {why}");
            }
            None => assert!(expected.is_empty(), "{name}"),
            Some(KeyFile::Read(lines)) => panic!("{name}: {lines:?}"),
        }
    }
}

#[test]
fn a_link_on_the_way_is_told_with_where_it_leads() {
    let guest = Guest::new();
    let real = PathBuf::from(guest.authorize(""));
    let away = guest.dir.path().join("away");
    fs::rename(real.parent().unwrap(), &away).unwrap();
    symlink(&away, real.parent().unwrap()).unwrap();
    let case = guest.collect("mira").case;
    let keys = collected(&case.keys);
    let ssh = real.parent().unwrap().display().to_string();
    let fact = keys.paths.iter().find(|fact| fact.path == ssh).unwrap();
    assert_eq!((fact.kind, fact.target.as_deref()), (PathKind::Symlink, away.to_str()));
    let file = real.display().to_string();
    let behind = away.join("authorized_keys").display().to_string();
    assert_eq!(keys.resolved[&file], behind);
    assert_eq!(kind(&case, &behind), PathKind::File);
    assert_eq!(keys.files[&file], KeyFile::Read(KeyLines::default()));
}

#[test]
fn a_file_that_quotes_the_mark_stays_one_file() {
    let guest = Guest::new();
    let file = guest.authorize("@@mark part keys\n@@mark end\n");
    assert_eq!(guest.lines(&file).lines.len(), 2);
}

#[test]
fn a_part_that_hangs_or_prints_too_much_costs_its_own_section_only() {
    let mut guest = Guest::new();
    guest.tool("ss", "sleep 1000 & sleep 1000");
    guest.tool("nft", "yes '{\"nftables\": []}'");
    guest.tool("ip", "exit 1");
    let begun = Instant::now();
    let case = guest.collect("mira").case;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(case.listeners.why_not(), Some("it did not end within 6 s"));
    assert_eq!(case.nft.why_not(), Some("cut: it is more than 1048576 bytes"));
    assert_eq!(collected(&case.addresses).interfaces.len(), 0);
    collected(&case.account);
    collected(&case.keys);
    collected(&case.disks);
}

#[test]
fn without_timeout_1_and_parts_of_seconds_a_hanging_part_still_ends() {
    let mut guest = Guest::new();
    guest.tool("sleep", "case $1 in *.*) exit 1 ;; esac; exec /usr/bin/sleep \"$1\"");
    guest.tool("ip", "sleep 1000 & sleep 1000");
    let bin = guest.dir.path().join("all");
    fs::create_dir(&bin).unwrap();
    for tool in fs::read_dir("/usr/bin").unwrap().flatten() {
        if tool.file_name() != "timeout" {
            let _ = symlink(tool.path(), bin.join(tool.file_name()));
        }
    }
    guest.path = format!("{}:{}", guest.dir.path().join("bin").display(), bin.display());
    let begun = Instant::now();
    let case = guest.collect("mira").case;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(case.addresses.why_not(), Some("it did not end within 6 s"));
    collected(&case.account);
    collected(&case.system);
}

#[test]
fn a_usual_answer_fits_into_one_call_of_4096_bytes() {
    let guest = Guest::new();
    let (public, _) = key(guest.dir.path(), "k");
    guest.authorize(&format!("{public} me\n"));
    let raw = guest.collect("mira").raw;
    let packed = Command::new("sh")
        .args(["-c", "gzip -c | base64 | tr -d '\\n'"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .and_then(|mut child| {
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), raw.as_bytes())?;
            child.wait_with_output()
        })
        .unwrap();
    let size = packed.stdout.len() as u64;
    let room = crate::channel::piece_size(4096);
    assert!(size < room, "{size} bytes, and one call has {room}");
}
