//! The SSH server: does it run, would it start, and where does it listen?

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use crate::case::{Case, Listener, PathFact, Sshd};
use crate::sshd_config::{self, Directive, MAIN_FILE};

/// The SSH server.
#[derive(Debug, Clone, Serialize)]
pub struct SshdFacts {
    /// Whether there is a binary.
    pub installed: bool,
    /// Whether the binary is there and cannot be run (`sshd -t` exits 126).
    pub not_executable: bool,
    /// Its service; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitFacts>,
    /// The socket that starts it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<UnitFacts>,
    /// Whether it runs, or systemd listens for it.
    pub running: bool,
    /// Whether its journal shows that it ran in this boot.
    pub ran_in_this_boot: bool,
    /// Whether `sshd -t` accepts the configuration; absent if it could not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_ok: Option<bool>,
    /// Lines of the configuration that keep it from starting.
    pub bad_lines: Vec<BadLine>,
    /// What else `sshd -t` says when it fails.
    pub other_errors: Vec<String>,
    /// Whether the main configuration file is missing.
    pub config_missing: bool,
    /// Whether its host keys are there and usable.
    pub host_keys: HostKeyFacts,
    /// Ports that it is told to listen on.
    pub ports: Vec<i64>,
    /// Its own listening sockets.
    pub listeners: Vec<ListenerFacts>,
    /// Every socket on the port of the target.
    pub on_port: Vec<ListenerFacts>,
    /// Whether something can be reached on that port from outside, in the
    /// target's address family.
    pub listens: bool,
    /// Ports on which sshd itself can be reached from outside.
    pub open_ports: Vec<i64>,
    /// The program that holds the port, if it is not sshd.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_taken_by: Option<String>,
    /// Lines that make it listen on another port than the target's.
    pub port_lines: Vec<ConfigLine>,
    /// Edits that make it listen on the target's port as well: `FILE`, line
    /// number, and the line to put after that one, separated by tabs.
    pub port_edits: String,
    /// A port in the service's command line, which beats the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_option: Option<i64>,
    /// Lines that make it listen on the loopback only.
    pub loopback_lines: Vec<ConfigLine>,
    /// Lines that make it listen on an address that the guest does not have;
    /// absent if the guest's addresses are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_address_lines: Option<Vec<ConfigLine>>,
    /// Every line of the configuration, by keyword in lower case.
    pub settings: BTreeMap<String, Vec<ConfigLine>>,
    /// Whether PAM has a say; absent if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pam: Option<bool>,
    /// Whether it checks the modes of the files above the keys.
    pub strict_modes: bool,
    /// Settings as `sshd -T` resolves them for this user; absent if it gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<BTreeMap<String, Vec<String>>>,
    /// The last lines of its journal in this boot.
    pub journal: Vec<String>,
    /// Processes of it that a signal has stopped; absent if nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_processes: Option<Vec<i64>>,
}

/// A systemd unit.
#[derive(Debug, Clone, Serialize)]
pub struct UnitFacts {
    /// Its name.
    pub name: String,
    /// `active`, `inactive`, `failed`, `activating`.
    pub active: String,
    /// `enabled`, `disabled`, `masked`, `static`.
    pub enabled: String,
    /// systemd's `SubState`.
    pub sub: String,
    /// systemd's `Result` of the last run.
    pub result: String,
}

/// A line of the configuration that keeps sshd from starting.
#[derive(Debug, Clone, Serialize)]
pub struct BadLine {
    /// The file.
    pub file: String,
    /// The line's number.
    pub line: i64,
    /// The line as it stands there; sshd's message where the file is not in the
    /// case.
    pub text: String,
    /// `bad-option`, `bad-value`, `bad-port`, `bad-algorithm`, `glued-lines`,
    /// `bad-match` or `not-in-match`.
    pub kind: &'static str,
    /// sshd's words.
    pub message: String,
}

/// Host key files by what is wrong with them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HostKeyFacts {
    /// Whether sshd has no host key at all.
    pub none_usable: bool,
    /// Those that are not there.
    pub missing: Vec<String>,
    /// Those without content.
    pub empty: Vec<String>,
    /// Those that others can read, so that sshd ignores them.
    pub too_open: Vec<String>,
    /// Those that look right.
    pub usable: Vec<String>,
}

/// A listening socket.
#[derive(Debug, Clone, Serialize)]
pub struct ListenerFacts {
    /// Its address.
    pub address: String,
    /// Its port.
    pub port: i64,
    /// Its process; empty if unknown.
    pub process: String,
    /// Whether only this machine reaches it.
    pub loopback: bool,
    /// Whether IPv4 reaches it.
    pub ipv4: bool,
    /// Whether IPv6 reaches it.
    pub ipv6: bool,
}

/// A line of the configuration.
#[derive(Debug, Clone, Serialize)]
pub struct ConfigLine {
    /// The file.
    pub file: String,
    /// The line's number.
    pub line: i64,
    /// The line as it stands there.
    pub text: String,
    /// What follows the keyword.
    pub value: String,
}

pub(super) fn derive(sshd: &Sshd, case: &Case) -> SshdFacts {
    let config = sshd_config::directives(&sshd.config);
    let port = i64::from(case.target.port);
    let setting = |keyword: &str| setting(sshd, &config, keyword);
    let ports = ports(sshd, &config);
    let unit = unit(sshd, &["ssh.service", "sshd.service"]);
    let socket = unit_of(sshd, &["ssh.socket", "sshd.socket"]);
    let by_socket = socket.as_ref().is_some_and(|socket| socket.active == "active");
    let ours = |listener: &Listener| match listener.process.as_deref() {
        Some(process) if process.starts_with("sshd") => true,
        Some("systemd" | "init") => by_socket,
        Some(_) => false,
        None => ports.contains(&i64::from(listener.port)),
    };
    let facts = |wanted: &dyn Fn(&Listener) -> bool| -> Vec<ListenerFacts> {
        sshd.listeners.iter().filter(|one| wanted(one)).map(listener).collect()
    };
    let listeners = facts(&ours);
    let on_port = facts(&|listener| i64::from(listener.port) == port);
    let v6 = case
        .tcp
        .collected()
        .and_then(|tcp| tcp.address.parse::<IpAddr>().ok())
        .is_some_and(|address| address.is_ipv6());
    let reached = |listener: &ListenerFacts| {
        !listener.loopback && if v6 { listener.ipv6 } else { listener.ipv4 }
    };
    let mut open_ports: Vec<i64> =
        listeners.iter().filter(|one| reached(one)).map(|one| one.port).collect();
    open_ports.sort_unstable();
    open_ports.dedup();
    let active = unit
        .as_ref()
        .is_some_and(|unit| matches!(unit.active.as_str(), "active" | "reloading"));
    let port_lines: Vec<&Directive> =
        config.iter().filter(|said| other_port(said, port)).collect();
    SshdFacts {
        installed: sshd.binary.is_some(),
        not_executable: sshd.binary.is_some() && sshd.test.exit == Some(126),
        running: active || !listeners.is_empty() || by_socket,
        ran_in_this_boot: sshd
            .journal
            .iter()
            .any(|line| line.contains("Server listening on")),
        config_ok: sshd.test.exit.filter(|exit| *exit < 126).map(|exit| exit == 0),
        bad_lines: bad_lines(sshd, &config),
        other_errors: sshd_config::other_errors(&sshd.test),
        config_missing: config_missing(sshd),
        host_keys: host_keys(sshd, &config),
        listens: on_port.iter().any(reached),
        port_taken_by: on_port
            .iter()
            .find(|one| {
                !one.process.is_empty() && !listeners.iter().any(|o| o.port == port)
            })
            .map(|one| one.process.clone()),
        port_edits: port_edits(&port_lines, port),
        port_lines: port_lines.into_iter().map(config_line).collect(),
        port_option: port_option(sshd).filter(|option| *option != port),
        loopback_lines: config
            .iter()
            .filter(|said| on_loopback(said))
            .map(config_line)
            .collect(),
        absent_address_lines: absent_address_lines(&config, case),
        settings: settings(&config),
        pam: setting("usepam").map(|value| value == "yes"),
        strict_modes: setting("strictmodes").as_deref() != Some("no"),
        effective: (!sshd.effective.is_empty()).then(|| sshd.effective.clone()),
        journal: sshd.journal.clone(),
        stopped_processes: sshd.processes.as_ref().map(|processes| {
            let stopped = processes.iter().filter(|one| matches!(&*one.state, "T" | "t"));
            stopped.map(|process| process.pid.into()).collect()
        }),
        unit,
        socket,
        ports,
        listeners,
        on_port,
        open_ports,
    }
}

/// One value of a setting: as `sshd -T` gives it, else the first in the files.
pub(super) fn setting(
    sshd: &Sshd,
    config: &[Directive],
    keyword: &str,
) -> Option<String> {
    let effective = sshd.effective.get(keyword).and_then(|values| values.first());
    let written = || {
        let said =
            config.iter().find(|said| said.keyword == keyword && !said.in_match)?;
        said.arguments.first()
    };
    effective.or_else(written).map(|value| value.to_ascii_lowercase())
}

fn ports(sshd: &Sshd, config: &[Directive]) -> Vec<i64> {
    let parse = |text: &String| text.trim().parse::<i64>().ok();
    let effective: Vec<i64> =
        sshd.effective.get("port").into_iter().flatten().filter_map(parse).collect();
    if !effective.is_empty() {
        return effective;
    }
    let written: Vec<i64> = config
        .iter()
        .filter(|said| said.keyword == "port" && !said.in_match)
        .filter_map(|said| said.arguments.first().and_then(parse))
        .collect();
    if written.is_empty() { vec![22] } else { written }
}

/// The service, the one that does something first.
fn unit(sshd: &Sshd, names: &[&str]) -> Option<UnitFacts> {
    let live = names.iter().find(|name| {
        sshd.units.get(**name).is_some_and(|unit| unit.active != "inactive")
    });
    live.and_then(|name| unit_of(sshd, &[name])).or_else(|| unit_of(sshd, names))
}

fn unit_of(sshd: &Sshd, names: &[&str]) -> Option<UnitFacts> {
    let name = names.iter().find(|name| sshd.units.contains_key(**name))?;
    let unit = sshd.units.get(*name)?;
    Some(UnitFacts {
        name: (*name).to_owned(),
        active: unit.active.clone(),
        enabled: unit.enabled.clone(),
        sub: unit.sub.clone(),
        result: unit.result.clone(),
    })
}

fn listener(listener: &Listener) -> ListenerFacts {
    let address = listener.address.trim_matches(['[', ']']);
    let address = address.split('%').next().unwrap_or(address);
    let process = listener.process.clone().unwrap_or_default();
    let parsed = address.parse::<IpAddr>().ok();
    // sshd asks for IPV6_V6ONLY; systemd's sockets take both families.
    let both = address == "*" || (address == "::" && !process.starts_with("sshd"));
    ListenerFacts {
        port: listener.port.into(),
        loopback: parsed.is_some_and(|address| address.is_loopback()),
        ipv4: both || parsed.is_some_and(|address| address.is_ipv4()),
        ipv6: both || parsed.is_some_and(|address| address.is_ipv6()),
        address: address.to_owned(),
        process,
    }
}

fn bad_lines(sshd: &Sshd, config: &[Directive]) -> Vec<BadLine> {
    sshd_config::complaints(&sshd.test, config)
        .into_iter()
        .map(|complaint| {
            let text = sshd
                .config
                .get(&complaint.file)
                .and_then(|text| text.lines().nth(complaint.line.checked_sub(1)?))
                .map_or_else(|| complaint.message.clone(), |line| line.trim().to_owned());
            BadLine {
                file: complaint.file,
                line: i64::try_from(complaint.line).unwrap_or(i64::MAX),
                text,
                kind: complaint.kind.as_str(),
                message: complaint.message,
            }
        })
        .collect()
}

/// `sshd -t` says so; or there are files, and the main one is not among them.
fn config_missing(sshd: &Sshd) -> bool {
    let said = format!("{MAIN_FILE}: No such file or directory");
    sshd_config::other_errors(&sshd.test).iter().any(|line| line.contains(&said))
}

fn host_keys(sshd: &Sshd, config: &[Directive]) -> HostKeyFacts {
    let configured: Vec<&String> = config
        .iter()
        .filter(|said| said.keyword == "hostkey" && !said.in_match)
        .filter_map(|said| said.arguments.first())
        .collect();
    let is_key = |fact: &&PathFact| {
        if configured.is_empty() {
            let name = fact.path.rsplit('/').next().unwrap_or_default();
            name.starts_with("ssh_host_") && name.ends_with("_key")
        } else {
            configured.contains(&&fact.path)
        }
    };
    let errors = sshd_config::other_errors(&sshd.test);
    let mut keys = HostKeyFacts::default();
    for fact in sshd.host_keys.iter().filter(is_key) {
        let refused = format!("for '{}' are too open", fact.path);
        let said = errors.iter().any(|line| line.contains(&refused));
        let path = fact.path.clone();
        if fact.kind == "missing" {
            keys.missing.push(path);
        } else if fact.size == Some(0) {
            keys.empty.push(path);
        } else if said || readable_by_others(fact) {
            keys.too_open.push(path);
        } else {
            keys.usable.push(path);
        }
    }
    let said = errors.iter().any(|line| line.contains("no hostkeys available"));
    let seen = keys.missing.len() + keys.empty.len() + keys.too_open.len();
    keys.none_usable = said || (seen > 0 && keys.usable.is_empty());
    keys
}

/// authfile.c's rule for a key that root owns. The group may read on systems
/// whose sshd is patched for the group `ssh_keys`, so only `sshd -t` decides there.
fn readable_by_others(fact: &PathFact) -> bool {
    let mode = fact.mode.as_deref().and_then(|mode| u32::from_str_radix(mode, 8).ok());
    fact.uid == Some(0) && mode.is_some_and(|mode| mode & 0o037 != 0)
}

fn config_line(said: &Directive) -> ConfigLine {
    ConfigLine {
        file: said.file.clone(),
        line: i64::try_from(said.line).unwrap_or(i64::MAX),
        text: said.text.clone(),
        value: said.arguments.join(" "),
    }
}

/// Lines by their keyword.
fn settings(config: &[Directive]) -> BTreeMap<String, Vec<ConfigLine>> {
    let mut settings: BTreeMap<String, Vec<ConfigLine>> = BTreeMap::new();
    for said in config {
        settings.entry(said.keyword.clone()).or_default().push(config_line(said));
    }
    settings
}

/// Lines with an address that no interface has.
fn absent_address_lines(config: &[Directive], case: &Case) -> Option<Vec<ConfigLine>> {
    let interfaces = &case.firewall.collected()?.interfaces;
    let present: Vec<IpAddr> = interfaces
        .values()
        .flatten()
        .filter_map(|text| text.split(['/', '%']).next()?.parse().ok())
        .collect();
    if present.is_empty() {
        return None;
    }
    let absent = |said: &&Directive| {
        let address =
            listen_address(said).and_then(|(host, _)| host.parse::<IpAddr>().ok());
        address.is_some_and(|address| {
            !address.is_unspecified()
                && !address.is_loopback()
                && !present.contains(&address)
        })
    };
    Some(config.iter().filter(absent).map(config_line).collect())
}

/// Host and port of a `ListenAddress` (`host`, `host:port`, `[v6]:port`, `v6`).
fn listen_address(said: &Directive) -> Option<(String, Option<i64>)> {
    if said.keyword != "listenaddress" || said.in_match {
        return None;
    }
    let value = said.arguments.first()?;
    if let Some(rest) = value.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return Some((
            host.to_owned(),
            rest.strip_prefix(':').and_then(|p| p.parse().ok()),
        ));
    }
    match value.split_once(':') {
        Some((host, port)) if !port.contains(':') => {
            Some((host.to_owned(), port.parse().ok()))
        }
        _ => Some((value.clone(), None)),
    }
}

/// Whether a line makes sshd listen on another port.
fn other_port(said: &Directive, port: i64) -> bool {
    if said.in_match {
        return false;
    }
    if said.keyword == "port" {
        return said.arguments.first().and_then(|p| p.parse().ok()) != Some(port);
    }
    listen_address(said)
        .is_some_and(|(_, other)| other.is_some_and(|other| other != port))
}

fn on_loopback(said: &Directive) -> bool {
    listen_address(said).is_some_and(|(host, _)| {
        host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// One more `Port`, and one more `ListenAddress` for each that has a port of its
/// own. Adding takes the way in from nobody who uses the other port.
fn port_edits(lines: &[&Directive], port: i64) -> String {
    let mut edits: Vec<(String, usize, String)> = Vec::new();
    for said in lines {
        let new = match listen_address(said) {
            Some((host, _)) if host.contains(':') => {
                format!("ListenAddress [{host}]:{port}")
            }
            Some((host, _)) => format!("ListenAddress {host}:{port}"),
            None => format!("Port {port}"),
        };
        if !edits.iter().any(|(_, _, known)| *known == new) {
            edits.push((said.file.clone(), said.line, new));
        }
    }
    // Bottom up, so that an edit does not move the lines of the next one.
    edits.sort_by_key(|(_, line, _)| std::cmp::Reverse(*line));
    let lines: Vec<String> = edits
        .into_iter()
        .map(|(file, line, new)| format!("{file}\t{line}\t{new}"))
        .collect();
    lines.join("\n")
}

/// `-p N` or `-o Port=N` of a running sshd.
fn port_option(sshd: &Sshd) -> Option<i64> {
    let commands =
        sshd.processes.iter().flatten().map(|process| process.command.as_str());
    commands.into_iter().find_map(|command| {
        let mut words = command.split_whitespace();
        while let Some(word) = words.next() {
            let value = match word {
                "-p" => words.next(),
                "-o" | "-oPort" => {
                    words.next().and_then(|option| option.strip_prefix("Port="))
                }
                word => word.strip_prefix("-oPort=").or_else(|| word.strip_prefix("-p")),
            };
            if let Some(port) = value.and_then(|value| value.parse().ok()) {
                return Some(port);
            }
        }
        None
    })
}
