//! The first boot: host name, first user, host keys.
//!
//! The cloud puts `/var/lib/regain/provision.json` into the guest's file system before
//! the first boot. [`run`] applies it before sshd starts and deletes it. A boot without
//! the file is not a first boot, and nothing happens.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::account::{self, AccountError, Accounts};
use crate::edit::{self, Attributes, EditError, Place};
use crate::settings::{InvalidUserName, UserName};
use crate::ssh_key::{self, KeyError};
use crate::sshd::{self, SshdError};
use crate::undo::{Journal, UndoError};

/// Where the document is, below the root.
pub const FILE: &str = "/var/lib/regain/provision.json";

/// What a new VM should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provision {
    /// The VM's host name.
    pub hostname: String,
    /// The first user; gets sudo.
    pub username: String,
    /// A hash as [`crate::password::hash`] makes it; `None`: no password login.
    #[serde(default)]
    pub password_hash: Option<String>,
    /// OpenSSH public key lines.
    #[serde(default)]
    pub authorized_keys: Vec<String>,
}

/// Why a VM could not be provisioned. It is tried again at the next boot.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The document is damaged.
    #[error("{FILE} is not a provisioning document")]
    Json(#[source] serde_json::Error),
    /// An impossible host name.
    #[error("{0:?} is not a host name")]
    Hostname(String),
    /// An impossible user name.
    #[error("the user name cannot be used")]
    UserName(#[source] InvalidUserName),
    /// A hash that would break the line in `/etc/shadow`.
    #[error("the password hash is malformed")]
    PasswordHash,
    /// A key that cannot be used.
    #[error("a public key cannot be used")]
    Key(#[source] KeyError),
    /// The user could not be made.
    #[error("the user {user} could not be made")]
    Account {
        /// Who.
        user: String,
        /// Why.
        #[source]
        source: AccountError,
    },
    /// The host keys could not be made.
    #[error("the host keys could not be made")]
    HostKeys(#[source] SshdError),
    /// A file cannot be changed.
    #[error(transparent)]
    Undo(#[from] UndoError),
    /// A file cannot be read.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// Applies the document if there is one. Gives whether there was.
pub fn run(root: &Path) -> Result<bool, ProvisionError> {
    let Some(text) = edit::read(root, FILE)? else { return Ok(false) };
    let wanted: Provision =
        serde_json::from_slice(&text).map_err(ProvisionError::Json)?;
    let mut journal = Journal::begin(root, "provision")?;
    apply(&mut journal, &wanted)?;
    // A VM that is not provisioned is nothing to go back to, and the document with the
    // password's hash must not stay anywhere.
    journal.forget();
    if let Some(place) = Place::follow(root, Path::new(FILE))? {
        place.unlink()?;
    }
    Ok(true)
}

fn apply(journal: &mut Journal, wanted: &Provision) -> Result<(), ProvisionError> {
    let name = UserName::parse(&wanted.username).map_err(ProvisionError::UserName)?;
    let mut keys = Vec::new();
    for line in &wanted.authorized_keys {
        keys.extend(ssh_key::parse(line).map_err(ProvisionError::Key)?);
    }
    let hash = wanted.password_hash.as_deref();
    if hash.is_some_and(|hash| hash.contains(|c: char| c == ':' || c.is_control())) {
        return Err(ProvisionError::PasswordHash);
    }
    check_hostname(&wanted.hostname)?;

    // First what sshd needs, so that it finds it whatever happens after.
    sshd::make_missing_host_keys(journal).map_err(ProvisionError::HostKeys)?;
    set_hostname(journal, &wanted.hostname)?;
    let user = |source| ProvisionError::Account { user: name.to_string(), source };
    make_user(journal, &name, hash, &keys).map_err(user)
}

fn make_user(
    journal: &mut Journal,
    name: &UserName,
    hash: Option<&str>,
    keys: &[ssh_key::PublicKey],
) -> Result<(), AccountError> {
    let root = journal.root().to_owned();
    let mut accounts = Accounts::open(&root)?;
    let account = match accounts.find_person(name)? {
        Some(account) => account,
        None => accounts.create(&root, name)?,
    };
    if let Some(hash) = hash {
        accounts.set_password(&account, hash);
    }
    accounts.save(journal)?;
    account::make_home(journal, &account, accounts.home_mode())?;
    if !keys.is_empty() {
        account::authorize(journal, &account, &accounts, keys, false)?;
    }
    account::grant_sudo(journal, &account, true)
}

fn check_hostname(hostname: &str) -> Result<(), ProvisionError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let valid = (1..=64).contains(&hostname.len())
        && hostname.chars().all(allowed)
        && !hostname.starts_with(['-', '.']);
    if valid { Ok(()) } else { Err(ProvisionError::Hostname(hostname.to_owned())) }
}

fn set_hostname(journal: &mut Journal, hostname: &str) -> Result<(), ProvisionError> {
    let new = Attributes::root(0o644);
    journal.write("/etc/hostname", format!("{hostname}\n").as_bytes(), &new)?;
    let hosts = edit::read_text(journal.root(), "/etc/hosts")?.unwrap_or_default();
    journal.write("/etc/hosts", with_own_name(&hosts, hostname).as_bytes(), &new)?;
    if journal.root() == Path::new("/") {
        // Some containers may not; then the name comes with the next boot.
        let _ = rustix::system::sethostname(hostname.as_bytes());
    }
    Ok(())
}

/// `sudo` waits for the resolver if the host's own name is unknown.
fn with_own_name(hosts: &str, hostname: &str) -> String {
    let line = format!("127.0.1.1 {hostname}");
    let own = |line: &&str| line.split_whitespace().next() == Some("127.0.1.1");
    let mut lines: Vec<&str> = hosts.lines().filter(|line| !own(line)).collect();
    if lines.is_empty() {
        lines.push("127.0.0.1 localhost");
    }
    lines.insert(1, &line);
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_name_is_in_hosts_once() {
        assert_eq!(with_own_name("", "vm"), "127.0.0.1 localhost\n127.0.1.1 vm\n");
        let before = "127.0.0.1 localhost\n127.0.1.1 old\n::1 localhost\n";
        let after = "127.0.0.1 localhost\n127.0.1.1 vm\n::1 localhost\n";
        assert_eq!(with_own_name(before, "vm"), after);
        assert_eq!(with_own_name(after, "vm"), after);
    }

    #[test]
    fn only_host_names_are_host_names() {
        for good in ["vm1", "a.example", "X-9"] {
            assert!(check_hostname(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a b", "a\nb", "ü"] {
            assert!(check_hostname(bad).is_err(), "{bad}");
        }
    }
}
