//! The SSH server: does it run, would it start, and where does it listen?

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

use super::host_keys::{self, HostKeyFacts};
use super::known::Known;
use super::listening::{
    ListenerFacts, absent_address_lines, listener, on_loopback, other_port, port_edits,
    port_option, ports,
};
use super::settings::Resolved;
use super::units::{UnitFacts, unit};
use crate::case::{ActiveState, Case, CommandOutput, Listener, NameService, Sshd};
use formats::sshd_config::{self, Directive, MAIN_FILE, TestOutput};

/// The SSH server.
#[derive(Debug, Clone, Serialize)]
pub struct SshdFacts {
    /// Whether there is a binary.
    pub installed: Known<bool>,
    /// Whether the binary is there and cannot be run (`sshd -t` exits 126).
    pub not_executable: Known<bool>,
    /// Its service; absent if there is none.
    pub unit: Known<Option<UnitFacts>>,
    /// The socket that starts it, if there is one.
    pub socket: Known<Option<UnitFacts>>,
    /// Whether it runs, or systemd listens for it.
    pub running: Known<bool>,
    /// Whether its journal shows that it ran in this boot.
    pub ran_in_this_boot: Known<bool>,
    /// Whether `sshd -t` accepts the configuration.
    pub config_ok: Known<bool>,
    /// Lines of the configuration that keep it from starting.
    pub bad_lines: Known<Vec<BadLine>>,
    /// What else `sshd -t` says when it fails.
    pub other_errors: Known<Vec<String>>,
    /// Whether the main configuration file is missing.
    pub config_missing: Known<bool>,
    /// Whether its host keys are there and usable.
    pub host_keys: HostKeyFacts,
    /// The account of privilege separation.
    pub privsep: Known<Privsep>,
    /// Ports that it is told to listen on.
    pub ports: Known<Vec<i64>>,
    /// Its own listening sockets.
    pub listeners: Known<Vec<ListenerFacts>>,
    /// Every socket on the port of the target.
    pub on_port: Known<Vec<ListenerFacts>>,
    /// Whether something can be reached on that port from outside, in the
    /// target's address family.
    pub listens: Known<bool>,
    /// Ports on which sshd itself can be reached from outside.
    pub open_ports: Known<Vec<i64>>,
    /// The program that holds the port, if it is not sshd.
    pub port_taken_by: Known<Option<String>>,
    /// Lines that make it listen on another port than the target's.
    pub port_lines: Known<Vec<ConfigLine>>,
    /// Edits that make it listen on the target's port as well: `FILE`, line
    /// number, and the line to put after that one, separated by tabs.
    pub port_edits: Known<String>,
    /// A port in the service's command line, which beats the configuration.
    pub port_option: Known<Option<i64>>,
    /// Lines that make it listen on the loopback only.
    pub loopback_lines: Known<Vec<ConfigLine>>,
    /// Lines that make it listen on an address that the guest does not have.
    pub absent_address_lines: Known<Vec<ConfigLine>>,
    /// Every line of the configuration, by keyword in lower case.
    pub settings: Known<BTreeMap<String, Vec<ConfigLine>>>,
    /// Whether PAM has a say.
    pub pam: Known<bool>,
    /// Whether it checks the modes of the files above the keys.
    pub strict_modes: Known<bool>,
    /// Settings as `sshd -T` resolves them for this user.
    pub effective: Known<BTreeMap<String, Known<Vec<String>>>>,
    /// The last lines of its journal in this boot.
    pub journal: Known<Vec<String>>,
    /// Processes of it that a signal has stopped.
    pub stopped_processes: Known<Vec<i64>>,
}

/// The account `sshd` of privilege separation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privsep {
    /// The name service finds it.
    Present,
    /// Neither the name service nor `/etc/passwd` has it.
    Missing,
    /// `/etc/passwd` has it, and the name service does not find it.
    NameServiceBroken,
}

/// A line of the configuration that keeps sshd from starting.
#[derive(Debug, Clone, Serialize)]
pub struct BadLine {
    /// The file.
    pub file: String,
    /// The line's number.
    pub line: i64,
    /// The line as it was collected; sshd's message where the file is not in the case.
    pub text: String,
    /// Whether the line itself is in the case.
    pub seen: bool,
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
    /// The line as it was collected.
    pub text: String,
    /// What follows the keyword.
    pub value: String,
    /// Whether it stands under a `Match`, and so perhaps speaks of others.
    pub in_match: bool,
}

pub(super) fn derive(case: &Case, resolved: &Resolved) -> SshdFacts {
    let port = i64::from(case.guest_port());
    let program = case.sshd.known();
    let test = program.as_ref().and_then(|sshd| {
        Known::or(sshd.test.as_ref(), "there is no sshd whose -t could be asked")
    });
    let journal = case.journal.known();
    let sockets = Sockets::of(case, resolved);
    let lines = |wanted: &dyn Fn(&&Directive) -> bool| {
        let config = resolved.lines();
        config.map(|all| all.iter().filter(wanted).map(config_line).collect::<Vec<_>>())
    };
    SshdFacts {
        installed: program.as_ref().map(|sshd| sshd.binary.is_some()),
        not_executable: program.as_ref().map(|sshd| {
            let exit = sshd.test.as_ref().and_then(|test| test.exit);
            sshd.binary.is_some() && exit == Some(126)
        }),
        running: Known::any([
            sockets.unit.as_ref().map(|unit| unit.as_ref().is_some_and(UnitFacts::is_up)),
            sockets.by_socket.clone(),
            sockets.ours.as_ref().map(|ours| !ours.is_empty()),
        ]),
        ran_in_this_boot: journal.as_ref().and_then(|journal| {
            let listens = |line: &String| line.contains("Server listening on");
            match journal.lines.iter().any(listens) {
                false if !journal.whole => {
                    Known::unknown("only the end of sshd's journal was read")
                }
                found => Known::Is(found),
            }
        }),
        config_ok: test.as_ref().and_then(|test| accepts(test)),
        bad_lines: test.as_ref().map(|test| bad_lines(test, case, resolved)),
        other_errors: test.as_ref().map(|test| sshd_config::other_errors(said(test))),
        config_missing: test.as_ref().map(|test| config_missing(test)),
        host_keys: host_keys::derive(&case.host_keys.known(), &resolved.lines(), &test),
        privsep: program.and_then(privsep),
        ports: ports(resolved),
        listens: sockets
            .on_port
            .as_ref()
            .map(|all| all.iter().any(|one| sockets.reached(one))),
        port_taken_by: sockets.taken_by(port),
        port_edits: resolved.lines().map(|all| {
            let lines: Vec<_> =
                all.iter().filter(|said| other_port(said, port)).collect();
            port_edits(&lines, port)
        }),
        port_lines: lines(&|said| other_port(said, port)),
        port_option: case
            .processes
            .known()
            .map(|processes| port_option(processes).filter(|option| *option != port)),
        loopback_lines: lines(&|said| on_loopback(said)),
        absent_address_lines: resolved
            .lines()
            .zip(case.addresses.known())
            .and_then(|(config, addresses)| absent_address_lines(config, addresses)),
        settings: resolved.lines().map(by_keyword),
        pam: resolved.is_on("usepam"),
        strict_modes: resolved.is_on("strictmodes"),
        effective: resolved.all(),
        journal: journal.map(|journal| journal.lines.clone()),
        stopped_processes: case.processes.known().map(|processes| {
            let all = processes.processes.iter();
            all.filter(|one| matches!(&*one.state, "T" | "t"))
                .map(|process| process.pid.into())
                .collect()
        }),
        open_ports: sockets.open_ports(),
        unit: sockets.unit,
        socket: sockets.socket,
        listeners: sockets.ours,
        on_port: sockets.on_port,
    }
}

/// Who listens where.
struct Sockets {
    unit: Known<Option<UnitFacts>>,
    socket: Known<Option<UnitFacts>>,
    /// Whether systemd listens for sshd.
    by_socket: Known<bool>,
    /// sshd's own.
    ours: Known<Vec<ListenerFacts>>,
    /// Everybody's on the target's port.
    on_port: Known<Vec<ListenerFacts>>,
    /// Whether the login goes to an IPv6 address.
    v6: bool,
}

impl Sockets {
    fn of(case: &Case, resolved: &Resolved) -> Self {
        let units = case.units.known();
        let socket =
            units.as_ref().map(|units| unit(units, &["ssh.socket", "sshd.socket"]));
        let by_socket = socket.as_ref().map(|socket| {
            socket.as_ref().is_some_and(|one| one.active == ActiveState::Active)
        });
        let all = case.listeners.known();
        let ports = ports(resolved);
        // Of a socket whose program is not told, the port decides whose it is.
        let is_ours = |listener: &Listener| match listener.process.as_deref() {
            Some(process) if process.starts_with("sshd") => Known::Is(true),
            Some("systemd" | "init") => by_socket.clone(),
            Some(_) => Known::Is(false),
            None => ports.as_ref().map(|ports| ports.contains(&listener.port.into())),
        };
        let ours = all.as_ref().and_then(|all| {
            let mut ours = Vec::new();
            for one in &all.sockets {
                match is_ours(one) {
                    Known::Is(true) => ours.push(listener(one)),
                    Known::Is(false) => {}
                    Known::Unknown(why) => return Known::Unknown(why),
                }
            }
            Known::Is(ours)
        });
        let address = case.tcp.collected().and_then(|tcp| tcp.address.parse().ok());
        Self {
            unit: units.map(|units| unit(units, &["ssh.service", "sshd.service"])),
            on_port: all.map(|all| {
                let here = |one: &&Listener| one.port == case.guest_port();
                all.sockets.iter().filter(here).map(listener).collect()
            }),
            v6: address.is_some_and(|address: IpAddr| address.is_ipv6()),
            socket,
            by_socket,
            ours,
        }
    }

    /// Whether a client from outside comes to this socket.
    fn reached(&self, listener: &ListenerFacts) -> bool {
        !listener.loopback && if self.v6 { listener.ipv6 } else { listener.ipv4 }
    }

    fn open_ports(&self) -> Known<Vec<i64>> {
        self.ours.as_ref().map(|ours| {
            let reached = ours.iter().filter(|one| self.reached(one));
            let mut ports: Vec<i64> = reached.map(|one| one.port).collect();
            ports.sort_unstable();
            ports.dedup();
            ports
        })
    }

    fn taken_by(&self, port: i64) -> Known<Option<String>> {
        self.on_port.as_ref().zip(self.ours.as_ref()).map(|(on_port, ours)| {
            let sshd_is_there = ours.iter().any(|one| one.port == port);
            let other = on_port.iter().find(|one| !one.process.is_empty());
            other.filter(|_| !sshd_is_there).map(|one| one.process.clone())
        })
    }
}

/// The shell's and timeout's own statuses say nothing about the files.
fn accepts(test: &CommandOutput) -> Known<bool> {
    match test.exit {
        Some(124 | 137) | None => Known::unknown("sshd -t did not end in time"),
        Some(126 | 127) => Known::unknown("sshd cannot be run"),
        Some(exit) => Known::Is(exit == 0),
    }
}

fn privsep(sshd: &Sshd) -> Known<Privsep> {
    match (sshd.privsep, sshd.privsep_line) {
        (NameService::Found, _) => Known::Is(Privsep::Present),
        (NameService::NotFound | NameService::Failed, Some(true)) => {
            Known::Is(Privsep::NameServiceBroken)
        }
        (NameService::NotFound, Some(false)) => Known::Is(Privsep::Missing),
        (NameService::NotAsked, Some(true)) => Known::Is(Privsep::Present),
        (NameService::NotAsked, Some(false)) => Known::Is(Privsep::Missing),
        (NameService::Failed, Some(false)) => {
            Known::unknown("the name service does not answer")
        }
        (_, None) => Known::unknown("/etc/passwd was not read"),
    }
}

/// What `sshd -t` said, as its reader takes it.
pub(super) fn said(test: &CommandOutput) -> TestOutput<'_> {
    TestOutput { exit: test.exit, stdout: &test.stdout, stderr: &test.stderr }
}

fn bad_lines(test: &CommandOutput, case: &Case, resolved: &Resolved) -> Vec<BadLine> {
    let config = resolved.lines().known().copied().unwrap_or_default();
    let text = |file: &String, line: usize| {
        let text = case.config.collected()?.files.get(file)?;
        Some(text.lines().nth(line.checked_sub(1)?)?.trim().to_owned())
    };
    sshd_config::complaints(said(test), config)
        .into_iter()
        .map(|complaint| (text(&complaint.file, complaint.line), complaint))
        .map(|(text, complaint)| BadLine {
            seen: text.is_some(),
            text: text.unwrap_or_else(|| complaint.message.clone()),
            file: complaint.file,
            line: i64::try_from(complaint.line).unwrap_or(i64::MAX),
            kind: complaint.kind.as_str(),
            message: complaint.message,
        })
        .collect()
}

/// `sshd -t` says so.
fn config_missing(test: &CommandOutput) -> bool {
    let missing = format!("{MAIN_FILE}: No such file or directory");
    sshd_config::other_errors(said(test)).iter().any(|line| line.contains(&missing))
}

pub(super) fn config_line(said: &Directive) -> ConfigLine {
    ConfigLine {
        file: said.file.clone(),
        line: i64::try_from(said.line).unwrap_or(i64::MAX),
        text: said.text.clone(),
        value: said.arguments.join(" "),
        in_match: said.in_match,
    }
}

fn by_keyword(config: &[Directive]) -> BTreeMap<String, Vec<ConfigLine>> {
    let mut settings: BTreeMap<String, Vec<ConfigLine>> = BTreeMap::new();
    for said in config {
        settings.entry(said.keyword.clone()).or_default().push(config_line(said));
    }
    settings
}
