//! The account files together. Changes happen in memory; [`Accounts::save`] writes what
//! has changed, each file in one rename.

use std::path::Path;

use super::lock::Lock;
use super::login_defs::{self, LoginDefs};
use super::table::Table;
use super::{Account, AccountError, Obstacle};
use crate::clock;
use crate::edit::Attributes;
use crate::settings::{Date, UserName};
use crate::undo::{Journal, UndoError};

/// A password field that lets nobody in by password.
const NO_PASSWORD: &str = "*";

/// The account files, locked.
pub(crate) struct Accounts {
    passwd: Table,
    pub(super) shadow: Table,
    group: Table,
    gshadow: Option<Table>,
    /// subuid and subgid, where they exist.
    subordinate: Vec<Table>,
    defs: LoginDefs,
    _lock: Lock,
}

impl Accounts {
    /// Takes the lock and reads the files.
    pub(crate) fn open(root: &Path) -> Result<Accounts, AccountError> {
        let lock = Lock::take(root)?;
        let needed = |path| Table::read(root, path)?.ok_or(AccountError::Missing(path));
        Ok(Accounts {
            passwd: needed("/etc/passwd")?,
            shadow: needed("/etc/shadow")?,
            group: needed("/etc/group")?,
            gshadow: Table::read(root, "/etc/gshadow")?,
            subordinate: ["/etc/subuid", "/etc/subgid"]
                .into_iter()
                .filter_map(|path| Table::read(root, path).transpose())
                .collect::<Result<_, _>>()?,
            defs: LoginDefs::read(root)?,
            _lock: lock,
        })
    }

    /// The user with this name.
    pub(crate) fn find(&self, name: &UserName) -> Result<Option<Account>, AccountError> {
        let name = name.as_str();
        if !self.passwd.contains(name) {
            return Ok(None);
        }
        let malformed =
            || AccountError::Malformed { file: "/etc/passwd", user: name.to_owned() };
        let field = |index| self.passwd.field(name, index).ok_or_else(malformed);
        let number = |index| {
            field(index).and_then(|text: String| text.parse().map_err(|_| malformed()))
        };
        Ok(Some(Account {
            name: name.to_owned(),
            uid: number(2)?,
            gid: number(3)?,
            home: field(5)?,
            shell: self.passwd.field(name, 6).unwrap_or_default(),
        }))
    }

    /// [`Accounts::find`], but accounts of the system are an error.
    pub(crate) fn find_person(
        &self,
        name: &UserName,
    ) -> Result<Option<Account>, AccountError> {
        let account = self.find(name)?;
        match &account {
            Some(found) if !self.defs.uid_range().contains(&found.uid) => {
                Err(AccountError::SystemUser(found.name.clone()))
            }
            _ => Ok(account),
        }
    }

    /// Adds a user with a group of the same name, without a password.
    pub(crate) fn create(
        &mut self,
        root: &Path,
        name: &UserName,
    ) -> Result<Account, AccountError> {
        let uid = self.passwd.free_number(2, self.defs.uid_range()).ok_or_else(|| {
            AccountError::Full(
                "uid",
                *self.defs.uid_range().start(),
                *self.defs.uid_range().end(),
            )
        })?;
        let gid = self.group_for(name.as_str(), uid)?;
        let home = format!("{}/{name}", self.defs.home_base.trim_end_matches('/'));
        let shell = login_defs::shell(root);
        let account =
            Account { name: name.to_string(), uid, gid, home: home.clone(), shell };
        let line = [
            name.as_str(),
            "x",
            &uid.to_string(),
            &gid.to_string(),
            "",
            &home,
            &account.shell,
        ];
        self.passwd.append(&line);
        self.add_shadow(name.as_str());
        Ok(account)
    }

    /// Adds an account for a service, which nobody can log in to.
    pub(crate) fn create_system(
        &mut self,
        name: &str,
        home: &str,
    ) -> Result<(), AccountError> {
        let (low, high) = (100, 999);
        let uid = self.passwd.free_number(2, low..=high).ok_or(AccountError::Full(
            "system uid",
            low,
            high,
        ))?;
        let gid = self.group.field("nogroup", 2).unwrap_or_else(|| "65534".to_owned());
        let shell = "/usr/sbin/nologin";
        self.passwd.append(&[name, "x", &uid.to_string(), &gid, "", home, shell]);
        self.add_shadow(name);
        Ok(())
    }

    /// Sets a password hash, which also unlocks the account.
    pub(crate) fn set_password(&mut self, account: &Account, hash: &str) {
        self.ensure_shadow(account);
        self.shadow.set_field(&account.name, 1, hash);
        self.shadow.set_field(&account.name, 2, &clock::today().days().to_string());
    }

    /// Sets the last day of an account.
    pub(crate) fn set_expiration(&mut self, account: &Account, last: Date) {
        self.ensure_shadow(account);
        self.shadow.set_field(&account.name, 7, &last.days().to_string());
    }

    /// Takes away what would keep a key from working: a lock in front of the hash
    /// (sshd without PAM refuses locked accounts) and a password that must be changed
    /// first. The password itself stays as it is.
    pub(crate) fn unlock(&mut self, account: &Account) {
        self.ensure_shadow(account);
        let name = &account.name;
        let hash = self.shadow.field(name, 1).unwrap_or_default();
        let unlocked = hash.trim_start_matches('!');
        if unlocked.len() != hash.len() {
            // A lone lock never had a password behind it: still nobody gets in by one.
            let unlocked = if unlocked.is_empty() { NO_PASSWORD } else { unlocked };
            self.shadow.set_field(name, 1, unlocked);
        }
        let number = |index| self.shadow.field(name, index)?.parse::<i64>().ok();
        let today = clock::today().days();
        let due = match (number(2), number(4)) {
            (Some(0), _) => true,
            (Some(changed), Some(maximum)) => changed.saturating_add(maximum) < today,
            _ => false,
        };
        if due {
            self.shadow.set_field(name, 2, &today.to_string());
        }
    }

    /// What still keeps the user out.
    pub(crate) fn obstacle(&self, account: &Account) -> Option<Obstacle> {
        let last: i64 = self.shadow.field(&account.name, 7)?.parse().ok()?;
        // Zero means "never" to some tools and "1970" to others.
        (last > 0 && last < clock::today().days())
            .then(|| Obstacle::Expired(Date::from_days(last)))
    }

    /// Takes a user out of every file, and the group of the same name if nobody else
    /// has it as the primary one.
    pub(crate) fn remove(&mut self, account: &Account) {
        let name = &account.name;
        self.passwd.remove(name);
        self.shadow.remove(name);
        self.subordinate.iter_mut().for_each(|table| table.remove(name));
        self.group.remove_from_lists(name, &[3]);
        let alone = self.passwd.count(3, &account.gid.to_string()) == 0;
        let own = self.group.field(name, 2).is_some_and(|g| g == account.gid.to_string());
        if own && alone {
            self.group.remove(name);
        }
        if let Some(gshadow) = &mut self.gshadow {
            gshadow.remove_from_lists(name, &[2, 3]);
            if own && alone {
                gshadow.remove(name);
            }
        }
    }

    /// Writes every changed file.
    pub(crate) fn save(&self, journal: &mut Journal) -> Result<(), UndoError> {
        let (open, secret) = (Attributes::root(0o644), Attributes::root(0o600));
        // The user's line appears last: until then nobody can log in half made.
        self.group.save(journal, &open)?;
        if let Some(gshadow) = &self.gshadow {
            gshadow.save(journal, &secret)?;
        }
        self.shadow.save(journal, &secret)?;
        for table in &self.subordinate {
            table.save(journal, &open)?;
        }
        self.passwd.save(journal, &open)
    }

    /// Whether another user has the same home directory, or one below it, however it
    /// is written.
    pub(crate) fn shares_home(&self, account: &Account) -> bool {
        let mut others = self.passwd.column(5).filter(|(name, _)| *name != account.name);
        others.any(|(_, home)| {
            !home.is_empty() && Path::new(&home).starts_with(&account.home)
        })
    }

    /// Whether another account is the same user to the kernel.
    pub(crate) fn shares_uid(&self, account: &Account) -> bool {
        self.passwd.count(2, &account.uid.to_string()) > 1
    }

    /// The other account that owns this account's home directory (`uid`), if the
    /// directory is its home too.
    pub(crate) fn lives_in(&self, uid: u32, account: &Account) -> Option<String> {
        let uid = uid.to_string();
        let homes: Vec<(String, String)> = self.passwd.column(5).collect();
        let owners = self.passwd.column(2).filter(|(_, its)| *its == uid);
        owners.map(|(name, _)| name).find(|name| {
            *name != account.name
                && homes.iter().any(|(its, home)| {
                    its == name && Path::new(home) == Path::new(&account.home)
                })
        })
    }

    /// Mode of a new home directory.
    pub(crate) fn home_mode(&self) -> u32 {
        self.defs.home_mode
    }

    fn group_for(&mut self, name: &str, uid: u32) -> Result<u32, AccountError> {
        if let Some(gid) = self.group.field(name, 2).and_then(|gid| gid.parse().ok()) {
            return Ok(gid);
        }
        let range = self.defs.gid_range();
        let gid = if range.contains(&uid) && self.group.count(2, &uid.to_string()) == 0 {
            uid
        } else {
            self.group.free_number(2, range.clone()).ok_or(AccountError::Full(
                "gid",
                *range.start(),
                *range.end(),
            ))?
        };
        self.group.append(&[name, "x", &gid.to_string(), ""]);
        if let Some(gshadow) = &mut self.gshadow {
            gshadow.append(&[name, "!", "", ""]);
        }
        Ok(gid)
    }

    fn add_shadow(&mut self, name: &str) {
        let today = clock::today().days().to_string();
        let [minimum, maximum, warning] = &self.defs.password_days;
        self.shadow.remove(name);
        self.shadow.append(&[
            name,
            NO_PASSWORD,
            &today,
            minimum,
            maximum,
            warning,
            "",
            "",
            "",
        ]);
    }

    /// A user whose shadow line got lost, or whose hash is still in passwd.
    fn ensure_shadow(&mut self, account: &Account) {
        if !self.shadow.contains(&account.name) {
            self.add_shadow(&account.name);
        }
        if self.passwd.field(&account.name, 1).as_deref() != Some("x") {
            self.passwd.set_field(&account.name, 1, "x");
        }
    }
}
