//! The same files asked of the real sshd: `sshd -T -C`.
//!
//! What ours calls known must be what sshd says, and where sshd refuses the files,
//! ours must know nothing. Group criteria are asked about root, whose groups this
//! machine knows.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use formats::sshd_config::{Config, Connection};
use proptest::prelude::*;
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";

/// Keywords that decide who gets in, with values that sshd may or may not take.
const SETTINGS: &[(&str, &[&str])] = &[
    ("Port", &["22", "2222", "0", "x"]),
    ("ListenAddress", &["127.0.0.1", "127.0.0.1:2200", "::1", "[::1]:22", "0.0.0.0"]),
    ("AddressFamily", &["any", "inet", "inet6"]),
    ("AllowUsers", &["root", "r* bob", "root@10.0.0.0/8", "a@10.0.0.1/8", "\"a b\""]),
    ("DenyUsers", &["eve", "!root", "bob@*.example"]),
    ("AllowGroups", &["root", "adm wheel"]),
    ("DenyGroups", &["games", "no*"]),
    ("PubkeyAuthentication", &["yes", "no", "No", "maybe"]),
    ("PasswordAuthentication", &["yes", "no", "\"no\"", "yes no", ""]),
    ("KbdInteractiveAuthentication", &["yes", "no"]),
    ("ChallengeResponseAuthentication", &["yes", "no"]),
    ("AuthorizedKeysFile", &["none", ".ssh/a .ssh/b", "/etc/k/%u", "\".ssh/a b\""]),
    (
        "AuthenticationMethods",
        &["any", "publickey", "publickey,password password", "hostbased", "x"],
    ),
    (
        "PermitRootLogin",
        &["yes", "no", "prohibit-password", "without-password", "forced-commands-only"],
    ),
    ("UsePAM", &["yes", "no"]),
    ("StrictModes", &["yes", "no"]),
    ("MaxAuthTries", &["1", "6", "-1", "six"]),
    ("MaxSessions", &["0", "10"]),
    ("LoginGraceTime", &["120", "2m", "1h30m", "2x"]),
    ("PermitEmptyPasswords", &["yes", "no"]),
    ("AuthorizedKeysCommand", &["none", "/usr/bin/k %u", "bin/k"]),
    ("AuthorizedKeysCommandUser", &["nobody"]),
    ("AllowTcpForwarding", &["yes", "local", "all"]),
    ("PermitTTY", &["yes", "no"]),
    ("ClientAliveInterval", &["0", "30"]),
    ("Protocol", &["2", "1,2"]),
    ("NoSuchKeyword", &["1"]),
];

const CRITERIA: &[&str] = &[
    "User root",
    "User bob",
    "User r*,!root",
    "User=root",
    "user \"root\"",
    "User *",
    "Group root",
    "Group no*",
    "Group !root,*",
    "Host client.example",
    "Host *.EXAMPLE",
    "Host !client.*,*",
    "Address 10.0.0.0/8",
    "Address 10.1.*",
    "Address !10.1.2.3,10.0.0.0/8",
    "Address 2001:db8::/32",
    "Address 10.0.0.1/8",
    "LocalAddress 10.9.0.0/16",
    "LocalAddress 127.0.0.1",
    "LocalPort 22",
    "LocalPort 2222",
    "LocalPort x",
    "all",
    "User root all",
    "User",
    "Nobody x",
    "canonical",
    "RDomain x",
];

/// A file's lines; `{0}` and so on stand for the other files' paths.
fn line() -> impl Strategy<Value = String> {
    let setting = prop::sample::select(SETTINGS).prop_flat_map(|(keyword, values)| {
        // Values that sshd refuses are last, and rare: most files should be accepted.
        let values = values.to_vec();
        (Just(keyword), prop::sample::select(values), 0usize..8)
    });
    let spaced = setting.prop_map(|(keyword, value, spacing)| match spacing {
        0 => format!("\t{keyword}\t {value}"),
        1 => format!("{keyword}={value}"),
        2 => format!("{keyword} = {value}  "),
        3 => format!("{} {value} # why", keyword.to_uppercase()),
        4 => format!("{} {value}\r", keyword.to_lowercase()),
        _ => format!("{keyword} {value}"),
    });
    let criteria = prop::collection::vec(prop::sample::select(CRITERIA), 1..3);
    prop_oneof![
        12 => spaced,
        4 => criteria.prop_map(|criteria| format!("Match {}", criteria.join(" "))),
        2 => prop::sample::select(vec![
            "Include {0}", "Include {1} {2}", "Include \"{d}/*.conf\"", "Include {d}/[12].conf",
            "Include {d}/none*", "Include {m}", "Include",
        ]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["", "# Port 1", "   ", "\t#x", "Port \"22"])
            .prop_map(str::to_owned),
    ]
}

/// Lines that sshd takes, most of the time: otherwise every longer file is refused.
fn mostly_right(line: &str) -> bool {
    let wrong = [
        "maybe",
        "Port 0",
        "Port x",
        "yes no",
        "10.0.0.1/8",
        "hostbased",
        " x",
        "=x",
        "-1",
        "six",
        "2x",
        "bin/k",
        "NoSuch",
        "root all",
        "Nobody",
        "canonical",
        "{m}",
        "\"22",
        "Match User\n",
    ];
    let bare = ["Include", "Match User"];
    !wrong.iter().any(|wrong| line.contains(wrong))
        && !bare.contains(&line)
        && !line.trim_end().to_ascii_lowercase().ends_with("authentication")
}

fn text(length: usize) -> impl Strategy<Value = String> {
    prop::collection::vec((line(), 0u8..30), 0..length).prop_map(|lines| {
        let kept =
            lines.into_iter().filter(|(line, luck)| *luck == 0 || mostly_right(line));
        kept.map(|(line, _)| line + "\n").collect()
    })
}

#[derive(Debug, Clone)]
struct Asked {
    user: &'static str,
    host: &'static str,
    address: &'static str,
    local_address: &'static str,
    local_port: u16,
}

fn asked() -> impl Strategy<Value = Asked> {
    (
        prop::sample::select(vec!["root", "bob"]),
        prop::sample::select(vec!["client.example", "10.1.2.3"]),
        prop::sample::select(vec!["10.1.2.3", "192.0.2.7", "2001:db8::5"]),
        prop::sample::select(vec!["10.9.0.4", "127.0.0.1"]),
        prop::sample::select(vec![22, 2222]),
    )
        .prop_map(|(user, host, address, local_address, local_port)| Asked {
            user,
            host,
            address,
            local_address,
            local_port,
        })
}

/// The files in a directory of their own, and what sshd makes of them.
struct Guest {
    directory: TempDir,
    files: BTreeMap<String, String>,
    main: String,
}

impl Guest {
    fn new(main: &str, others: &[String]) -> Self {
        let directory = TempDir::new().expect("a directory");
        let path = |name: &str| directory.path().join(name).display().to_string();
        let d = directory.path().display().to_string();
        let fill = |text: &str| {
            let mut text = text.replace("{d}", &d).replace("{m}", &path("main"));
            for index in 0..3 {
                text = text
                    .replace(&format!("{{{index}}}"), &path(&format!("{index}.conf")));
            }
            text
        };
        let mut files = BTreeMap::from([(path("main"), fill(main))]);
        for (index, text) in others.iter().enumerate() {
            files.insert(path(&format!("{index}.conf")), fill(text));
        }
        for (path, text) in &files {
            fs::write(path, text).expect("a file");
        }
        let main = path("main");
        Self { directory, files, main }
    }

    /// `sshd -T -C`: keyword to values; nothing if sshd refuses the files.
    fn sshd(&self, key: &Path, asked: &Asked) -> Option<BTreeMap<String, Vec<String>>> {
        let connection = format!(
            "user={},host={},addr={},laddr={},lport={}",
            asked.user, asked.host, asked.address, asked.local_address, asked.local_port
        );
        let output = Command::new(SSHD)
            .args(["-T", "-f", &self.main, "-C", &connection, "-h"])
            .arg(key)
            .current_dir(self.directory.path())
            .output()
            .expect("sshd runs");
        if !output.status.success() {
            return None;
        }
        let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
            settings.entry(keyword.to_owned()).or_default().push(value.to_owned());
        }
        Some(settings)
    }
}

/// What `sshd -T` would print for lines that are set.
fn printed(keyword: &str, values: &[&str]) -> Vec<String> {
    let lower =
        || values.iter().map(|value| value.to_ascii_lowercase()).collect::<Vec<_>>();
    let one = |text: String| vec![text];
    match keyword {
        "permitrootlogin" => {
            one(lower().concat().replace("prohibit-password", "without-password"))
        }
        "allowtcpforwarding" => one(lower().concat().replace("all", "yes")),
        "logingracetime" => one(seconds(&lower().concat())),
        "port" | "allowusers" | "denyusers" | "allowgroups" | "denygroups" => {
            values.iter().map(|value| (*value).to_owned()).collect()
        }
        "authorizedkeysfile" | "authenticationmethods" | "authorizedkeyscommand" => {
            one(values.join(" "))
        }
        _ => one(lower().concat()),
    }
}

fn seconds(time: &str) -> String {
    let (mut all, mut number) = (0_u64, 0_u64);
    for c in time.chars() {
        match c.to_digit(10) {
            Some(digit) => number = number * 10 + u64::from(digit),
            None => {
                let unit = match c {
                    'm' => 60,
                    'h' => 3600,
                    _ => 1,
                };
                (all, number) = (all + number * unit, 0);
            }
        }
    }
    (all + number).to_string()
}

/// Every address with every port that it has no own one for.
fn listening(addresses: &[&str], ports: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for address in addresses {
        let (host, own) =
            formats::sshd_config::listen_address(address).expect("an address");
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let ports = own.map_or_else(|| ports.to_vec(), |own| vec![own]);
        found.extend(ports.iter().map(|port| format!("{host}:{port}")));
    }
    found.sort();
    found
}

fn compare(guest: &Guest, key: &Path, asked: &Asked) -> Result<bool, TestCaseError> {
    let config = Config::read(&guest.files, &guest.main);
    let groups = ["root".to_owned()];
    let connection = Connection {
        user: Some(asked.user),
        // Nobody else of ours exists here, so sshd finds no groups for him.
        groups: Some(if asked.user == "root" { &groups } else { &[] }),
        host: Some(asked.host),
        address: asked.address.parse::<IpAddr>().ok(),
        local_address: asked.local_address.parse().ok(),
        local_port: Some(asked.local_port),
        routing_domain: Some(""),
    };
    let of = |keyword: &str| -> Option<Vec<String>> {
        let setting = config.resolve(keyword, &connection);
        Some(setting.values()?.into_iter().map(str::to_owned).collect())
    };
    let Some(real) = guest.sshd(key, asked) else {
        for (keyword, _) in SETTINGS {
            let keyword = keyword.to_lowercase();
            prop_assert_eq!(of(&keyword), None, "sshd refuses the files; {}", keyword);
        }
        return Ok(false);
    };
    let Some(ports) = of("port") else { return Ok(false) };
    let default = ["22".to_owned()];
    let ports = if ports.is_empty() { &default[..] } else { &ports };
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    for (keyword, _) in SETTINGS {
        let keyword = match keyword.to_lowercase().as_str() {
            "challengeresponseauthentication" => {
                "kbdinteractiveauthentication".to_owned()
            }
            "protocol" | "nosuchkeyword" => continue,
            keyword => keyword.to_owned(),
        };
        let Some(values) = of(&keyword).filter(|values| !values.is_empty()) else {
            continue;
        };
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let mut said = real.get(&keyword).cloned().unwrap_or_default();
        if keyword == "listenaddress" {
            said.sort();
            prop_assert_eq!(&said, &listening(&values, &ports), "{}", keyword);
        } else {
            prop_assert_eq!(&said, &printed(&keyword, &values), "{}", keyword);
        }
    }
    Ok(true)
}

/// A host key, without which sshd says nothing.
fn host_key(directory: &Path) -> std::path::PathBuf {
    fs::create_dir_all("/run/sshd").expect("sshd's own empty directory");
    let key = directory.join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status()
        .expect("ssh-keygen runs");
    assert!(made.success());
    key
}

#[test]
fn what_is_known_is_what_sshd_says() {
    let directory = TempDir::new().expect("a directory");
    let key = host_key(directory.path());
    let mut compared = 0;
    let config =
        ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) };
    let strategy = (text(14), prop::collection::vec(text(6), 3), asked());
    let counted = std::cell::Cell::new(0);
    proptest::test_runner::TestRunner::new(config)
        .run(&strategy, |(main, others, asked)| {
            let guest = Guest::new(&main, &others);
            if compare(&guest, &key, &asked)? {
                counted.set(counted.get() + 1);
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
    compared += counted.get();
    // A comparison in which sshd accepts nothing would prove nothing.
    assert!(compared > 60, "sshd accepted only {compared} of 300");
}
