//! The distribution's rules for new users: `/etc/login.defs` and
//! `/etc/default/useradd`.

use std::ops::RangeInclusive;
use std::path::Path;

use crate::edit::{self, EditError};

#[derive(Debug)]
pub(super) struct LoginDefs {
    uid: (u32, u32),
    gid: (u32, u32),
    /// Mode of a new home directory.
    pub(super) home_mode: u32,
    /// Where home directories are.
    pub(super) home_base: String,
    /// Shadow's minimum, maximum and warning, in days.
    pub(super) password_days: [String; 3],
}

impl LoginDefs {
    pub(super) fn read(root: &Path) -> Result<LoginDefs, EditError> {
        let text = edit::read_text(root, "/etc/login.defs")?.unwrap_or_default();
        let useradd = edit::read_text(root, "/etc/default/useradd")?.unwrap_or_default();
        Ok(LoginDefs::parse(&text, &useradd))
    }

    fn parse(text: &str, useradd: &str) -> LoginDefs {
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let mut words = line.split_whitespace();
                (words.next() == Some(name)).then(|| words.next()).flatten()
            })
        };
        let number = |name, default| {
            value(name).and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        let octal = |name| value(name).and_then(|text| u32::from_str_radix(text, 8).ok());
        let days = |name, default: &str| value(name).unwrap_or(default).to_owned();
        let mode =
            octal("HOME_MODE").or_else(|| octal("UMASK").map(|umask| 0o777 & !umask));
        let home = useradd.lines().find_map(|line| line.trim().strip_prefix("HOME="));
        LoginDefs {
            uid: (number("UID_MIN", 1000), number("UID_MAX", 60000)),
            gid: (number("GID_MIN", 1000), number("GID_MAX", 60000)),
            // Others could otherwise write there, and sshd would refuse the keys.
            home_mode: mode.unwrap_or(0o755) & 0o755,
            home_base: home.filter(|h| h.starts_with('/')).unwrap_or("/home").to_owned(),
            password_days: [
                days("PASS_MIN_DAYS", "0"),
                days("PASS_MAX_DAYS", "99999"),
                days("PASS_WARN_AGE", "7"),
            ],
        }
    }

    /// Users outside belong to the system.
    pub(super) fn uid_range(&self) -> RangeInclusive<u32> {
        self.uid.0..=self.uid.1
    }

    pub(super) fn gid_range(&self) -> RangeInclusive<u32> {
        self.gid.0..=self.gid.1
    }
}

/// The shell of a new user: bash where there is one.
pub(super) fn shell(root: &Path) -> String {
    let bash = "/bin/bash";
    let found = edit::kind(root, bash).is_some();
    if found { bash } else { "/bin/sh" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_defaults() {
        let defs =
            LoginDefs::parse("#UID_MIN 1\nUID_MIN\t\t 500\nUMASK 022\n", "# HOME=/x\n");
        assert_eq!(defs.uid_range(), 500..=60000);
        assert_eq!((defs.home_mode, defs.home_base.as_str()), (0o755, "/home"));
        let defs = LoginDefs::parse("HOME_MODE 0700\nUMASK 022\n", "HOME=/srv/home\n");
        assert_eq!((defs.home_mode, defs.home_base.as_str()), (0o700, "/srv/home"));
    }
}
