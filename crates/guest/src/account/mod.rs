//! Users of the guest, straight from its files: no NSS, no `useradd`, so that the same
//! code serves a running system and a mounted disk.
//!
//! `Accounts` holds passwd, shadow, group and gshadow under shadow's own lock; beside it
//! are home directories, authorized keys and sudo rules. Everything is written through
//! the undo journal.

mod accounts;
mod authorized_keys;
mod home;
mod lock;
mod login_defs;
mod sudo;
mod table;

use crate::edit::EditError;
use crate::settings::Date;
use crate::undo::UndoError;
pub(crate) use accounts::Accounts;
pub(crate) use authorized_keys::authorize;
pub(crate) use home::{make_home, open_home, take_home_away};
pub(crate) use sudo::{grant_sudo, is_in_sudoers, revoke_sudo};

/// Why an account could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A file cannot be changed.
    #[error(transparent)]
    Undo(#[from] UndoError),
    /// A file cannot be read.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// `/etc/passwd` or `/etc/shadow` is gone.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Another program holds the lock.
    #[error("another program is changing the accounts (lock {0} is held)")]
    Busy(&'static str),
    /// The lock cannot be taken.
    #[error("could not lock {path}")]
    Lock {
        /// The lock file.
        path: &'static str,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Accounts of the system are not for people.
    #[error("Failed to set password for system user: {0} (0x06).")]
    SystemUser(String),
    /// A line that cannot be understood.
    #[error("the line of {user} in {file} is malformed")]
    Malformed {
        /// Which file.
        file: &'static str,
        /// Whose line.
        user: String,
    },
    /// Every number is taken.
    #[error("no free {0} between {1} and {2}")]
    Full(&'static str, u32, u32),
    /// The home directory cannot be used.
    #[error("{path} {reason}")]
    Home {
        /// Which path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// sudo would refuse the new file.
    #[error("visudo refuses the new sudoers file: {0}")]
    Sudoers(String),
}

/// One user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) home: String,
    pub(crate) shell: String,
}

/// What keeps a user from logging in although the credentials are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The account's last day is over.
    Expired(Date),
}

#[cfg(test)]
mod tests;
