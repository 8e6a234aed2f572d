//! A server that already runs as it should: it reads its configuration again and need
//! not be restarted.
//!
//! SIGHUP makes sshd close its listening sockets and execute itself anew, with the same
//! arguments; sessions stay. That is as good as a restart as long as the process is
//! what its unit would start now, so [`Running::find`] holds one against the other, and
//! [`Running::reread`] waits for new sockets: a server that hangs makes none.
//!
//! It takes a quarter of a restart's time, and does not count against the unit's
//! `StartLimitBurst`: five resets in ten seconds are not refused by systemd.

use std::os::linux::fs::MetadataExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::PORT;
use super::listener::{TABLES, listeners};
use super::unit::{SERVICES, SOCKETS, shipped, systemctl};
use crate::clock;

/// sshd needs about 10 ms, with a slow disk some more.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(1);

const PROPERTIES: &str = "--property=ActiveState,MainPID,ExecMainStartTimestamp,\
                          FragmentPath,DropInPaths,EnvironmentFiles";

/// A running server whose unit has not changed since it was started.
#[derive(Debug)]
pub(super) struct Running {
    main: Pid,
    /// Its listening sockets, and the table that they are in.
    sockets: Vec<u64>,
    table: &'static str,
}

impl Running {
    /// `None`: it does not listen, a socket of systemd does so in its place, or its unit
    /// has changed.
    pub(super) fn find(root: &Path) -> Option<Running> {
        let units = [shipped(root, &SERVICES), shipped(root, &SOCKETS)];
        let [Some((service, _)), socket] = units else { return None };
        let mut argv = vec!["show", PROPERTIES, service];
        argv.extend(socket.map(|(name, _)| name));
        let shown = String::from_utf8(systemctl(root, &argv)?.stdout).ok()?;
        let (service, socket) = shown.split_once("\n\n").unwrap_or((&shown, ""));
        let unit = Unit::parse(service)?;
        let ours = unit.active && !socket.contains("ActiveState=active");
        let unchanged = unit.files.iter().all(|file| is_older(file, &unit.started));
        if !ours || !unchanged {
            return None;
        }
        TABLES.iter().find_map(|table| {
            let sockets: Vec<u64> = listeners(table, PORT).collect();
            (!sockets.is_empty()).then_some(Running { main: unit.main, sockets, table })
        })
    }

    /// Whether it has read its configuration again, and listens.
    pub(super) fn reread(&self) -> bool {
        if kill_process(self.main, Signal::HUP).is_err() {
            return false;
        }
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            sleep(PAUSE);
            let mut now = listeners(self.table, PORT);
            if now.any(|socket| !self.sockets.contains(&socket)) {
                return true;
            }
        }
        false
    }
}

/// What `systemctl show` says of a service.
#[derive(Debug, PartialEq, Eq)]
struct Unit {
    active: bool,
    main: Pid,
    /// In UTC, as `2026-01-31T23:59:59Z`.
    started: String,
    /// What the service is made of: unit file, drop-ins, environment.
    files: Vec<String>,
}

impl Unit {
    fn parse(shown: &str) -> Option<Unit> {
        let values = |name: &'static str| {
            let lines = shown.lines().filter_map(|line| line.split_once('='));
            lines.filter(move |(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        // `Sun 2026-01-31 23:59:59 UTC`, or nothing.
        let started = values("ExecMainStartTimestamp").next()?;
        let [_, day, time, "UTC"] = *started.split(' ').collect::<Vec<_>>() else {
            return None;
        };
        let drop_ins = values("DropInPaths").next().unwrap_or_default();
        // `/etc/default/ssh (ignore_errors=yes)`, a line for each.
        let environment = values("EnvironmentFiles")
            .map(|value| value.split(" (").next().unwrap_or_default().to_owned());
        let files = values("FragmentPath")
            .chain(drop_ins.split_whitespace().map(str::to_owned))
            .chain(environment)
            .collect();
        Some(Unit {
            active: values("ActiveState").next()? == "active",
            main: Pid::from_raw(values("MainPID").next()?.parse().ok()?)?,
            started: format!("{day}T{time}Z"),
            files,
        })
    }
}

/// Whether a file was last changed before this second. One that is gone was changed.
fn is_older(file: &str, started: &str) -> bool {
    std::fs::metadata(file).is_ok_and(|metadata| {
        let changed = u64::try_from(metadata.st_ctime()).map(clock::utc);
        changed.is_ok_and(|changed| changed.as_str() < started)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "EnvironmentFiles=/etc/default/ssh (ignore_errors=yes)\n\
        MainPID=317\nExecMainStartTimestamp=Sun 2026-11-22 18:27:35 UTC\n\
        ActiveState=active\nFragmentPath=/lib/systemd/system/ssh.service\n\
        DropInPaths=/etc/systemd/system/ssh.service.d/a.conf /run/b.conf";

    #[test]
    fn a_unit_is_all_the_files_it_is_made_of() {
        let unit = Unit::parse(SHOWN).expect("a running unit");
        assert_eq!((unit.main, unit.active), (Pid::from_raw(317).expect("a pid"), true));
        assert_eq!(unit.started, "2026-11-22T18:27:35Z");
        assert_eq!(
            unit.files,
            [
                "/lib/systemd/system/ssh.service",
                "/etc/systemd/system/ssh.service.d/a.conf",
                "/run/b.conf",
                "/etc/default/ssh"
            ]
        );
    }

    #[test]
    fn a_unit_that_does_not_run_has_no_process() {
        assert_eq!(Unit::parse(&SHOWN.replace("=317", "=0")), None);
        let never = SHOWN.replace("Sun 2026-11-22 18:27:35 UTC", "");
        assert_eq!(Unit::parse(&never), None);
    }

    #[test]
    fn a_file_is_older_than_a_later_second_only() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().to_string_lossy().into_owned();
        assert!(is_older(&path, "2999-01-01T00:00:00Z"));
        assert!(!is_older(&path, "2001-01-01T00:00:00Z"));
        assert!(!is_older("/no/such/file", "2999-01-01T00:00:00Z"));
    }
}
