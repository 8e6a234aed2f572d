//! The guest's SSH server: back to the distribution's configuration, and running.
//!
//! [`reset`] goes through everything that keeps sshd from answering on port 22:
//! configuration, drop-ins, host keys, the privilege separation user, the guest's
//! firewall, the unit. Every change is in the caller's undo journal. A server in which
//! nothing was wrong only reads its configuration again ([`running`]), any other is
//! restarted; but never on a configuration that `sshd -t` refuses: then this is an
//! error, and the journal takes everything back.

mod config;
mod firewall;
mod host_keys;
mod listener;
mod password_login;
mod running;
mod unit;

use std::path::Path;
use std::thread;
use std::time::Duration;

pub(crate) use config::CONFIG;
pub(crate) use host_keys::make_missing as make_missing_host_keys;
pub(crate) use password_login::allow as allow_password_login;
pub(crate) use unit::restart;

use crate::account::{AccountError, Accounts};
use crate::edit::{self, Attributes, EditError, Place};
use crate::process::{self, Ended, Limits};
use crate::undo::{Journal, UndoError};
use running::Running;

const BINARY: &str = "/usr/sbin/sshd";
/// Where the distribution's default configuration leaves sshd listening.
const PORT: u16 = 22;
const LIMITS: Limits = Limits { time: Duration::from_secs(10), output: 64 << 10 };
/// A service may take a while to stop.
const UNIT_LIMITS: Limits = Limits { time: Duration::from_secs(60), output: 64 << 10 };

/// Why sshd could not be brought back.
#[derive(Debug, thiserror::Error)]
pub enum SshdError {
    /// No program, so nothing to configure.
    #[error(
        "{BINARY} is missing: install it again (apt-get install --reinstall \
         openssh-server, or dnf reinstall openssh-server)"
    )]
    NotInstalled,
    /// `sshd -t` refuses the configuration, and no drop-in is to blame.
    #[error("sshd refuses its configuration: {0}")]
    Refused(String),
    /// The unit does not start.
    #[error("{unit} does not start: {reason}")]
    Start {
        /// The unit's name.
        unit: String,
        /// What systemd says, with the journal's last lines.
        reason: String,
    },
    /// There is neither `ssh.service` nor `sshd.service`.
    #[error("there is no ssh.service, sshd.service or init script to start sshd with")]
    NoUnit,
    /// Nothing to bring back.
    #[error("no backup of {CONFIG} was found")]
    NoBackup,
    /// A program of the guest cannot be run.
    #[error("could not run {program}")]
    Run {
        /// Which one.
        program: &'static str,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A program of the guest failed.
    #[error("{program} failed: {reason}")]
    Program {
        /// Which one.
        program: &'static str,
        /// What it printed.
        reason: String,
    },
    /// A file cannot be changed.
    #[error(transparent)]
    Undo(#[from] UndoError),
    /// A file cannot be read.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The privilege separation user cannot be made.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// Sets sshd back to the distribution's defaults and makes it run. Gives remarks for
/// the status message.
pub(crate) fn reset(journal: &mut Journal) -> Result<Vec<String>, SshdError> {
    let root = journal.root().to_owned();
    let mut remarks = Vec::new();
    make_executable(journal)?;
    journal.take_away("/etc/ssh/sshd_not_to_be_run")?;
    config::install_default(journal)?;
    for name in config::move_overrides(journal)? {
        remarks.push(format!("moved aside {name}"));
    }
    host_keys::make_missing(journal)?;
    host_keys::close_permissions(journal)?;
    let live = root == Path::new("/");
    // Two questions to the system, asked while sshd reads its configuration.
    let (chains, running) = thread::scope(|scope| {
        let chains = scope.spawn(|| live.then(|| firewall::blocking_chains(&root)));
        let running = scope.spawn(|| live.then(|| Running::find(&root)).flatten());
        remarks.extend(make_acceptable(journal)?);
        Ok::<_, SshdError>((joined(chains), joined(running)))
    })?;
    remarks.extend(firewall::open(journal, &chains.unwrap_or_default(), PORT)?);
    unit::make_startable(journal)?;
    let read_again = journal.is_empty() && running.is_some_and(|server| server.reread());
    if live && !read_again {
        remarks.extend(restart(journal)?);
    }
    Ok(remarks)
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Brings the configuration before the last reset back: from the undo journal, or
/// from the backup of Microsoft's handler.
pub(crate) fn restore_backup(
    journal: &mut Journal,
    title: &str,
) -> Result<Vec<String>, SshdError> {
    const MICROSOFTS: &str = "/var/cache/vmaccess/backup";
    let root = journal.root().to_owned();
    let new = Attributes::root(0o644);
    let mut remarks = Vec::new();
    if let Some((id, files)) = crate::undo::newest(&root, title) {
        let ours =
            |path: &Path| path.starts_with("/etc/ssh/") && !host_keys::is_key(path);
        for file in files.into_iter().filter(|file| ours(&file.path)) {
            let path = file.path.to_string_lossy();
            match file.content {
                Some(content) => journal.write(&path, &content, &new)?,
                None => journal.take_away(&path)?,
            }
        }
        remarks.push(format!("restored from {id}"));
    } else if let Some(content) = edit::read(&root, MICROSOFTS)? {
        journal.write(CONFIG, &content, &new)?;
        journal.take_away(MICROSOFTS)?;
        remarks.push(format!("restored from {MICROSOFTS}"));
    }
    if remarks.is_empty() {
        return Err(SshdError::NoBackup);
    }
    if let Some(reason) = refusal(&root)? {
        return Err(SshdError::Refused(reason));
    }
    if root == Path::new("/") {
        remarks.extend(restart(journal)?);
    }
    Ok(remarks)
}

/// What `sshd -t` has against the configuration; `None`: nothing.
pub(crate) fn refusal(root: &Path) -> Result<Option<String>, SshdError> {
    // While the service is stopped this directory does not exist, and sshd -t fails.
    for dir in ["/run", "/run/sshd"] {
        if edit::kind(root, dir).is_none()
            && let Some(place) = Place::follow(root, Path::new(dir))?
        {
            place.make_dir(&Attributes::root(0o755))?;
        }
    }
    let checked = process::tool(root, &[BINARY, "-t"], &[], &LIMITS)
        .ok_or(SshdError::NotInstalled)?
        .map_err(|source| SshdError::Run { program: "sshd -t", source })?;
    Ok(match checked.ended {
        Ended::Exit(0) => None,
        Ended::Exit(126 | 127) if root != Path::new("/") => {
            return Err(SshdError::Program {
                program: "sshd -t",
                reason: checked.text(),
            });
        }
        _ => Some(checked.text()),
    })
}

fn make_executable(journal: &mut Journal) -> Result<(), SshdError> {
    let place = Place::follow(journal.root(), Path::new(BINARY))?;
    let place = place.ok_or(SshdError::NotInstalled)?;
    let opened = place.open()?.ok_or(SshdError::NotInstalled)?;
    let mut attributes = opened.attributes();
    if attributes.mode & 0o111 == 0 {
        attributes.mode |= 0o755;
        journal.set_attributes(&opened, &attributes)?;
    }
    Ok(())
}

/// Repairs what `sshd -t` complains about, one thing at a time.
fn make_acceptable(journal: &mut Journal) -> Result<Vec<String>, SshdError> {
    let root = journal.root().to_owned();
    let mut remarks = Vec::new();
    let (mut renewed, mut user_made) = (false, false);
    while let Some(reason) = refusal(&root)? {
        if let Some(drop_in) = config::blamed(&root, &reason) {
            journal.take_away(&drop_in)?;
            remarks.push(format!("moved aside {drop_in}"));
        } else if reason.contains("Privilege separation user") && !user_made {
            user_made = true;
            let mut accounts = Accounts::open(&root)?;
            accounts.create_system("sshd", "/run/sshd")?;
            accounts.save(journal)?;
            remarks.push("made the user sshd".to_owned());
        } else if reason.contains("no hostkeys available") && !renewed {
            renewed = true;
            host_keys::renew(journal)?;
            remarks.push("made new host keys: the old ones were unreadable".to_owned());
        } else {
            return Err(SshdError::Refused(reason));
        }
    }
    Ok(remarks)
}
