//! The systemd unit that runs sshd: found by looking, unmasked, enabled, started.
//!
//! Masks and enablement are links on disk and are edited as such, which also works
//! for a mounted disk and is undone like every other edit; `systemctl` only reloads
//! and restarts.

use std::path::Path;

use rustix::fs::FileType;

use super::listener::{TABLES, listeners};
use super::{PORT, SshdError, UNIT_LIMITS};
use crate::edit::{self, EditError, Place};
use crate::process::{self, Finished};
use crate::undo::{Journal, UndoError};

/// Debian's name first: there the other one is an alias.
pub(super) const SERVICES: [&str; 2] = ["ssh.service", "sshd.service"];
pub(super) const SOCKETS: [&str; 2] = ["ssh.socket", "sshd.socket"];
const SHIPPED: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];
const LOCAL: &str = "/etc/systemd/system";
const RUNTIME: &str = "/run/systemd/system";

/// The unit that the distribution ships, and its path.
pub(super) fn shipped(
    root: &Path,
    names: &[&'static str],
) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| {
        SHIPPED
            .iter()
            .map(|dir| format!("{dir}/{name}"))
            .find(|path| edit::kind(root, path) == Some(FileType::RegularFile))
            .map(|path| (*name, path))
    })
}

/// Removes masks and links the unit into the default target.
pub(super) fn make_startable(journal: &mut Journal) -> Result<(), SshdError> {
    let root = journal.root().to_owned();
    let mut changed = false;
    for name in SERVICES.into_iter().chain(SOCKETS) {
        for dir in [LOCAL, RUNTIME] {
            let path = format!("{dir}/{name}");
            if is_mask(&root, &path)? {
                journal.take_away(&path)?;
                changed = true;
            }
        }
    }
    if let Some((name, path)) = shipped(&root, &SERVICES)
        && !is_wanted(&root)
    {
        let wants = format!("{LOCAL}/multi-user.target.wants");
        journal.make_dirs(Path::new(&wants))?;
        journal.link(&format!("{wants}/{name}"), Path::new(&path))?;
        changed = true;
    }
    if changed && root == Path::new("/") {
        reload(&root);
    }
    Ok(())
}

/// Restarts sshd and makes sure that it listens. Gives remarks.
pub(crate) fn restart(journal: &mut Journal) -> Result<Vec<String>, SshdError> {
    let root = journal.root().to_owned();
    let Some((service, _)) = shipped(&root, &SERVICES) else {
        return restart_without_systemd(&root);
    };
    journal.on_undo(&["systemctl", "restart", "--no-block", service])?;
    // A socket that listens in sshd's place keeps its own idea of the port.
    let socket = SOCKETS.into_iter().find(|name| is_active(&root, name));
    if let Some(socket) = socket {
        systemctl(&root, &["stop", service]);
        systemctl(&root, &["restart", socket]);
    }
    let mut done = systemctl(&root, &["restart", service]);
    let mut remarks = Vec::new();
    if !done.as_ref().is_some_and(Finished::success) {
        // Whatever an administrator changed about the unit may be the reason.
        let moved = move_local_changes(journal)?;
        reload(&root);
        systemctl(&root, &["reset-failed", service]);
        done = systemctl(&root, &["restart", service]);
        remarks.extend(moved.iter().map(|path| format!("moved aside {path}")));
    }
    if !done.as_ref().is_some_and(Finished::success) {
        let reason = failure(&root, service, done.as_ref());
        return Err(SshdError::Start { unit: service.to_owned(), reason });
    }
    if TABLES.iter().all(|table| listeners(table, PORT).next().is_none()) {
        remarks.push(format!("{service} runs, but nothing listens on port {PORT}"));
    }
    Ok(remarks)
}

fn restart_without_systemd(root: &Path) -> Result<Vec<String>, SshdError> {
    for name in ["ssh", "sshd"] {
        if edit::kind(root, &format!("/etc/init.d/{name}")).is_none() {
            continue;
        }
        let done = process::tool(root, &["service", name, "restart"], &[], &UNIT_LIMITS);
        return match done {
            Some(Ok(done)) if done.success() => Ok(Vec::new()),
            Some(Ok(done)) => {
                Err(SshdError::Start { unit: name.to_owned(), reason: done.text() })
            }
            Some(Err(source)) => Err(SshdError::Run { program: "service", source }),
            None => Err(SshdError::NoUnit),
        };
    }
    Err(SshdError::NoUnit)
}

fn is_mask(root: &Path, path: &str) -> Result<bool, EditError> {
    let Some(place) = Place::exact(root, Path::new(path))? else { return Ok(false) };
    let Some(stat) = place.stat()? else { return Ok(false) };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(&place.dir, &place.name, Vec::new());
            Ok(target.is_ok_and(|target| target.to_bytes() == b"/dev/null"))
        }
        // systemd takes an empty file for a mask too.
        FileType::RegularFile => Ok(stat.st_size == 0),
        _ => Ok(false),
    }
}

/// Whether any target starts the service or its socket.
fn is_wanted(root: &Path) -> bool {
    edit::names(root, LOCAL)
        .iter()
        .filter(|name| name.ends_with(".wants") || name.ends_with(".requires"))
        .any(|dir| {
            let names = edit::names(root, &format!("{LOCAL}/{dir}"));
            let ours = |name: &String| {
                SERVICES.contains(&name.as_str()) || SOCKETS.contains(&name.as_str())
            };
            names.iter().any(ours)
        })
}

/// Units and unit drop-ins that replace or extend the shipped ones.
fn move_local_changes(journal: &mut Journal) -> Result<Vec<String>, UndoError> {
    let mut moved = Vec::new();
    for name in SERVICES {
        for path in [format!("{LOCAL}/{name}"), format!("{LOCAL}/{name}.d")] {
            let Some(place) = Place::exact(journal.root(), Path::new(&path))? else {
                continue;
            };
            let Some(stat) = place.stat()? else { continue };
            // Links are aliases.
            if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
                journal.take_away(&path)?;
                moved.push(path);
            }
        }
    }
    Ok(moved)
}

pub(super) fn systemctl(root: &Path, arguments: &[&str]) -> Option<Finished> {
    let argv = [&["systemctl"], arguments].concat();
    process::tool(root, &argv, &[], &UNIT_LIMITS)?.ok()
}

fn reload(root: &Path) {
    // A failure shows when the unit is started.
    systemctl(root, &["daemon-reload"]);
}

fn is_active(root: &Path, unit: &str) -> bool {
    shipped(root, &SOCKETS).is_some_and(|(name, _)| name == unit)
        && systemctl(root, &["is-active", "--quiet", unit]).is_some_and(|d| d.success())
}

fn failure(root: &Path, service: &str, done: Option<&Finished>) -> String {
    let mut text = done.map(Finished::text).unwrap_or_default();
    let argv = ["journalctl", "-u", service, "-n", "8", "-o", "cat", "--no-pager"];
    if let Some(Ok(lines)) = process::tool(root, &argv, &[], &UNIT_LIMITS) {
        text.push('\n');
        text.push_str(&lines.text());
    }
    text
}
