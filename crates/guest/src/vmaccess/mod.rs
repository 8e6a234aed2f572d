//! VMAccess: resets the SSH server and gives users new credentials.
//!
//! [`apply`] does what checked settings ask for, in Microsoft's order: configuration,
//! removal, user, disk. Everything happens in one undo journal, so a failure on the way
//! leaves nothing behind, and a success can be taken back.

mod disk;
mod remove;
mod user;

use std::path::Path;

use crate::account::AccountError;
use crate::edit::EditError;
use crate::settings::{DiskAction, SettingsError, VmAccess};
use crate::sshd::{self, SshdError};
use crate::undo::{Journal, UndoError};

/// The handler's name.
pub const NAME: &str = "Microsoft.OSTCExtensions.VMAccessForLinux";

/// Titles of undo journals; restoring looks for the first one.
const RESET_SSH: &str = "reset_ssh";
const OTHER: &str = "vmaccess";

/// Why a request could not be carried out. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum VmAccessError {
    /// The settings make no sense.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The SSH server could not be brought back.
    #[error("the SSH configuration could not be reset")]
    Sshd(#[source] SshdError),
    /// The user could not be made or changed.
    #[error("the account {user} could not be changed")]
    Account {
        /// Who.
        user: String,
        /// Why.
        #[source]
        source: AccountError,
    },
    /// Without it the system would break.
    #[error("Failed to remove user {0}: it is an account of the system")]
    SystemUser(String),
    /// sshd does not accept the user's password.
    #[error("password login could not be allowed for {user}")]
    PasswordLogin {
        /// Who.
        user: String,
        /// Why.
        #[source]
        source: SshdError,
    },
    /// A disk cannot be checked or repaired.
    #[error("{0}")]
    Disk(String),
    /// The undo journal cannot be written.
    #[error(transparent)]
    Undo(#[from] UndoError),
    /// A file cannot be read.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// Does what the settings ask for. Gives remarks, the last one with the undo id.
pub(crate) fn apply(
    root: &Path,
    settings: &VmAccess,
) -> Result<Vec<String>, VmAccessError> {
    let title = if settings.reset_ssh { RESET_SSH } else { OTHER };
    let mut journal = Journal::begin(root, title)?;
    let mut remarks = Vec::new();
    if settings.reset_ssh {
        remarks.extend(sshd::reset(&mut journal).map_err(VmAccessError::Sshd)?);
    }
    if settings.restore_backup_ssh {
        let restored = sshd::restore_backup(&mut journal, RESET_SSH);
        remarks.extend(restored.map_err(VmAccessError::Sshd)?);
    }
    if let Some(name) = &settings.remove_user {
        remarks.extend(remove::remove(&mut journal, name)?);
    }
    if let Some(user) = &settings.user {
        remarks.extend(user::reset(&mut journal, user)?);
    }
    match &settings.disk {
        Some(DiskAction::Check) => remarks.push(disk::check(root)?),
        Some(DiskAction::Repair(name)) => remarks.push(disk::repair(root, name)?),
        None => {}
    }
    if journal.is_empty() {
        journal.forget();
        return Ok(remarks);
    }
    let id = journal.commit()?;
    remarks.push(format!("undo with: regain-guest undo {id}"));
    Ok(remarks)
}

/// The word for `operation` in the status.
pub(crate) fn operation(settings: &VmAccess) -> &'static str {
    match settings.disk {
        Some(DiskAction::Check) => "Check",
        Some(DiskAction::Repair(_)) => "Repair",
        None => "Enable",
    }
}
