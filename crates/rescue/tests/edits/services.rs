//! What is not a file: units, sshd, the packet filter, processes. systemctl, nft and
//! the others write down what they are asked; `sshd -t` is the real one.

use std::net::IpAddr;
use std::process::Command;

use doctor::{Edit, FilterRule, Line};

use crate::tree::{Form, Shell, Tree, WAYS};

/// A live guest whose systemd knows `ssh.service`, started or not.
fn guest(shell: Shell, active: bool) -> Tree {
    let tree = Tree::new(shell, Form::Live);
    tree.file(
        "fake/systemctl",
        "#!/bin/sh\ncase \"$*\" in\n\
         'is-active -q ssh.socket') exit 3 ;;\n\
         is-active*) [ -e /run/active ] ;;\n\
         cat*) exit 0 ;;\n\
         start*) echo \"$*\" >>/run/log; : >/run/active ;;\n\
         stop*) echo \"$*\" >>/run/log; rm -f /run/active ;;\n\
         *) echo \"$*\" >>/run/log ;;\nesac\n",
        0,
        0o755,
    );
    if active {
        tree.file("run/active", "", 0, 0o644);
    }
    // sshd wants an account of its own, and a key.
    let passwd =
        format!("{}sshd:x:999:65534::/run/sshd:/bin/false\n", tree.read("etc/passwd"));
    tree.file("etc/passwd", &passwd, 0, 0o644);
    tree.file("etc/ssh/sshd_config", "Port 22\nHostKey /etc/ssh/key\n", 0, 0o644);
    let key = tree.path("etc/ssh/key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(key)
        .status();
    assert!(made.unwrap().success());
    tree.link("/usr/sbin/sshd", "fake/sshd");
    tree
}

fn log(tree: &Tree) -> String {
    std::fs::read_to_string(tree.path("run/log")).unwrap_or_default()
}

const APPLY: Edit = Edit::ApplySshd { even_if_refused: false };

#[test]
fn a_stopped_sshd_is_started_and_a_running_one_reloaded() {
    for (shell, form) in WAYS {
        if form == Form::Mounted {
            continue;
        }
        let tree = guest(shell, false);
        tree.run(1, &[APPLY]).succeeded();
        assert_eq!(log(&tree), "reset-failed ssh.service\nstart ssh.service\n");
        tree.run(2, &[APPLY]).succeeded();
        assert!(log(&tree).ends_with("start ssh.service\nreload ssh.service\n"));
        tree.undo(2).succeeded();
        tree.undo(1).succeeded();
        assert!(
            log(&tree)
                .ends_with("reload ssh.service\nreload ssh.service\nstop ssh.service\n"),
            "{}",
            log(&tree)
        );
    }
}

#[test]
fn sshd_is_never_touched_on_a_configuration_that_it_refuses() {
    let tree = guest(Shell::Dash, true);
    tree.file("etc/ssh/sshd_config", "Nonsense yes\nHostKey /etc/ssh/key\n", 0, 0o644);
    let ran = tree.run(1, &[APPLY]);
    assert!(!ran.ok);
    ran.says("say sshd refuses its configuration, so it stays as it is: ").says("line 1");
    assert_eq!(log(&tree), "");
    // Where the next cause's repair is to mend that, the step goes on.
    tree.run(2, &[Edit::ApplySshd { even_if_refused: true }])
        .succeeded()
        .says("say not started");
}

#[test]
fn what_sshd_refuses_is_commented_out_line_by_line_and_never_a_match() {
    for shell in [Shell::Dash, Shell::Bash, Shell::Busybox] {
        let tree = guest(shell, false);
        let config = "HostKey /etc/ssh/key\nInclude /etc/ssh/sshd_config.d/*.conf\nNonsense yes\n\
                      X11Forwarding maybe\nPort 70000\n";
        tree.file("etc/ssh/sshd_config", config, 0, 0o644);
        tree.file("etc/ssh/sshd_config.d/a b.conf", "Ciphers none-such\n", 0, 0o644);
        tree.age();
        let before = tree.snapshot();
        let edits = [Edit::CommentOutRefused {}, APPLY];
        tree.run(1, &edits).succeeded();
        assert_eq!(
            tree.read("etc/ssh/sshd_config"),
            "HostKey /etc/ssh/key\nInclude /etc/ssh/sshd_config.d/*.conf\n# regain: Nonsense yes\n\
             # regain: X11Forwarding maybe\n# regain: Port 70000\n"
        );
        assert_eq!(
            tree.read("etc/ssh/sshd_config.d/a b.conf"),
            "# regain: Ciphers none-such\n"
        );
        tree.undo(1).succeeded();
        let strip = |snapshot: crate::tree::Snapshot| snapshot.without("run");
        strip(before).assert_same(&strip(tree.snapshot()), "undone");

        tree.file(
            "etc/ssh/sshd_config",
            "HostKey /etc/ssh/key\nMatch Foo bar\nPort 22\n",
            0,
            0o644,
        );
        let ran = tree.run(2, &edits);
        assert!(!ran.ok, "{ran:?}");
        assert!(tree.read("etc/ssh/sshd_config").contains("\nMatch Foo bar\n"));
    }
}

#[test]
fn a_dry_run_runs_nothing() {
    let tree = guest(Shell::Dash, false);
    tree.link("/dev/null", "etc/systemd/system/ssh.service");
    for tool in ["nft", "fail2ban-client", "ufw"] {
        tree.link("systemctl", &format!("fake/{tool}"));
    }
    let before = tree.snapshot();
    let client = IpAddr::from([192, 0, 2, 7]);
    let edits = [
        Edit::UnmaskUnit { unit: "ssh.service".to_owned() },
        APPLY,
        accept("nft", Some(7)),
        Edit::LiftBan { client },
        Edit::AllowInUfw { port: 22, client },
    ];
    let shown = tree.dry_run(&edits);
    shown.succeeded();
    for line in [
        "would: rm /etc/systemd/system/ssh.service\n",
        "would: systemctl daemon-reload\n",
        "would: sshd -t, and only if it accepts: start sshd",
        "would: nft insert rule inet lockout input handle 7 ip saddr 192.0.2.7 tcp dport 22 accept",
        "would: fail2ban-client unban 192.0.2.7\n",
        "would: ufw prepend allow proto tcp from 192.0.2.7 to any port 22\n",
    ] {
        shown.says(&format!("diff {line}"));
    }
    before.assert_same(&tree.snapshot(), "dry");
}

#[test]
fn a_unit_is_unmasked_and_masked_again() {
    let tree = guest(Shell::Dash, false);
    tree.link("/dev/null", "run/systemd/system/ssh.service");
    let unmask = Edit::UnmaskUnit { unit: "ssh.service".to_owned() };
    tree.run(1, &[unmask.clone(), APPLY]).succeeded();
    assert!(!tree.path("run/systemd/system/ssh.service").is_symlink());
    assert!(log(&tree).starts_with("daemon-reload\nreset-failed"), "{}", log(&tree));
    tree.undo(1).succeeded();
    assert!(tree.path("run/systemd/system/ssh.service").is_symlink());
    assert!(log(&tree).ends_with("stop ssh.service\ndaemon-reload\n"));
    tree.remove("run/systemd/system/ssh.service");
    tree.run(2, &[unmask]).says("ssh.service is not masked");
}

#[test]
fn a_failed_last_edit_takes_the_commands_back_too() {
    let tree = guest(Shell::Dash, false);
    let line = Line {
        file: "/etc/ssh/sshd_config".to_owned(),
        line: 9,
        text: "Port 1".to_owned(),
    };
    let ran = tree.run(1, &[APPLY, Edit::CommentOut { lines: vec![line] }]);
    assert!(!ran.ok);
    assert!(
        log(&tree).ends_with("start ssh.service\nstop ssh.service\n"),
        "{}",
        log(&tree)
    );
}

fn accept(tool: &str, place: Option<u64>) -> Edit {
    let (family, table, chain) = if tool == "nft" {
        ("inet", "lockout", "input")
    } else {
        ("-", "filter", "INPUT")
    };
    let [tool, family, table, chain] = [tool, family, table, chain].map(str::to_owned);
    Edit::AcceptSsh {
        rules: vec![FilterRule { tool, family, table, chain, place }],
        port: 22,
        client: IpAddr::from([192, 0, 2, 7]),
        incoming: true,
    }
}

/// In a network namespace of its own, whose packet filter is nobody else's.
#[test]
fn the_packet_filter_accepts_one_client_before_the_rule_and_forgets_it_again() {
    for shell in [Shell::Dash, Shell::Bash, Shell::Busybox] {
        let namespace = format!("regain-edits-{}-{shell:?}", std::process::id());
        let _gone = Namespace::new(&namespace);
        let nft = |args: &str| {
            let run = Command::new("ip")
                .args(["netns", "exec", &namespace, "nft"])
                .args(args.split(' '))
                .output();
            String::from_utf8(run.unwrap().stdout).unwrap()
        };
        nft("add table inet lockout");
        nft(
            "add chain inet lockout input { type filter hook input priority 0 ; policy drop ; }",
        );
        nft("add rule inet lockout input tcp dport 22 drop");
        let before = nft("list ruleset");
        let tree = guest(shell, true);
        // Into that namespace; mounts stay as they are.
        tree.file(
            "fake/nft",
            &format!("#!/bin/sh\nexec nsenter --net=/var/netns/{namespace} /usr/sbin/nft \"$@\"\n"),
            0,
            0o755,
        );
        tree.directory("var/netns", 0, 0o755);
        let mut tree = tree;
        tree.mounts = "mount --rbind /run/netns \"$tree/var/netns\"".to_owned();
        let handle = nft("-a list chain inet lockout input");
        let handle = handle.split("dport 22 drop # handle ").nth(1).unwrap();
        let handle = handle.split('\n').next().unwrap().parse().unwrap();
        tree.run(1, &[accept("nft", Some(handle)), accept("nft", None)]).succeeded();
        let chain = nft("list chain inet lockout input");
        let rules: Vec<&str> =
            chain.lines().map(str::trim).filter(|line| line.contains("dport")).collect();
        assert!(
            rules[0].starts_with("ip saddr 192.0.2.7 tcp dport 22 accept"),
            "{chain}"
        );
        assert_eq!(rules[1], "tcp dport 22 drop");
        assert!(
            rules[2].starts_with("ip saddr 192.0.2.7 tcp dport 22 accept"),
            "{chain}"
        );
        // Somebody else's rule since stays.
        nft("add rule inet lockout input tcp dport 80 accept");
        tree.undo(1).succeeded();
        nft("flush chain inet lockout input");
        nft("add rule inet lockout input tcp dport 22 drop");
        assert_eq!(nft("list ruleset"), before);
    }
}

struct Namespace(String);

impl Namespace {
    fn new(name: &str) -> Self {
        assert!(
            Command::new("ip").args(["netns", "add", name]).status().unwrap().success()
        );
        Self(name.to_owned())
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

#[test]
fn iptables_gets_the_rule_by_its_number_and_loses_it_by_its_words() {
    let tree = guest(Shell::Dash, true);
    tree.file("fake/iptables-legacy", "#!/bin/sh\necho \"$*\" >>/run/log\n", 0, 0o755);
    let Edit::AcceptSsh { rules, port, client, .. } = accept("iptables-legacy", Some(3))
    else {
        panic!("it accepts")
    };
    tree.run(1, &[Edit::AcceptSsh { rules, port, client, incoming: false }]).succeeded();
    let said = log(&tree);
    assert!(said.starts_with("-w -t filter -I INPUT 3 -d 192.0.2.7 -p tcp --sport 22 -m comment --comment regain."), "{said}");
    tree.undo(1).succeeded();
    let words = said.trim().strip_prefix("-w -t filter -I INPUT 3 ").unwrap();
    assert!(log(&tree).ends_with(&format!(
        "-w -t filter -C INPUT {words}\n-w -t filter -D INPUT {words}\n"
    )));
}

#[test]
fn a_mounted_root_has_no_filter_and_no_sshd_to_ask() {
    let tree = Tree::new(Shell::Dash, Form::Mounted);
    tree.run(1, &[accept("nft", Some(7))])
        .says("the packet filter of a mounted root does not run");
    tree.run(1, &[Edit::CommentOutRefused {}])
        .says("the sshd of a mounted root is not run");
}

#[test]
fn only_processes_of_sshd_are_let_go_on() {
    let tree = Tree::new(Shell::Dash, Form::Live);
    let pid = std::process::id();
    tree.run(1, &[Edit::ContinueProcesses { pids: vec![pid] }])
        .says(&format!("process {pid} is "));
}
