//! New credentials for a user, who is made if need be, with sudo; one who was there
//! keeps what sudo says.

use std::path::Path;

use super::VmAccessError;
use crate::account::{self, Account, AccountError, Accounts, Obstacle};
use crate::edit;
use crate::password;
use crate::settings::UserReset;
use crate::sshd;
use crate::undo::Journal;

/// Sets password, keys and expiry, and sudo for a new user. Gives remarks about what may
/// still be in the way of a login.
pub(super) fn reset(
    journal: &mut Journal,
    user: &UserReset,
) -> Result<Vec<String>, VmAccessError> {
    let root = journal.root().to_owned();
    let failed = |source| VmAccessError::Account { user: user.name.to_string(), source };
    let mut remarks = change(journal, user).map_err(failed)?;
    // Failed attempts are counted, and too many of them lock the account for a while.
    journal.take_away(&format!("/run/faillock/{}", user.name))?;
    if user.password.is_some() {
        let failed =
            |source| VmAccessError::PasswordLogin { user: user.name.to_string(), source };
        let changed = sshd::allow_password_login(journal, &user.name).map_err(failed)?;
        if changed && root == Path::new("/") {
            remarks.extend(sshd::restart(journal).map_err(failed)?);
        }
    }
    Ok(remarks)
}

fn change(journal: &mut Journal, user: &UserReset) -> Result<Vec<String>, AccountError> {
    let root = journal.root().to_owned();
    let mut remarks = Vec::new();
    let mut accounts = Accounts::open(&root)?;
    let known = accounts.find_person(&user.name)?;
    let is_new = known.is_none();
    let account = match known {
        Some(account) => account,
        None => {
            remarks.push(format!("created the user {}", user.name));
            accounts.create(&root, &user.name)?
        }
    };
    if let Some(password) = &user.password {
        accounts.set_password(&account, &password::hash(password.reveal()));
    }
    accounts.unlock(&account);
    if let Some(last) = user.expiration {
        accounts.set_expiration(&account, last);
    }
    accounts.save(journal)?;
    account::make_home(journal, &account, accounts.home_mode())?;
    if !user.keys.is_empty() {
        account::authorize(
            journal,
            &account,
            &accounts,
            &user.keys,
            user.remove_prior_keys,
        )?;
    }
    // New credentials are no new rights: sudo is for whoever is made here, unless
    // somebody has said before what that name may do, or it is asked for in so many
    // words.
    if user.passwordless_sudo || (is_new && !account::is_in_sudoers(&root, &account)?) {
        // Whoever has no password cannot give sudo one.
        let passwordless = user.passwordless_sudo || user.password.is_none();
        account::grant_sudo(journal, &account, passwordless)?;
    }
    remarks.extend(obstacles(&root, &accounts, &account));
    Ok(remarks)
}

fn obstacles(root: &Path, accounts: &Accounts, account: &Account) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(Obstacle::Expired(last)) = accounts.obstacle(account) {
        remarks.push(format!(
            "the account expired on {last} and still cannot log in; set expiration as well"
        ));
    }
    let shell = &account.shell;
    if !shell.is_empty() && edit::is_missing(root, shell) {
        remarks.push(format!(
            "the login shell {shell} does not exist, so sshd refuses the user"
        ));
    } else if shell.ends_with("/nologin") || shell.ends_with("/false") {
        remarks.push(format!(
            "the login shell is {shell}, which ends every session at once"
        ));
    }
    remarks
}
