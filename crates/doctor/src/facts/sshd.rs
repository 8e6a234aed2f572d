//! The SSH server: does it run, would it start, and where does it listen?

use std::collections::BTreeMap;
use std::net::IpAddr;

use formats::sshd_config::{self, Directive, MAIN_FILE};
use serde::Serialize;

use super::host_keys::{self, HostKeyFacts};
use super::listening::{
    ListenerFacts, absent_address_lines, listener, on_loopback, other_port, port_edits,
    port_option, ports,
};
use crate::case::{Case, Listener, Sshd};

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
        // The shell's and timeout's own statuses say nothing about the files.
        config_ok: sshd
            .test
            .exit
            .filter(|exit| ![124, 126, 127].contains(exit))
            .map(|exit| exit == 0),
        bad_lines: bad_lines(sshd, &config),
        other_errors: sshd_config::other_errors(sshd.test.as_test()),
        config_missing: config_missing(sshd),
        host_keys: host_keys::derive(sshd, &config),
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

fn bad_lines(sshd: &Sshd, config: &[Directive]) -> Vec<BadLine> {
    sshd_config::complaints(sshd.test.as_test(), config)
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
    sshd_config::other_errors(sshd.test.as_test()).iter().any(|line| line.contains(&said))
}

pub(super) fn config_line(said: &Directive) -> ConfigLine {
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
