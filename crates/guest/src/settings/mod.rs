//! What the handlers are asked to do, checked to the last field before anything is
//! written.
//!
//! Values are read strictly: a wrong type, an unknown key or an impossible value is an
//! error whose text ARM shows to the user. Both handlers take the decrypted protected
//! settings and the public settings as JSON.

mod date;
mod field;
mod run_command;
mod user_name;
mod vm_access;

pub use date::Date;
pub use run_command::{Parameter, RunCommand};
pub use user_name::{InvalidUserName, UserName};
pub use vm_access::{DiskAction, Password, UserReset, VmAccess};

use crate::ssh_key::KeyError;

/// Why settings are refused. Display is meant for the user and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A key that the handler does not know, usually a spelling mistake.
    #[error("{section} has the unknown key {key:?}; known are: {known}")]
    UnknownKey {
        /// `protectedSettings` or `settings`.
        section: &'static str,
        /// The key.
        key: String,
        /// What would be accepted.
        known: String,
    },
    /// A value of the wrong type.
    #[error("{key} must be {wanted}, but is {found}")]
    WrongType {
        /// The key.
        key: &'static str,
        /// What is accepted.
        wanted: &'static str,
        /// What was sent, by type only.
        found: &'static str,
    },
    /// A section that is not an object.
    #[error("{section} must be a JSON object")]
    NotAnObject {
        /// `protectedSettings` or `settings`.
        section: &'static str,
    },
    /// An impossible user name.
    #[error("{key} is not a usable user name")]
    UserName {
        /// `username` or `remove_user`.
        key: &'static str,
        /// What is wrong with it.
        #[source]
        source: InvalidUserName,
    },
    /// A key that cannot be used.
    #[error("the public key cannot be used")]
    Key {
        /// What is wrong with it.
        #[source]
        source: KeyError,
    },
    /// Not a date.
    #[error("expiration must be a day as yyyy-mm-dd, but is {0:?}")]
    Date(String),
    /// A user without anything to log in with. Microsoft's handler says the same.
    #[error("No password or ssh_key is specified.")]
    NoCredential,
    /// A password that nobody could type at a prompt.
    #[error("the password holds a control character")]
    Password,
    /// A credential without the user that it is for.
    #[error("{0} is given, but username is not")]
    NoUser(&'static str),
    /// Two actions that exclude each other.
    #[error("{0} cannot be combined with {1} in one operation")]
    Conflict(&'static str, &'static str),
    /// repair_disk without the disk.
    #[error("repair_disk needs disk_name, the name of the mount point")]
    NoDisk,
    /// A script that is not there.
    #[error("script is empty")]
    NoScript,
    /// A parameter name that is no shell variable.
    #[error("the parameter name {0:?} is not a shell variable name")]
    ParameterName(String),
}

impl SettingsError {
    /// The error with its causes, as one sentence for a status message.
    pub fn full_text(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}
