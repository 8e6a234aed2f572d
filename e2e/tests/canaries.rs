//! Nothing secret is collected, so nothing has to be removed: a canary in every file
//! that could be read, and then a search in everything that is said, kept or shown.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use e2e::{Entry, Lab, Ran, Vm};

/// Where a canary sits, and the line that puts it there, as root in the guest. `@` is
/// the canary, and `~` the user's home.
const PLACES: [(&str, &str); 32] = [
    ("a comment of sshd_config", "echo '# @' >>/etc/ssh/sshd_config"),
    (
        "a comment beside a setting",
        "echo 'PrintMotd no # @' >>/etc/ssh/sshd_config.d/c.conf",
    ),
    (
        "an environment that sshd sets",
        "echo 'SetEnv TOKEN=@' >>/etc/ssh/sshd_config.d/c.conf",
    ),
    (
        "a command's argument in a Match block",
        "printf 'Match User nobody\\n ForceCommand /bin/x --token=@\\n' \
         >/etc/ssh/sshd_config.d/m.conf",
    ),
    ("a key's comment", "echo \"$OTHER @\" >>~/.ssh/authorized_keys"),
    (
        "a forced command",
        "echo \"command=\\\"/bin/x @\\\" $OTHER\" >>~/.ssh/authorized_keys",
    ),
    (
        "a key's environment",
        "echo \"environment=\\\"T=@\\\" $OTHER\" >>~/.ssh/authorized_keys",
    ),
    ("a comment among keys", "echo '# @' >>~/.ssh/authorized_keys"),
    ("what is no key among keys", "echo 'password: @' >>~/.ssh/authorized_keys"),
    ("a private key of the user's", "echo @ >~/.ssh/id_rsa"),
    ("the user's own client settings", "echo '# @' >~/.ssh/config"),
    ("the user's environment", "echo 'T=@' >~/.ssh/environment"),
    ("the user's history", "echo 'mysql -p@' >~/.bash_history"),
    ("the user's profile", "echo 'export T=@' >>~/.profile"),
    ("the user's own hash", "usermod -p '$6$salt$@' azureuser"),
    ("another user's hash", "useradd other && usermod -p '$6$salt$@' other"),
    ("root's hash", "usermod -p '$6$salt$@' root"),
    ("a group's password", "sed -i 's/^sudo:[^:]*:/sudo:@:/' /etc/gshadow"),
    ("a name in passwd", "usermod -c @ azureuser"),
    ("sudo's rules", "echo '# @' >/etc/sudoers.d/c && chmod 440 /etc/sudoers.d/c"),
    (
        "a unit's environment",
        "mkdir -p /etc/systemd/system/ssh.service.d && printf '[Service]\\nEnvironment=T=@\\n' \
         >/etc/systemd/system/ssh.service.d/c.conf && systemctl daemon-reload",
    ),
    ("sshd's defaults", "echo 'TOKEN=@' >>/etc/default/ssh"),
    ("PAM's settings", "echo '# @' >>/etc/pam.d/sshd"),
    ("the system's environment", "echo 'T=@' >>/etc/environment"),
    ("a mount's credentials", "echo '//h/s /m cifs noauto,password=@ 0 0' >>/etc/fstab"),
    ("denied hosts", "echo '# @' >>/etc/hosts.deny"),
    ("the message of the day", "echo @ >/etc/motd"),
    (
        "a packet filter's comment",
        "nft add table inet c && nft 'add chain inet c c' && \
         nft 'add rule inet c c tcp dport 9 counter comment \"@\"'",
    ),
    (
        "an old packet filter's comment",
        "iptables -A OUTPUT -p tcp --dport 9 -m comment --comment @",
    ),
    (
        "cloud-init's data",
        "mkdir -p /var/lib/cloud/instance && echo @ >/var/lib/cloud/instance/user-data.txt",
    ),
    (
        "root's keys",
        "mkdir -p /root/.ssh && echo \"$OTHER @\" >/root/.ssh/authorized_keys",
    ),
    (ARGUMENT, "setsid perl -e 'sleep 600' -- --password=@ >/dev/null 2>&1 </dev/null &"),
];

/// The one canary that is in an argument by itself.
const ARGUMENT: &str = "a process's arguments";

/// A key that is nobody's.
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xkAsQnAgUiQzKpnTuWS2LmEBKLUfSH7wdDbhVoLhX";

/// What must not be seen anywhere.
struct Canary {
    place: String,
    word: String,
}

#[test]
fn nothing_secret_is_said_kept_or_shown() {
    let lab = Lab::down();
    let mut up = lab.command(&["lab", "up"]);
    up.env("REGAIN_LOG", "trace");
    Ran::of(up).ok();
    let vm = lab.vm();
    let canaries = planted(&lab, &vm);

    // Locked out twice over: the way to the keys is open to all, and the client's own
    // key is not among them.
    let public = fs::read_to_string(format!("{}.pub", vm.key())).expect("a public key");
    let public = public.split_whitespace().nth(1).expect("type and key");
    vm.sh(&format!(
        "cd /home/azureuser/.ssh && grep -vF {public} authorized_keys >rest && \
         cat rest >authorized_keys && rm rest && chmod 777 /home/azureuser"
    ))
    .ok();
    let argv = Watch::begin();
    let case = lab.home().join("case.json");
    let diagnosed = traced(&lab, &["diagnose", "--save", &case.to_string_lossy()]);
    assert_eq!(diagnosed.exit, 1, "{diagnosed:#?}");
    let repaired = traced(&lab, &["repair"]);
    assert_eq!(repaired.exit, 0, "{repaired:#?}");
    let id = repaired.json()["undoId"].as_str().expect("an undo").to_owned();
    let undone = Ran::of({
        let mut undo = lab.command(&["undo", &id]);
        undo.env("REGAIN_LOG", "trace");
        undo
    })
    .ok();
    let argv = argv.end();

    // The search can find: it finds what is there.
    let shown = canaries.iter().find(|one| one.place == ARGUMENT).expect("planted");
    assert!(argv.contains(&shown.word), "the watch saw nothing");

    let mut found = Vec::new();
    let mut search = |what: &str, text: &str, but: Option<&str>| {
        for Canary { place, word } in &canaries {
            if text.contains(word.as_str()) && but != Some(place.as_str()) {
                found.push(format!("{place}: in {what}: {}", around(text, word)));
            }
        }
    };
    search("the arguments of processes", &argv, Some(ARGUMENT));
    search("the case", &fs::read_to_string(&case).expect("a case"), None);
    for (what, ran) in
        [("diagnose", &diagnosed), ("repair", &repaired), ("undo", &undone)]
    {
        search(&format!("what {what} prints"), &ran.stdout, None);
        search(&format!("the log of {what}"), &ran.stderr, None);
    }
    let own = vm.key();
    let homes = ["machines", "case.json", "id_", "ca.", "credentials", "tls", &own];
    for (path, text) in files(lab.home(), &homes) {
        search(&format!("the host's {path}"), &text, None);
    }
    let guest = "journalctl --no-pager -o cat -u regain-guest; cd /run/regain 2>/dev/null && \
                 grep -ra . . ; cd /var/lib/waagent && grep -ra --include=*.status . .; \
                 cd /var/log && grep -rIa --exclude-dir=journal . .; true";
    search("the guest's logs", &vm.sh(guest).ok().stdout, None);
    // What an undo puts back has to be kept, for root only.
    let kept = vm.sh("find /var/lib/regain/* -perm /077 2>/dev/null; true");
    assert_eq!(kept.ok().stdout, "", "somebody else may read what is kept for an undo");
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

fn planted(lab: &Lab, vm: &Vm<'_>) -> Vec<Canary> {
    let mut canaries = Vec::new();
    for (number, (place, line)) in PLACES.iter().enumerate() {
        let word = format!("canary{number:02}canary");
        let line = line.replace('@', &word).replace('~', "/home/azureuser");
        vm.sh(&format!("OTHER='{OTHER}'; {line}")).ok();
        canaries.push(Canary { place: (*place).to_owned(), word });
    }
    vm.sh("sshd -t && chown -R azureuser: /home/azureuser").ok();
    // Secrets that are there anyway: a line of each key, and what the client signs in
    // with.
    let host_key = vm.sh("sed -n 3p /etc/ssh/ssh_host_ed25519_key").ok().stdout;
    let own_key = fs::read_to_string(vm.key()).expect("the client's key");
    let own_key = own_key.lines().nth(3).expect("a line of the key");
    for (place, word) in [
        ("the host's private key", host_key.trim()),
        ("the client's private key", own_key),
        ("the client's secret", Entry::of(lab).client_secret.as_str()),
    ] {
        assert!(word.len() >= 16, "{place}: {word:?}");
        canaries.push(Canary { place: place.to_owned(), word: word.to_owned() });
    }
    canaries
}

fn traced(lab: &Lab, words: &[&str]) -> Ran {
    let target = ["-g", "lab", "-n", "vm1", "-o", "json"];
    let mut command = lab.command(&[words, &target].concat());
    command.env("REGAIN_LOG", "trace");
    Ran::of(command)
}

/// Command lines of every process on this host, guests included, as long as it lasts.
struct Watch {
    over: Arc<AtomicBool>,
    seen: thread::JoinHandle<BTreeSet<Vec<u8>>>,
}

impl Watch {
    fn begin() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let seen = thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !told.load(Ordering::Relaxed) {
                let entries = fs::read_dir("/proc").expect("/proc").flatten();
                seen.extend(
                    entries.filter_map(|e| fs::read(e.path().join("cmdline")).ok()),
                );
                thread::sleep(std::time::Duration::from_millis(2));
            }
            seen
        });
        Self { over, seen }
    }

    fn end(self) -> String {
        self.over.store(true, Ordering::Relaxed);
        let seen = self.seen.join().expect("the watch goes on");
        seen.iter()
            .map(|line| String::from_utf8_lossy(line).replace('\0', " ") + "\n")
            .collect()
    }
}

/// The files below a directory as text, but for those whose path says what they are.
fn files(directory: &Path, but: &[&str]) -> Vec<(String, String)> {
    let mut find = Command::new("find");
    find.arg(directory).args(["-xdev", "-type", "f"]);
    let listed = Ran::of(find).ok().stdout;
    let kept = listed.lines().filter(|path| !but.iter().any(|word| path.contains(word)));
    kept.filter_map(|path| {
        let bytes = fs::read(path).ok()?;
        Some((path.to_owned(), String::from_utf8_lossy(&bytes).into_owned()))
    })
    .collect()
}

/// The place where a word stands.
fn around(text: &str, word: &str) -> String {
    let at = text.find(word).unwrap_or(0);
    let (from, to) = (at.saturating_sub(60), (at + word.len() + 40).min(text.len()));
    String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned()
}
