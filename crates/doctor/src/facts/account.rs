//! The account that logs in.

use serde::Serialize;

use super::authorized_keys::KeysFacts;
use super::client::ClientFacts;
use super::expiry;
use super::key_files::{self, KeyPlace};
use super::key_path::PathProblem;
use super::known::Known;
use super::settings::Resolved;
use super::user_lists;
use crate::case::{Account, Case, NameService, PasswordKind, PathKind, Shadow};

/// The account that logs in.
#[derive(Debug, Clone, Serialize)]
pub struct AccountFacts {
    /// The login name.
    pub user: String,
    /// Whether the guest knows it.
    pub exists: Known<bool>,
    /// Whether `/etc/passwd` has it, and the name service does not find it.
    pub name_service_broken: Known<bool>,
    /// Numeric user id.
    pub uid: Known<i64>,
    /// Home directory; empty if the account has none.
    pub home: Known<String>,
    /// Whether the home directory is missing.
    pub home_missing: Known<bool>,
    /// Login shell.
    pub shell: Known<String>,
    /// What the shell does.
    pub shell_kind: Known<ShellKind>,
    /// Groups by name.
    pub groups: Known<Vec<String>>,
    /// The password field: `usable`, `locked`, `none`.
    pub password: Known<PasswordKind>,
    /// Whether the account's expiry date has come.
    pub expired: Known<bool>,
    /// That date, `YYYY-MM-DD`; absent if it never expires.
    pub expires: Known<Option<String>>,
    /// `YYYYMMDD` of the first midnight that is a day or more away in the guest.
    pub one_day_ahead: Known<String>,
    /// Whether the password must be changed before anything else.
    pub password_expired: Known<bool>,
    /// Whether the password is so old that PAM refuses the account altogether.
    pub password_inactive: Known<bool>,
    /// Authorized-keys files in which sshd looks for this user.
    pub key_files: Known<Vec<String>>,
    /// The first of them, where a key would be installed.
    pub key_file: Known<String>,
    /// What makes sshd refuse every file that has keys, as `StrictModes` and the
    /// user's own rights have it.
    pub path_problems: Known<Vec<PathProblem>>,
    /// What the files hold.
    pub keys: Known<KeysFacts>,
    /// Whether keys come from a command as well, so that files are not all.
    pub keys_from_command: Known<bool>,
    /// A file with keys in the usual place, where sshd does not look.
    pub keys_elsewhere: Known<Option<String>>,
    /// The text of a nologin file.
    pub nologin: Known<Option<String>>,
    /// The entry of `DenyUsers` that denies the user.
    pub denied_by: Known<Option<String>>,
    /// Whether `AllowUsers` lets the user in.
    pub allowed_user: Known<bool>,
    /// The user's group that `DenyGroups` names.
    pub denied_group: Known<Option<String>>,
    /// Whether `AllowGroups` lets the user in.
    pub allowed_group: Known<bool>,
}

/// What a login shell does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShellKind {
    /// It runs commands, as far as its name tells.
    Shell,
    /// It says that the account is not available.
    Nologin,
    /// It ends at once.
    ExitsAtOnce,
    /// It does not exist.
    Missing,
    /// It can not be run.
    NotExecutable,
}

pub(super) fn derive(
    case: &Case,
    resolved: &Resolved,
    client: Option<&ClientFacts>,
) -> AccountFacts {
    let account = case.account.known();
    let exists = account.as_ref().and_then(|account| exists(account));
    // What an entry of the account files says, if there is one.
    let entry = || -> Known<&Account> {
        exists.as_ref().zip(account.as_ref()).and_then(|(exists, account)| {
            Known::or(exists.then_some(*account), "the guest has no such account")
        })
    };
    let shadow = || -> Known<&Shadow> {
        entry().and_then(|account| {
            Known::or(
                account.shadow.as_ref(),
                "the account has no line in /etc/shadow, and a directory does not tell",
            )
        })
    };
    let today = expiry::today(case);
    let place =
        entry().zip(case.keys.known()).map(|(account, keys)| KeyPlace { account, keys });
    let files = entry().and_then(|account| key_files::configured(account, resolved));
    let age = shadow().and_then(|shadow| expiry::of_password(shadow, &today));
    let groups = entry().and_then(|account| {
        Known::or(account.groups.clone(), "the account's groups are not known")
    });
    let words = |keyword: &str| {
        resolved.list(keyword).map(|values| {
            let words = values.iter().flat_map(|value| value.split_whitespace());
            words.map(str::to_owned).collect::<Vec<_>>()
        })
    };
    let user = case.target.user.as_str();
    let named = |keyword: &str| words(keyword).zip(groups.clone());
    let of_place = place.as_ref().zip(files.as_ref());
    AccountFacts {
        user: user.to_owned(),
        name_service_broken: account.as_ref().map(|account| {
            let answers = matches!(
                account.name_service,
                NameService::Found | NameService::NotAsked
            );
            account.line && !answers
        }),
        uid: entry().and_then(|account| {
            Known::or(account.uid.map(i64::from), "the account has no number")
        }),
        home: entry().map(|account| account.home.clone().unwrap_or_default()),
        home_missing: place.as_ref().and_then(KeyPlace::home_missing),
        shell: entry().map(|account| account.shell.clone().unwrap_or_default()),
        shell_kind: entry().and_then(shell_kind),
        password: shadow().map(|shadow| shadow.password.clone()),
        expired: shadow().and_then(|shadow| expiry::of_account(shadow, &today)),
        expires: shadow()
            .map(|shadow| shadow.expires_day.filter(|day| *day >= 0).map(expiry::date)),
        // The midnight of tomorrow may be minutes away.
        one_day_ahead: today
            .as_ref()
            .map(|day| expiry::date(day.saturating_add(2)).replace('-', "")),
        password_expired: age.as_ref().map(|age| age.expired),
        password_inactive: age.map(|age| age.inactive),
        path_problems: of_place
            .clone()
            .and_then(|(place, files)| place.path_problems(files, case, resolved)),
        keys: of_place
            .clone()
            .and_then(|(place, files)| place.keys(files, case, client, &today)),
        keys_from_command: words("authorizedkeyscommand")
            .map(|command| command.first().is_some_and(|path| path != "none")),
        keys_elsewhere: of_place.map(|(place, files)| place.elsewhere(files)),
        key_file: files.as_ref().map(|all| all.first().cloned().unwrap_or_default()),
        key_files: files,
        nologin: account.map(|account| account.nologin.clone()),
        denied_by: words("denyusers")
            .and_then(|list| user_lists::denying_user(&list, user)),
        allowed_user: words("allowusers")
            .and_then(|list| user_lists::allows_user(&list, user)),
        denied_group: named("denygroups")
            .map(|(list, groups)| user_lists::matching_group(&list, &groups)),
        allowed_group: named("allowgroups").map(|(list, groups)| {
            list.is_empty() || user_lists::matching_group(&list, &groups).is_some()
        }),
        groups,
        exists,
    }
}

/// The name service decides, as it does for sshd. It and the file against each other
/// are no answer.
fn exists(account: &Account) -> Known<bool> {
    match (account.name_service, account.line) {
        (NameService::Found, _) => Known::Is(true),
        (NameService::NotFound, false) => Known::Is(false),
        (NameService::NotAsked, line) => Known::Is(line),
        (NameService::NotFound | NameService::Failed, true) => Known::unknown(
            "/etc/passwd has the account, and the name service does not find it",
        ),
        (NameService::Failed, false) => {
            Known::unknown("the name service does not answer")
        }
    }
}

fn shell_kind(account: &Account) -> Known<ShellKind> {
    let Some(file) = &account.shell_file else {
        return Known::unknown("nobody looked at the shell's file");
    };
    // An empty field means /bin/sh (passwd(5)).
    let shell = account.shell.as_deref().unwrap_or_default();
    let executable = file.bits().is_none_or(|mode| mode & 0o111 != 0);
    Known::Is(match (file.kind, shell.rsplit('/').next().unwrap_or_default()) {
        (PathKind::Missing, _) => ShellKind::Missing,
        (PathKind::File, _) if !executable => ShellKind::NotExecutable,
        (_, "nologin") => ShellKind::Nologin,
        (_, "false" | "true") => ShellKind::ExitsAtOnce,
        _ => ShellKind::Shell,
    })
}
