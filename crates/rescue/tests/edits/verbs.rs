//! What each verb does: the plain case, the dry run, the undo.

use doctor::{Edit, Insertion, Line};

use crate::tree::{ANN, BOB, Form, KEY, OTHER, SECRET, Shell, Tree, WAYS};

/// One verb at work.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) prepare: fn(&Tree),
    pub(crate) edits: fn() -> Vec<Edit>,
    /// What must hold then.
    pub(crate) check: fn(&Tree),
    /// What the dry run shows.
    pub(crate) shows: &'static [&'static str],
}

pub(crate) const KEYS: &str = "home/ann/.ssh/authorized_keys";
const CONFIG: &str = "etc/ssh/sshd_config";

pub(crate) fn ann() -> String {
    "ann".to_owned()
}

pub(crate) fn authorize() -> Vec<Edit> {
    vec![Edit::AuthorizeKey {
        user: ann(),
        file: format!("/{KEYS}"),
        key: KEY.to_owned(),
    }]
}

pub(crate) fn give_back(paths: &[&str]) -> Vec<Edit> {
    let paths = paths.iter().map(|path| format!("/{path}")).collect();
    vec![Edit::GiveBack { user: ann(), paths }]
}

fn line(line: u32, text: &str) -> Line {
    Line { file: format!("/{CONFIG}"), line, text: text.to_owned() }
}

fn config(tree: &Tree, line: usize) -> String {
    tree.read(CONFIG).lines().nth(line - 1).unwrap_or_default().to_owned()
}

/// Every verb that changes files.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case {
            name: "authorize-key adds a line, and the line break that was missing",
            prepare: |_| {},
            edits: authorize,
            check: |tree| {
                assert_eq!(tree.read(KEYS), format!("{OTHER} laptop\n{KEY} regain\n"));
                assert_eq!(tree.facts(KEYS), (ANN, 0o600));
            },
            shows: &[
                "diff --- /home/ann/.ssh/authorized_keys",
                "diff +ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAhh",
            ],
        },
        Case {
            name: "authorize-key makes file and directory",
            prepare: |tree| tree.remove("home/ann/.ssh"),
            edits: authorize,
            check: |tree| {
                assert_eq!(tree.read(KEYS), format!("{KEY} regain\n"));
                assert_eq!(tree.facts(KEYS), (ANN, 0o600));
                assert_eq!(tree.facts("home/ann/.ssh"), (ANN, 0o700));
            },
            shows: &["diff would: mkdir -m 0700 /home/ann/.ssh", "diff +ssh-ed25519"],
        },
        Case {
            name: "authorize-key moves aside what is no file",
            prepare: |tree| {
                tree.remove(KEYS);
                tree.directory(KEYS, ANN, 0o755);
                tree.file(&format!("{KEYS}/in"), "in\n", ANN, 0o644);
            },
            edits: authorize,
            check: |tree| {
                assert_eq!(tree.read(KEYS), format!("{KEY} regain\n"));
                assert_eq!(tree.read(&format!("{KEYS}.before-regain/in")), "in\n");
            },
            shows: &["diff would: mv /home/ann/.ssh/authorized_keys "],
        },
        Case {
            name: "authorize-key keeps a file of another owner for the undo",
            prepare: |tree| {
                tree.owner(KEYS, 0);
                tree.mode(KEYS, 0o644);
            },
            edits: authorize,
            check: |tree| {
                assert_eq!(tree.read(KEYS), format!("{OTHER} laptop\n{KEY} regain\n"));
                assert_eq!(tree.facts(KEYS).0, ANN);
            },
            shows: &["diff +ssh-ed25519"],
        },
        Case {
            name: "authorize-key in a directory of the system keeps owner and mode",
            prepare: |tree| {
                tree.directory("etc/ssh/keys", 0, 0o755);
                tree.file("etc/ssh/keys/ann", &format!("{OTHER}\n"), ANN, 0o640);
            },
            edits: || {
                vec![Edit::AuthorizeKey {
                    user: ann(),
                    file: "/etc/ssh/keys/ann".to_owned(),
                    key: KEY.to_owned(),
                }]
            },
            check: |tree| {
                assert_eq!(
                    tree.read("etc/ssh/keys/ann"),
                    format!("{OTHER}\n{KEY} regain\n")
                );
                assert_eq!(tree.facts("etc/ssh/keys/ann"), (ANN, 0o640));
            },
            shows: &["diff --- /etc/ssh/keys/ann"],
        },
        Case {
            name: "authorize-key makes a directory of the system that is not there",
            prepare: |_| {},
            edits: || {
                vec![Edit::AuthorizeKey {
                    user: ann(),
                    file: "/etc/ssh/keys/ann".to_owned(),
                    key: KEY.to_owned(),
                }]
            },
            check: |tree| {
                assert_eq!(tree.read("etc/ssh/keys/ann"), format!("{KEY} regain\n"));
                assert_eq!(tree.facts("etc/ssh/keys/ann"), (0, 0o644));
                assert_eq!(tree.facts("etc/ssh/keys"), (0, 0o755));
            },
            shows: &[
                "diff would: mkdir -m 0755 /etc/ssh/keys",
                "diff +++ /etc/ssh/keys/ann",
            ],
        },
        Case {
            name: "amend-key-line changes the options of one key",
            prepare: |tree| {
                let text = format!(
                    "{OTHER}\nno-pty,from=\"192.0.2.1,198.51.100.1\",command=\"a \\\"b\\\", c\" {KEY} mine\n"
                );
                tree.file(KEYS, &text, ANN, 0o600);
            },
            edits: || {
                vec![Edit::AmendKeyLine {
                    user: ann(),
                    file: format!("/{KEYS}"),
                    line: 2,
                    key: KEY.to_owned(),
                    drop: vec!["FROM".to_owned()],
                    add: vec!["from=\"192.0.2.7\"".to_owned()],
                }]
            },
            check: |tree| {
                assert_eq!(
                    tree.read(KEYS),
                    format!(
                        "{OTHER}\nno-pty,command=\"a \\\"b\\\", c\",from=\"192.0.2.7\" {KEY} mine\n"
                    )
                );
            },
            shows: &["diff +no-pty,command="],
        },
        Case {
            name: "make-home, with a key in it",
            prepare: |tree| tree.remove("home/ann"),
            edits: || {
                let mut edits =
                    vec![Edit::MakeHome { user: ann(), home: "/home/ann".to_owned() }];
                edits.extend(authorize());
                edits
            },
            check: |tree| {
                assert_eq!(tree.facts("home/ann"), (ANN, 0o700));
                assert_eq!(tree.read(KEYS), format!("{KEY} regain\n"));
            },
            shows: &["diff would: mkdir -m 0700 /home/ann, for ann", "diff +ssh-ed25519"],
        },
        Case {
            name: "take-write-access from the whole way down",
            prepare: |tree| {
                for name in ["home", "home/ann", "home/ann/.ssh"] {
                    tree.mode(name, 0o777);
                }
                tree.mode(KEYS, 0o666);
            },
            edits: || {
                let paths = [KEYS, "home/ann/.ssh", "home", "home/ann"];
                let paths = paths.iter().map(|path| format!("/{path}")).collect();
                vec![Edit::TakeWriteAccess { user: ann(), paths }]
            },
            check: |tree| {
                for name in ["home", "home/ann", "home/ann/.ssh"] {
                    assert_eq!(tree.facts(name).1, 0o755, "{name}");
                }
                assert_eq!(tree.facts(KEYS), (ANN, 0o644));
            },
            shows: &[
                "diff would: chmod 0755 /home\n",
                "diff would: chmod 0644 /home/ann/.ssh/authorized_keys",
            ],
        },
        Case {
            name: "take-write-access from a file of root's in the user's directory",
            prepare: |tree| {
                tree.owner(KEYS, 0);
                tree.mode(KEYS, 0o666);
            },
            edits: || {
                vec![Edit::TakeWriteAccess {
                    user: ann(),
                    paths: vec![format!("/{KEYS}")],
                }]
            },
            check: |tree| assert_eq!(tree.facts(KEYS), (0, 0o644)),
            shows: &["diff would: chmod 0644"],
        },
        Case {
            name: "give-back of home, .ssh and keys that are root's",
            prepare: |tree| {
                for name in [KEYS, "home/ann/.ssh", "home/ann"] {
                    tree.owner(name, 0);
                }
                tree.file(
                    KEYS,
                    &format!("# mine\n\nno-pty,from=\"10.0.0.1, x\" {KEY} me\n{OTHER}\n"),
                    0,
                    0o600,
                );
            },
            edits: || give_back(&[KEYS, "home/ann/.ssh", "home/ann"]),
            check: |tree| {
                assert_eq!(tree.facts("home/ann"), (ANN, 0o755));
                assert_eq!(tree.facts("home/ann/.ssh"), (ANN, 0o700));
                assert_eq!(tree.facts(KEYS), (ANN, 0o600));
                assert!(tree.read(KEYS).ends_with(&format!("{OTHER}\n")));
            },
            shows: &[],
        },
        Case {
            name: "give-back of a file that is another user's",
            prepare: |tree| {
                tree.owner(KEYS, BOB);
                tree.mode(KEYS, 0o640);
            },
            edits: || give_back(&[KEYS]),
            check: |tree| assert_eq!(tree.facts(KEYS), (ANN, 0o640)),
            shows: &["diff would: chown 41001:41001 /home/ann/.ssh/authorized_keys"],
        },
        Case {
            name: "give-back of what the user owns and cannot read",
            prepare: |tree| {
                tree.mode(KEYS, 0o000);
                tree.mode("home/ann/.ssh", 0o700);
            },
            edits: || give_back(&[KEYS]),
            check: |tree| assert_eq!(tree.facts(KEYS), (ANN, 0o600)),
            shows: &["diff would: chmod 0600"],
        },
        Case {
            name: "comment-out of several lines of one file",
            prepare: |_| {},
            edits: || {
                vec![Edit::CommentOut {
                    lines: vec![line(2, "PORT 9"), line(4, "denyusers")],
                }]
            },
            check: |tree| {
                assert_eq!(config(tree, 2), "# regain: Port 2222");
                assert_eq!(config(tree, 4), "# regain: DenyUsers ann");
                assert_eq!(tree.facts(CONFIG), (0, 0o640));
            },
            shows: &[
                "diff -Port 2222\ndiff +# regain: Port 2222\n",
                "diff +++ /etc/ssh/sshd_config",
            ],
        },
        Case {
            name: "comment-out-block up to the next Match",
            prepare: |_| {},
            edits: || {
                vec![Edit::CommentOutBlock { lines: vec![line(7, "Match User bob")] }]
            },
            check: |tree| {
                assert_eq!(config(tree, 7), "# regain: Match User bob");
                assert_eq!(config(tree, 8), "# regain:   X11Forwarding yes");
                assert_eq!(config(tree, 9), "");
                assert_eq!(config(tree, 10), "  # prose");
                assert_eq!(config(tree, 11), "Match all");
            },
            shows: &["diff +# regain: Match User bob"],
        },
        Case {
            name: "split-line where the break is missing",
            prepare: |_| {},
            edits: || {
                vec![Edit::SplitLine {
                    lines: vec![line(6, "X11Forwarding noPrintMotd no")],
                }]
            },
            check: |tree| {
                assert_eq!(config(tree, 6), "X11Forwarding no");
                assert_eq!(config(tree, 7), "PrintMotd no");
            },
            shows: &["diff +PrintMotd no"],
        },
        Case {
            name: "add-word before a comment",
            prepare: |_| {},
            edits: || vec![Edit::AddWord { line: line(3, "AllowUsers"), word: ann() }],
            check: |tree| assert_eq!(config(tree, 3), "AllowUsers ann bob carol # us"),
            shows: &["diff +AllowUsers ann bob carol # us"],
        },
        Case {
            name: "take-out-word, and the line with it that would be empty",
            prepare: |_| {},
            edits: || {
                let lines = vec![line(4, "DenyUsers ann"), line(5, "DenyUsers")];
                vec![Edit::TakeOutWord { lines, word: ann() }]
            },
            check: |tree| {
                assert_eq!(config(tree, 4), "# regain: DenyUsers ann");
                assert_eq!(config(tree, 5), "DenyUsers eve mallory");
            },
            shows: &["diff +DenyUsers eve mallory"],
        },
        Case {
            name: "insert-after",
            prepare: |_| {},
            edits: || {
                let new = "Port 22".to_owned();
                vec![Edit::InsertAfter {
                    insertions: vec![Insertion { after: line(2, "Port 2222"), new }],
                }]
            },
            check: |tree| {
                assert_eq!(config(tree, 2), "Port 2222");
                assert_eq!(config(tree, 4), "Port 22");
            },
            shows: &["diff +Port 22\n"],
        },
        Case {
            name: "restore-stock-config",
            prepare: |tree| {
                tree.remove(CONFIG);
                tree.file("etc/ssh/sshd_config.ucf-old", "Port 22\n", 0, 0o600);
            },
            edits: || vec![Edit::RestoreStockConfig {}],
            check: |tree| {
                assert_eq!(tree.read(CONFIG), "Port 22\n");
                assert_eq!(tree.facts(CONFIG), (0, 0o644));
            },
            shows: &["diff +Port 22"],
        },
        Case {
            name: "clear-expiry",
            prepare: |_| {},
            edits: || vec![Edit::ClearExpiry { user: ann() }],
            check: |tree| assert!(tree.read("etc/shadow").contains(":99999:7:::\nbob:")),
            shows: &[
                "diff -ann:!(hash):0:0:99999:7::19500:",
                "diff +ann:!(hash):0:0:99999:7:::",
            ],
        },
        Case {
            name: "renew-password",
            prepare: |_| {},
            edits: || vec![Edit::RenewPassword { user: ann() }],
            check: |tree| {
                let shadow = tree.read("etc/shadow");
                let day = shadow.lines().nth(1).unwrap().split(':').nth(2).unwrap();
                assert!(day.parse::<u32>().unwrap() > 19_000, "{day}");
            },
            shows: &["diff -ann:!(hash):0:"],
        },
        Case {
            name: "unlock-keys",
            prepare: |_| {},
            edits: || vec![Edit::UnlockKeys { user: ann() }],
            check: |tree| {
                assert!(tree.read("etc/shadow").contains(&format!("ann:*{SECRET}:")));
                assert_eq!(tree.facts("etc/shadow"), (0, 0o640));
            },
            shows: &["diff +ann:*(hash):"],
        },
        Case {
            name: "set-shell",
            prepare: |_| {},
            edits: || vec![Edit::SetShell { user: ann() }],
            check: |tree| {
                assert!(tree.read("etc/passwd").contains("/home/ann:/bin/bash\n"));
            },
            shows: &["diff -ann:x:41001:", "diff +ann:x:41001:"],
        },
        Case {
            name: "add-sshd-account",
            prepare: |_| {},
            edits: || vec![Edit::AddSshdAccount {}],
            check: |tree| {
                assert!(tree.read("etc/passwd").ends_with(
                "sshd:x:999:65534:sshd privilege separation:/run/sshd:/usr/sbin/nologin\n"
                ));
            },
            shows: &["diff +sshd:x:999:"],
        },
        Case {
            name: "remove-nologin",
            prepare: |tree| {
                tree.file("etc/nologin", "closed\n", 0, 0o644);
                tree.link("../etc/passwd", "run/nologin");
            },
            edits: || vec![Edit::RemoveNologin {}],
            check: |tree| {
                assert!(
                    !tree.path("etc/nologin").exists()
                        && !tree.path("run/nologin").exists()
                );
            },
            shows: &["diff would: rm /etc/nologin", "diff would: rm /run/nologin"],
        },
        Case {
            name: "make-host-keys",
            prepare: |tree| tree.file("etc/ssh/ssh_host_rsa_key", "", 0, 0o644),
            edits: || {
                let paths =
                    ["/etc/ssh/ssh_host_ed25519_key", "/etc/ssh/ssh_host_rsa_key"];
                vec![Edit::MakeHostKeys { paths: paths.map(str::to_owned).to_vec() }]
            },
            check: |tree| {
                for kind in ["ed25519", "rsa"] {
                    let key = format!("etc/ssh/ssh_host_{kind}_key");
                    assert!(tree.read(&key).contains("PRIVATE KEY"));
                    assert_eq!(tree.facts(&key), (0, 0o600));
                    assert_eq!(tree.facts(&format!("{key}.pub")), (0, 0o644));
                }
            },
            shows: &["diff would: ssh-keygen -t ed25519"],
        },
        Case {
            name: "close-host-keys",
            prepare: |tree| tree.file("etc/ssh/ssh_host_rsa_key", SECRET, 0, 0o644),
            edits: || {
                vec![Edit::CloseHostKeys {
                    paths: vec!["/etc/ssh/ssh_host_rsa_key".to_owned()],
                }]
            },
            check: |tree| assert_eq!(tree.facts("etc/ssh/ssh_host_rsa_key").1, 0o600),
            shows: &["diff would: chmod 0600 /etc/ssh/ssh_host_rsa_key"],
        },
    ]
}

/// On a mounted root only: in the live tree /usr is this machine's own.
pub(crate) fn offline_cases() -> Vec<Case> {
    vec![
        Case {
            name: "make-executable",
            prepare: |tree| tree.mode("usr/sbin/sshd", 0o644),
            edits: || vec![Edit::MakeExecutable {}],
            check: |tree| assert_eq!(tree.facts("usr/sbin/sshd"), (0, 0o755)),
            shows: &["diff would: chmod 0755 /usr/sbin/sshd"],
        },
        Case {
            name: "unmask-unit and enable-unit",
            prepare: |tree| {
                tree.link("/dev/null", "etc/systemd/system/ssh.service");
                tree.file(
                    "usr/lib/systemd/system/ssh.service",
                    "[Install]\nWantedBy=multi-user.target\n",
                    0,
                    0o644,
                );
            },
            edits: || {
                let unit = || "ssh.service".to_owned();
                vec![
                    Edit::UnmaskUnit { unit: unit() },
                    Edit::EnableUnit { unit: unit() },
                    Edit::ApplySshd { even_if_refused: false },
                ]
            },
            check: |tree| {
                assert!(!tree.path("etc/systemd/system/ssh.service").is_symlink());
                let link =
                    tree.path("etc/systemd/system/multi-user.target.wants/ssh.service");
                assert_eq!(
                    link.read_link().unwrap().to_str(),
                    Some("/usr/lib/systemd/system/ssh.service")
                );
            },
            shows: &[
                "diff would: rm /etc/systemd/system/ssh.service",
                "diff would: ln -s /usr/lib/systemd/system/ssh.service",
            ],
        },
        Case {
            name: "add-socket-port",
            prepare: |_| {},
            edits: || {
                vec![Edit::AddSocketPort { socket: "ssh.socket".to_owned(), port: 22 }]
            },
            check: |tree| {
                assert_eq!(
                    tree.read("etc/systemd/system/ssh.socket.d/zz-regain.conf"),
                    "[Socket]\nListenStream=22\n"
                );
            },
            shows: &["diff +ListenStream=22"],
        },
        Case {
            name: "drop-port-option",
            prepare: |tree| {
                tree.directory("etc/default", 0, 0o755);
                tree.file(
                    "etc/default/ssh",
                    "SSHD_OPTS=\"-p 2222 -4 -o Port=2222\"\n",
                    0,
                    0o644,
                );
            },
            edits: || vec![Edit::DropPortOption { port: 2222 }],
            check: |tree| assert_eq!(tree.read("etc/default/ssh"), "SSHD_OPTS=\" -4\"\n"),
            shows: &["diff +SSHD_OPTS"],
        },
    ]
}

fn prove(case: &Case, shell: Shell, form: Form) {
    let context = format!("{} ({shell:?}, {form:?})", case.name);
    let tree = Tree::new(shell, form);
    (case.prepare)(&tree);
    tree.age();
    let edits = (case.edits)();
    let before = tree.snapshot();

    let shown = tree.dry_run(&edits);
    before.assert_same(&tree.snapshot(), &format!("{context}, dry"));
    assert!(!tree.path("var/lib/regain").exists(), "{context}: a dry run leaves records");
    for line in case.shows {
        assert!(
            shown.ok && shown.out.contains(line),
            "{context}: no {line} in {}{}",
            shown.out,
            shown.err
        );
    }
    assert!(!shown.out.contains(SECRET), "{context}: a secret is shown");

    let ran = tree.run(1, &edits);
    assert!(ran.ok, "{context}: {}{}", ran.out, ran.err);
    assert_eq!(ran.err, "", "{context}");
    (case.check)(&tree);

    let undone = tree.undo(1);
    assert!(undone.ok, "{context}: {}{}", undone.out, undone.err);
    before.assert_same(&tree.snapshot(), &format!("{context}, undone"));
    assert!(!tree.path("var/lib/regain").exists(), "{context}: the undo leaves no trace");
}

fn prove_all(shell: Shell, form: Form) {
    for case in cases() {
        prove(&case, shell, form);
    }
    if form == Form::Mounted {
        for case in offline_cases() {
            prove(&case, shell, form);
        }
    }
}

#[test]
fn every_verb_in_dash_on_a_mounted_root() {
    prove_all(WAYS[0].0, WAYS[0].1);
}

#[test]
fn every_verb_in_bash_on_a_mounted_root() {
    prove_all(WAYS[1].0, WAYS[1].1);
}

#[test]
fn every_verb_in_busybox_on_a_mounted_root() {
    prove_all(WAYS[2].0, WAYS[2].1);
}

#[test]
fn every_verb_in_dash_live() {
    prove_all(WAYS[3].0, WAYS[3].1);
}

#[test]
fn every_verb_in_bash_live() {
    prove_all(WAYS[4].0, WAYS[4].1);
}

#[test]
fn every_verb_in_busybox_live() {
    prove_all(WAYS[5].0, WAYS[5].1);
}
