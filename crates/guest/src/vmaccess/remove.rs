//! A user is removed with everything that is plainly theirs.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use super::VmAccessError;
use crate::account::{self, AccountError, Accounts};
use crate::settings::UserName;
use crate::undo::Journal;

/// Takes account, sudo rules, home directory, mail and cron table away and ends the
/// user's processes. A user who does not exist is removed already.
pub(super) fn remove(
    journal: &mut Journal,
    name: &UserName,
) -> Result<Vec<String>, VmAccessError> {
    let failed = |source| match source {
        AccountError::SystemUser(user) => VmAccessError::SystemUser(user),
        source => VmAccessError::Account { user: name.to_string(), source },
    };
    let removed = take_away(journal, name).map_err(failed)?;
    let Some(Removed { uid, home_stays, is_another }) = removed else {
        return Ok(vec![format!("there is no user {name}")]);
    };
    if journal.root() == Path::new("/") && !is_another {
        end_processes(uid);
    }
    let mut remarks = vec![format!("removed the user {name}")];
    if let Some(home) = home_stays {
        remarks.push(format!("{home} stays: it is the home of another account too"));
    }
    Ok(remarks)
}

/// A user who is gone.
struct Removed {
    uid: u32,
    /// The home directory, where somebody else lives in it.
    home_stays: Option<String>,
    /// Whether another account has the same number.
    is_another: bool,
}

fn take_away(
    journal: &mut Journal,
    name: &UserName,
) -> Result<Option<Removed>, AccountError> {
    let mut accounts = Accounts::open(journal.root())?;
    let Some(account) = accounts.find_person(name)? else { return Ok(None) };
    let shared = accounts.shares_home(&account);
    let is_another = accounts.shares_uid(&account);
    accounts.remove(&account);
    accounts.save(journal)?;
    account::revoke_sudo(journal, name.as_str())?;
    for path in [
        format!("/etc/ssh/sshd_config.d/00-regain-{name}.conf"),
        format!("/var/mail/{name}"),
        format!("/var/spool/cron/crontabs/{name}"),
        format!("/var/spool/cron/{name}"),
        format!("/run/faillock/{name}"),
    ] {
        journal.take_away(&path)?;
    }
    if !shared {
        account::take_home_away(journal, &account)?;
    }
    let home_stays = shared.then_some(account.home);
    Ok(Some(Removed { uid: account.uid, home_stays, is_another }))
}

/// A session that goes on would still have the user's rights.
fn end_processes(uid: u32) {
    let Ok(entries) = std::fs::read_dir("/proc") else { return };
    for entry in entries.flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(pid) = pid.and_then(Pid::from_raw) else { continue };
        let status =
            std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let real = status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:"))
            .and_then(|ids| ids.split_whitespace().next()?.parse::<u32>().ok());
        if real == Some(uid) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
