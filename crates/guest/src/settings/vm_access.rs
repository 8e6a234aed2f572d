//! Settings of VMAccess (Microsoft.OSTCExtensions.VMAccessForLinux).

use serde_json::Value;

use super::field::Section;
use super::{Date, SettingsError, UserName};
use crate::ssh_key::{self, PublicKey};

const PROTECTED: [&str; 9] = [
    "username",
    "password",
    "ssh_key",
    "reset_ssh",
    "restore_backup_ssh",
    "remove_user",
    "expiration",
    "remove_prior_keys",
    "enable_passwordless_access",
];
const PUBLIC: [&str; 3] = ["check_disk", "repair_disk", "disk_name"];

/// Everything that one enable of VMAccess is asked to do.
#[derive(Clone, Debug, Default)]
pub struct VmAccess {
    /// Set the SSH server back to the distribution's configuration.
    pub reset_ssh: bool,
    /// Bring the configuration before the last reset back.
    pub restore_backup_ssh: bool,
    /// Make a user, or give an existing one new credentials.
    pub user: Option<UserReset>,
    /// Remove a user with everything of theirs.
    pub remove_user: Option<UserName>,
    /// Check or repair file systems.
    pub disk: Option<DiskAction>,
}

/// New credentials for one user, who is made if there is none of that name.
#[derive(Clone, Debug)]
pub struct UserReset {
    /// Who.
    pub name: UserName,
    /// The new password; `None` leaves an existing one alone.
    pub password: Option<Password>,
    /// Keys to be added to `authorized_keys`.
    pub keys: Vec<PublicKey>,
    /// Last day of the account; `None` leaves an existing one alone.
    pub expiration: Option<Date>,
    /// The given keys replace all others.
    pub remove_prior_keys: bool,
    /// sudo without a password even though the user has one.
    pub passwordless_sudo: bool,
}

/// A password. Its Debug output does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What to do with disks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskAction {
    /// Report on the file systems without changing them.
    Check,
    /// Repair the file system with this mount point (without the leading slash).
    Repair(String),
}

impl VmAccess {
    /// Checks public and decrypted protected settings.
    pub fn parse(
        public: Option<&Value>,
        protected: Option<&Value>,
    ) -> Result<VmAccess, SettingsError> {
        let public = Section::new("settings", public, &PUBLIC)?;
        let protected = Section::new("protectedSettings", protected, &PROTECTED)?;
        let settings = VmAccess {
            reset_ssh: protected.flag("reset_ssh")?,
            restore_backup_ssh: protected.flag("restore_backup_ssh")?,
            user: user(&protected)?,
            remove_user: name(&protected, "remove_user")?,
            disk: disk(&public)?,
        };
        settings.check_conflicts()?;
        Ok(settings)
    }

    /// Whether nothing at all is asked for.
    pub fn is_empty(&self) -> bool {
        !self.reset_ssh
            && !self.restore_backup_ssh
            && self.user.is_none()
            && self.remove_user.is_none()
            && self.disk.is_none()
    }

    fn check_conflicts(&self) -> Result<(), SettingsError> {
        if self.reset_ssh && self.restore_backup_ssh {
            return Err(SettingsError::Conflict("reset_ssh", "restore_backup_ssh"));
        }
        if self.remove_user.is_none() {
            return Ok(());
        }
        let other = if self.reset_ssh {
            "reset_ssh"
        } else if self.restore_backup_ssh {
            "restore_backup_ssh"
        } else if self.user.is_some() {
            "username"
        } else {
            return Ok(());
        };
        Err(SettingsError::Conflict("remove_user", other))
    }
}

fn name(
    section: &Section<'_>,
    key: &'static str,
) -> Result<Option<UserName>, SettingsError> {
    // Microsoft's clients send empty strings for "not given".
    let Some(text) = section.text(key)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let name = UserName::parse(text)
        .map_err(|source| SettingsError::UserName { key, source })?;
    Ok(Some(name))
}

fn user(section: &Section<'_>) -> Result<Option<UserReset>, SettingsError> {
    let password = section.text("password")?.filter(|text| !text.is_empty());
    let key = section.text("ssh_key")?.filter(|text| !text.trim().is_empty());
    let expiration = section.text("expiration")?.filter(|text| !text.is_empty());
    let remove_prior_keys = section.flag("remove_prior_keys")?;
    let passwordless_sudo = section.flag("enable_passwordless_access")?;
    let Some(name) = name(section, "username")? else {
        let orphan = [
            ("password", password.is_some()),
            ("ssh_key", key.is_some()),
            ("expiration", expiration.is_some()),
        ];
        return match orphan.into_iter().find(|(_, given)| *given) {
            Some((key, _)) => Err(SettingsError::NoUser(key)),
            None => Ok(None),
        };
    };
    if password.is_some_and(|password| password.contains(char::is_control)) {
        return Err(SettingsError::Password);
    }
    let keys = key.map(ssh_key::parse).transpose();
    let keys = keys.map_err(|source| SettingsError::Key { source })?.unwrap_or_default();
    let expiration = expiration
        .map(|text| Date::parse(text).ok_or_else(|| SettingsError::Date(text.to_owned())))
        .transpose()?;
    if password.is_none() && keys.is_empty() {
        return Err(SettingsError::NoCredential);
    }
    Ok(Some(UserReset {
        name,
        password: password.map(|password| Password(password.to_owned())),
        keys,
        expiration,
        remove_prior_keys,
        passwordless_sudo,
    }))
}

fn disk(section: &Section<'_>) -> Result<Option<DiskAction>, SettingsError> {
    let (check, repair) = (section.flag("check_disk")?, section.flag("repair_disk")?);
    let name = section.text("disk_name")?.map(|name| name.trim_matches('/'));
    match (check, repair, name.filter(|name| !name.is_empty())) {
        (true, true, _) => Err(SettingsError::Conflict("check_disk", "repair_disk")),
        (true, false, _) => Ok(Some(DiskAction::Check)),
        (false, true, None) => Err(SettingsError::NoDisk),
        (false, true, Some(name)) => Ok(Some(DiskAction::Repair(name.to_owned()))),
        (false, false, _) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xkAsQnAgUiQzKpnTuWS2LmEBKLUfSH7wdDbhVoLhX";

    #[expect(clippy::needless_pass_by_value, reason = "reads better with json!")]
    fn protected(value: Value) -> Result<VmAccess, SettingsError> {
        VmAccess::parse(Some(&json!({})), Some(&value))
    }

    fn refused(value: Value) -> String {
        protected(value).expect_err("must be refused").full_text()
    }

    #[test]
    fn flags_are_bools_or_their_words() {
        for yes in [json!(true), json!("true"), json!("True")] {
            assert!(protected(json!({"reset_ssh": yes})).expect("flag").reset_ssh);
        }
        for no in [json!(false), json!("false"), json!(null)] {
            assert!(!protected(json!({"reset_ssh": no})).expect("flag").reset_ssh);
        }
        let text = refused(json!({"reset_ssh": 1}));
        assert_eq!(text, "reset_ssh must be true or false, but is a number");
    }

    #[test]
    fn what_az_sends_is_understood() {
        let user = protected(json!({"username": "ann", "password": "p", "ssh_key": KEY}))
            .expect("az vm user update")
            .user
            .expect("has a user");
        assert_eq!((user.name.as_str(), user.keys.len()), ("ann", 1));
        assert!(!format!("{user:?}").contains("\"p\""));
        let delete = protected(json!({"remove_user": "ann"})).expect("az vm user delete");
        assert_eq!(delete.remove_user.expect("has a user").as_str(), "ann");
    }

    #[test]
    fn wrong_settings_are_refused_with_the_reason() {
        let list = refused(json!({"username": "a", "ssh_key": [KEY]}));
        assert_eq!(list, "ssh_key must be a string, but is a list");
        assert!(refused(json!({"user": "a"})).contains("unknown key \"user\""));
        assert!(refused(json!({"username": "a b", "password": "p"})).contains("letters"));
        assert_eq!(
            refused(json!({"username": "a"})),
            "No password or ssh_key is specified."
        );
        assert!(refused(json!({"password": "p"})).contains("username is not"));
        let day = json!({"username": "a", "password": "p", "expiration": "2026-02-30"});
        assert!(refused(day).contains("yyyy-mm-dd"));
        let both = json!({"remove_user": "a", "reset_ssh": true});
        assert!(refused(both).contains("cannot be combined"));
        let path = json!({"username": "a", "ssh_key": "~/.ssh/id_rsa.pub"});
        assert!(refused(path).contains("file path"));
    }

    #[test]
    fn an_empty_password_beside_a_key_is_no_password() {
        let settings =
            protected(json!({"username": "a", "password": "", "ssh_key": KEY}));
        assert_eq!(settings.expect("key").user.expect("user").password, None);
        assert!(
            refused(json!({"username": "a", "password": ""})).contains("No password")
        );
    }

    #[test]
    fn disk_actions_come_from_the_public_settings() {
        let public = json!({"repair_disk": true, "disk_name": "/data"});
        let settings = VmAccess::parse(Some(&public), None).expect("repair");
        assert_eq!(settings.disk, Some(DiskAction::Repair("data".into())));
        assert!(VmAccess::parse(Some(&json!({"repair_disk": true})), None).is_err());
        let both = json!({"check_disk": true, "repair_disk": true, "disk_name": "d"});
        assert!(VmAccess::parse(Some(&both), None).is_err());
        assert!(VmAccess::parse(None, None).expect("nothing").is_empty());
    }
}
