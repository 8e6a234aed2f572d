//! Home directories: made from `/etc/skel`, opened with care.

use std::path::{Component, Path, PathBuf};

use rustix::fs::FileType;
use rustix::io::Errno;

use super::{Account, AccountError, Accounts};
use crate::edit::{self, Attributes, Land, Place, WRITABLE_BY_OTHERS};
use crate::undo::Journal;

const SKEL: &str = "/etc/skel";
/// Directories below skel that are copied; a deeper tree is a loop or a mistake.
const DEPTH_LIMIT: usize = 16;

/// Makes the home directory if there is none.
pub(crate) fn make_home(
    journal: &mut Journal,
    account: &Account,
    mode: u32,
) -> Result<(), AccountError> {
    let place = find(journal, account, true)?;
    if place.stat()?.is_some() {
        return Ok(());
    }
    if place.land == Land::User {
        return Err(broken(account, "would lie where others than root can change it"));
    }
    journal.make_dir_at(&place, &Attributes::new(mode, account.uid, account.gid))?;
    let root = journal.root().to_owned();
    copy(&root, Path::new(SKEL), &place.path, account, 0)
}

/// Finds the home directory and makes it acceptable for sshd (StrictModes): it belongs
/// to the user or to root, and nobody else can write there.
pub(crate) fn open_home(
    journal: &mut Journal,
    account: &Account,
    accounts: &Accounts,
) -> Result<Place, AccountError> {
    let place = find(journal, account, false)?;
    let Some(opened) = place.open()? else {
        return Err(broken(account, "does not exist"));
    };
    if opened.kind() != FileType::Directory {
        return Err(broken(account, "is no directory"));
    }
    let mut after = opened.attributes();
    after.mode &= !WRITABLE_BY_OTHERS;
    if opened.uid() != account.uid {
        if place.land == Land::User {
            return Err(broken(account, "is another account's, as what is above it"));
        }
        if let Some(other) = accounts.lives_in(opened.uid(), account) {
            return Err(broken(account, &format!("is the home of {other}")));
        }
        // Only a directory that is plainly somebody's home changes its owner.
        if opened.uid() != 0 {
            if !place.path.starts_with("/home/") {
                return Err(broken(account, "is another account's directory"));
            }
            (after.uid, after.gid) = (account.uid, account.gid);
        }
    }
    journal.set_attributes(&opened, &after)?;
    Ok(place)
}

/// Takes the home directory away, if it is plainly this user's. Gives whether it did.
pub(crate) fn take_home_away(
    journal: &mut Journal,
    account: &Account,
) -> Result<bool, AccountError> {
    let Ok(home) = checked(account) else { return Ok(false) };
    let Some(place) = Place::exact(journal.root(), &home)? else { return Ok(false) };
    let Some(stat) = place.stat()? else { return Ok(false) };
    let own = stat.st_uid == account.uid;
    let directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    if !own || !directory {
        return Ok(false);
    }
    // It would be moved away with the home, and lost with it some day.
    if edit::is_mounted_below(journal.root(), &place.path) {
        return Err(broken(
            account,
            "has something mounted below it; unmount that first",
        ));
    }
    journal.take_away(&account.home)?;
    Ok(true)
}

/// The place of the home directory; the directories above it are made on request.
///
/// Where root's links lead is root's decision, but no directory of the system is
/// anybody's home, whatever leads there.
fn find(
    journal: &mut Journal,
    account: &Account,
    make_above: bool,
) -> Result<Place, AccountError> {
    let home = checked(account)?;
    if make_above {
        journal.make_dirs(home.parent().unwrap_or(Path::new("/")))?;
    }
    let place = Place::follow(journal.root(), &home)?
        .ok_or_else(|| broken(account, "has no parent directory"))?;
    if is_the_systems(&place.path) {
        return Err(broken(account, "leads to a directory of the system"));
    }
    Ok(place)
}

/// A path that may be a home directory: absolute and not the system's own.
fn checked(account: &Account) -> Result<PathBuf, AccountError> {
    let home = Path::new(&account.home);
    let dots = home.components().any(|c| c == Component::ParentDir);
    if !home.is_absolute() || dots {
        return Err(broken(account, "is not an absolute path"));
    }
    if is_the_systems(home) {
        return Err(broken(account, "is no home directory: it belongs to the system"));
    }
    Ok(home.to_owned())
}

/// Directories below these are programs', settings' and the kernel's.
const SYSTEM: [&str; 13] = [
    "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "root", "run", "sbin",
    "sys", "usr",
];

/// Those at the top too, and those at the top of `/var`, where services have homes.
fn is_the_systems(path: &Path) -> bool {
    let names: Vec<_> = path.components().skip(1).map(|c| c.as_os_str()).collect();
    let needed = if names.first().is_some_and(|top| *top == "var") { 3 } else { 2 };
    names.len() < needed || SYSTEM.iter().any(|system| names[0] == *system)
}

/// Copies files, directories and links. Not journalled one by one: the home directory
/// above them is.
fn copy(
    root: &Path,
    from: &Path,
    to: &Path,
    account: &Account,
    depth: usize,
) -> Result<(), AccountError> {
    if depth > DEPTH_LIMIT {
        return Ok(());
    }
    for name in edit::names(root, &from.to_string_lossy()) {
        let (from, to) = (from.join(&name), to.join(&name));
        let (Some(source), Some(target)) =
            (Place::exact(root, &from)?, Place::exact(root, &to)?)
        else {
            continue;
        };
        let Some(stat) = source.stat()? else { continue };
        let attributes = Attributes::new(stat.st_mode & 0o777, account.uid, account.gid);
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                target.replace(&source.read()?.unwrap_or_default(), &attributes)?;
            }
            FileType::Directory => {
                target.make_dir(&attributes)?;
                copy(root, &from, &to, account, depth + 1)?;
            }
            FileType::Symlink => {
                let link = rustix::fs::readlinkat(&source.dir, &source.name, Vec::new())
                    .map_err(|e: Errno| source.failed("read the link", e))?;
                target.link_to(Path::new(link.to_string_lossy().as_ref()))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn broken(account: &Account, reason: &str) -> AccountError {
    AccountError::Home {
        path: format!("the home directory {:?} of {}", account.home, account.name),
        reason: reason.to_owned(),
    }
}
