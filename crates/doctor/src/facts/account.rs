//! The account that logs in, and the way to its keys.

use formats::sshd_config;
use serde::Serialize;

use super::authorized_keys::{self, KeysFacts};
use super::client::ClientFacts;
use super::firewall;
use super::key_options::Visitor;
use super::key_path::{self, PathProblem, Strictness};
use super::sshd::SshdFacts;
use crate::case::{Account, Case, PathFact};

/// The account that logs in.
#[derive(Debug, Clone, Serialize)]
pub struct AccountFacts {
    /// The login name.
    pub user: String,
    /// Whether the guest knows it.
    pub exists: bool,
    /// Numeric user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<i64>,
    /// Home directory; empty if the account has none.
    pub home: String,
    /// Whether the home directory is missing; absent if nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_missing: Option<bool>,
    /// Login shell.
    pub shell: String,
    /// What the shell does.
    pub shell_kind: ShellKind,
    /// Groups by name.
    pub groups: Vec<String>,
    /// The password field: `usable`, `locked`, `none`, `missing`.
    pub password: String,
    /// Whether the account's expiry date has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired: Option<bool>,
    /// That date, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Whether the password must be changed before anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_expired: Option<bool>,
    /// Whether the password is so old that PAM refuses the account altogether.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_inactive: Option<bool>,
    /// Authorized-keys files in which sshd looks for this user.
    pub key_files: Vec<String>,
    /// The first of them, where a key would be installed.
    pub key_file: String,
    /// What makes sshd refuse every file that has keys, as `StrictModes` and the
    /// user's own rights have it.
    pub path_problems: Vec<PathProblem>,
    /// What the files hold.
    pub keys: KeysFacts,
    /// Whether keys come from a command as well, so that files are not all.
    pub keys_from_command: bool,
    /// A file with keys in the usual place, where sshd does not look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys_elsewhere: Option<String>,
    /// The text of a nologin file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nologin: Option<String>,
    /// The entry of `DenyUsers` that denies the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<String>,
    /// Whether `AllowUsers` lets the user in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_user: Option<bool>,
    /// The user's group that `DenyGroups` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denied_group: Option<String>,
    /// Whether `AllowGroups` lets the user in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_group: Option<bool>,
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
    account: &Account,
    case: &Case,
    client: Option<&ClientFacts>,
    sshd: Option<&SshdFacts>,
) -> AccountFacts {
    let files = key_files(account, sshd);
    let os = case.guest.collected().map_or("", |guest| guest.os.as_str());
    let strictness = Strictness {
        modes: sshd.is_none_or(|sshd| sshd.strict_modes),
        lenient: ![
            "Red Hat", "CentOS", "Rocky", "Alma", "Fedora", "Oracle", "SUSE", "openSUSE",
            "Amazon",
        ]
        .iter()
        .any(|name| os.contains(name)),
        journal: sshd.map_or(&[], |sshd| sshd.journal.as_slice()),
    };
    let ours: Vec<&str> = client
        .into_iter()
        .flat_map(|client| &client.identities)
        .filter(|key| key.named || case.target.identity.is_none())
        .filter_map(|key| key.public_key.as_deref())
        .collect();
    let lines: Vec<&[String]> = files
        .iter()
        .filter_map(|file| account.authorized_keys.get(file))
        .map(Vec::as_slice)
        .collect();
    let today = account.today.map(|day| date(day).replace('-', ""));
    let visitor = Visitor { address: firewall::visitor(case), today: today.as_deref() };
    let not_a_file = files.iter().any(|file| {
        fact(account, file)
            .is_some_and(|fact| !matches!(&*fact.kind, "file" | "missing" | "symlink"))
    });
    let list = |keyword: &str| -> Option<Vec<String>> {
        let effective = sshd?.effective.as_ref()?;
        let values = effective.get(keyword).map_or(&[][..], Vec::as_slice);
        Some(
            values
                .iter()
                .flat_map(|value| value.split_whitespace())
                .map(str::to_owned)
                .collect(),
        )
    };
    let in_groups = |keyword: &str| {
        Some(sshd_config::matching_group(&list(keyword)?, &account.groups))
    };
    let user = account.user.as_str();
    AccountFacts {
        user: user.to_owned(),
        exists: account.exists,
        uid: account.uid.map(i64::from),
        home: account.home.clone().unwrap_or_default(),
        home_missing: account
            .home
            .as_deref()
            .and_then(|home| fact(account, home.trim_end_matches('/')))
            .map(|fact| fact.kind == "missing"),
        shell: account.shell.clone().unwrap_or_default(),
        shell_kind: shell_kind(account),
        groups: account.groups.clone(),
        password: account.password.clone(),
        expired: expired(account),
        expires: account.expires_day.filter(|day| *day >= 0).map(date),
        password_expired: password_age(account).map(|(expired, _)| expired),
        password_inactive: password_age(account).map(|(_, inactive)| inactive),
        path_problems: path_problems(&files, account, strictness),
        keys: authorized_keys::derive(&lines, &ours, not_a_file, visitor),
        keys_from_command: list("authorizedkeyscommand")
            .is_some_and(|command| command.first().is_some_and(|path| path != "none")),
        keys_elsewhere: keys_elsewhere(account, &files),
        key_file: files.first().cloned().unwrap_or_default(),
        key_files: files,
        nologin: account.nologin.clone(),
        denied_by: list("denyusers")
            .and_then(|list| sshd_config::denying_user(&list, user)),
        allowed_user: list("allowusers")
            .and_then(|list| sshd_config::allows_user(&list, user)),
        denied_group: in_groups("denygroups").flatten(),
        allowed_group: list("allowgroups").map(|list| {
            list.is_empty()
                || sshd_config::matching_group(&list, &account.groups).is_some()
        }),
    }
}

fn fact<'a>(account: &'a Account, path: &str) -> Option<&'a PathFact> {
    account.key_path.iter().find(|fact| fact.path == path)
}

/// `AuthorizedKeysFile` with its tokens filled in (sshd_config(5), TOKENS).
fn key_files(account: &Account, sshd: Option<&SshdFacts>) -> Vec<String> {
    let configured: Vec<&str> = sshd
        .and_then(|sshd| sshd.effective.as_ref())
        .and_then(|effective| effective.get("authorizedkeysfile"))
        .into_iter()
        .flatten()
        .flat_map(|value| value.split_whitespace())
        .collect();
    let patterns = if configured.is_empty() {
        vec![".ssh/authorized_keys", ".ssh/authorized_keys2"]
    } else {
        configured
    };
    let home = account.home.as_deref().unwrap_or_default().trim_end_matches('/');
    let uid = account.uid.map(|uid| uid.to_string()).unwrap_or_default();
    patterns
        .into_iter()
        .filter(|pattern| *pattern != "none")
        .map(|pattern| {
            let path = pattern
                .replace("%%", "\0")
                .replace("%h", home)
                .replace("%u", &account.user)
                .replace("%U", &uid)
                .replace('\0', "%");
            if path.starts_with('/') { path } else { format!("{home}/{path}") }
        })
        .collect()
}

/// `~/.ssh/authorized_keys`, if it has lines and is none of the files.
fn keys_elsewhere(account: &Account, files: &[String]) -> Option<String> {
    let home = account.home.as_deref()?.trim_end_matches('/');
    let usual = format!("{home}/.ssh/authorized_keys");
    let has_lines =
        account.authorized_keys.get(&usual).is_some_and(|lines| !lines.is_empty());
    (has_lines && !files.contains(&usual)).then_some(usual)
}

/// What is wrong on the way to the files that exist; nothing as long as one of
/// them can be used.
fn path_problems(
    files: &[String],
    account: &Account,
    strictness: Strictness,
) -> Vec<PathProblem> {
    let mut all: Vec<PathProblem> = Vec::new();
    for file in files {
        if fact(account, file).is_none_or(|fact| fact.kind == "missing") {
            // Without a readable directory nobody knows whether the file is there,
            // sshd included; what blocks the way is the same for its neighbours.
            continue;
        }
        let problems = key_path::problems(file, account, strictness);
        if problems.is_empty() {
            return Vec::new();
        }
        for problem in problems {
            if !all.contains(&problem) {
                all.push(problem);
            }
        }
    }
    all
}

fn shell_kind(account: &Account) -> ShellKind {
    // An empty field means /bin/sh (passwd(5)).
    let shell = account.shell.as_deref().unwrap_or_default();
    if let Some(file) = &account.shell_file {
        let mode =
            file.mode.as_deref().and_then(|mode| u32::from_str_radix(mode, 8).ok());
        if file.kind == "missing" {
            return ShellKind::Missing;
        }
        if file.kind == "file" && mode.is_some_and(|mode| mode & 0o111 == 0) {
            return ShellKind::NotExecutable;
        }
    }
    match shell.rsplit('/').next().unwrap_or_default() {
        "nologin" => ShellKind::Nologin,
        "false" | "true" => ShellKind::ExitsAtOnce,
        _ => ShellKind::Shell,
    }
}

/// pam_unix: expired from the day of expiry on; no date, or -1, means never.
fn expired(account: &Account) -> Option<bool> {
    match account.expires_day {
        None => Some(false),
        Some(day) if day < 0 => Some(false),
        Some(day) => Some(account.today? >= day),
    }
}

/// Whether the password must be changed, and whether it is too old even for that
/// (pam_unix, check_shadow_expiry).
fn password_age(account: &Account) -> Option<(bool, bool)> {
    let Some(changed) = account.password_changed_day else { return Some((false, false)) };
    if changed == 0 {
        return Some((true, false));
    }
    let Some(max) = account.password_max_days.filter(|max| *max >= 0) else {
        return Some((false, false));
    };
    let age = account.today?.saturating_sub(changed);
    let inactive = account
        .password_inactive_days
        .filter(|days| *days >= 0)
        .is_some_and(|days| age > max.saturating_add(days));
    Some((age > max, inactive))
}

/// A day number as a date of the proleptic Gregorian calendar (Hinnant's
/// `civil_from_days`).
fn date(day: i64) -> String {
    let day = day.clamp(-700_000, 3_000_000) + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era =
        (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month =
        if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(19_782), "2024-02-29");
        assert_eq!(date(20_779), "2026-11-22");
    }

    #[test]
    fn an_account_expires_on_its_day() {
        let on = |expires_day, today| {
            expired(&Account { expires_day, today, ..Account::default() })
        };
        assert_eq!(on(None, Some(20_000)), Some(false));
        assert_eq!(on(Some(-1), Some(20_000)), Some(false));
        assert_eq!(on(Some(0), Some(20_000)), Some(true));
        assert_eq!(on(Some(20_000), Some(20_000)), Some(true));
        assert_eq!(on(Some(20_001), Some(20_000)), Some(false));
        assert_eq!(on(Some(20_001), None), None);
    }
}
