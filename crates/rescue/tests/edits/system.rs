//! What the verbs do to the files that are root's own: sshd's configuration, the
//! account files, host keys, units.

use doctor::{Edit, Insertion, Line};

use crate::tree::{SECRET, Tree};
use crate::verbs::{Case, ann};

const CONFIG: &str = "etc/ssh/sshd_config";

fn line(line: u32, text: &str) -> Line {
    Line { file: format!("/{CONFIG}"), line, text: text.to_owned() }
}

fn config(tree: &Tree, line: usize) -> String {
    tree.read(CONFIG).lines().nth(line - 1).unwrap_or_default().to_owned()
}

/// Every verb that changes them.
pub(crate) fn cases() -> Vec<Case> {
    vec![
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
