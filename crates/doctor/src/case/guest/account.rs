//! The account that logs in.

use serde::{Deserialize, Serialize};

use super::path::PathFact;
use super::sshd::NameService;
use crate::case::word::words;

/// The account that logs in: what the guest's account files and its name service say,
/// without its full name and without any hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// The login name.
    pub user: String,
    /// What `getent passwd` says.
    pub name_service: NameService,
    /// Whether `/etc/passwd` has it.
    pub line: bool,
    /// Numeric user id.
    #[serde(default)]
    pub uid: Option<u32>,
    /// Numeric primary group.
    #[serde(default)]
    pub gid: Option<u32>,
    /// All numeric groups; none if nobody could tell.
    #[serde(default)]
    pub gids: Option<Vec<u32>>,
    /// Groups by name; none if nobody could tell.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
    /// Home directory.
    #[serde(default)]
    pub home: Option<String>,
    /// Login shell.
    #[serde(default)]
    pub shell: Option<String>,
    /// The shell's file, through its links.
    #[serde(default)]
    pub shell_file: Option<PathFact>,
    /// Its line of `/etc/shadow`; none for an account of a directory.
    #[serde(default)]
    pub shadow: Option<Shadow>,
    /// The text of `/etc/nologin` or `/run/nologin`, which everybody is shown.
    #[serde(default)]
    pub nologin: Option<String>,
}

/// A line of `/etc/shadow`. Days count from 1970-01-01.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shadow {
    /// What the password field is; never the hash.
    pub password: PasswordKind,
    /// Day of the last password change; 0 forces a change.
    #[serde(default)]
    pub changed_day: Option<i64>,
    /// Days after which the password must be changed.
    #[serde(default)]
    pub max_days: Option<i64>,
    /// Days of inactivity after expiry of the password that lock the account.
    #[serde(default)]
    pub inactive_days: Option<i64>,
    /// Day on which the account expires.
    #[serde(default)]
    pub expires_day: Option<i64>,
}

words! {
    /// What a password field is.
    pub enum PasswordKind {
        /// A hash.
        Usable = "usable",
        /// A hash behind `!`, or `!` alone.
        Locked = "locked",
        /// `*`, or nothing.
        None = "none",
    }
}
