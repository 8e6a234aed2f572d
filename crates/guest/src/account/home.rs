//! Home directories: made from `/etc/skel`, opened with care.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;
use rustix::io::Errno;

use super::{Account, AccountError};
use crate::edit::{self, Attributes, Place};
use crate::undo::Journal;

const SKEL: &str = "/etc/skel";
/// Directories below skel that are copied; a deeper tree is a loop or a mistake.
const DEPTH_LIMIT: usize = 16;
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Makes the home directory if there is none.
pub(crate) fn make_home(
    journal: &mut Journal,
    account: &Account,
    mode: u32,
) -> Result<(), AccountError> {
    let home = checked(account)?;
    let root = journal.root().to_owned();
    journal.make_dirs(home.parent().unwrap_or(Path::new("/")))?;
    let Some(place) = Place::follow(&root, &home)? else {
        return Err(broken(account, "has no parent directory"));
    };
    if place.stat()?.is_some() {
        return Ok(());
    }
    journal.make_dir_at(&place, &Attributes::new(mode, account.uid, account.gid))?;
    copy(&root, Path::new(SKEL), &place.path, account, 0)
}

/// Opens the home directory and makes it acceptable for sshd (StrictModes): it
/// belongs to the user or to root, and nobody else can write there.
pub(crate) fn open_home(
    journal: &mut Journal,
    account: &Account,
) -> Result<OwnedFd, AccountError> {
    let home = checked(account)?;
    let place = Place::follow(journal.root(), &home)?
        .ok_or_else(|| broken(account, "has no parent directory"))?;
    let Some(before) = place.attributes()? else {
        return Err(broken(account, "does not exist"));
    };
    let mut after = before.clone();
    after.mode &= !WRITABLE_BY_OTHERS;
    // Only a directory that is plainly somebody's home changes its owner.
    let below_home = place.path.starts_with("/home/");
    if below_home && before.uid != account.uid && before.uid != 0 {
        (after.uid, after.gid) = (account.uid, account.gid);
    }
    journal.set_attributes(&place, &after)?;
    place.open_dir().map_err(AccountError::Edit)
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
    journal.take_away(&account.home)?;
    Ok(true)
}

/// A path that root may safely make and change: absolute and not the system's own.
fn checked(account: &Account) -> Result<PathBuf, AccountError> {
    let home = Path::new(&account.home);
    let dots = home.components().any(|c| c == std::path::Component::ParentDir);
    if !home.is_absolute() || dots {
        return Err(broken(account, "is not an absolute path"));
    }
    if home.components().count() < 3 {
        return Err(broken(account, "is no home directory: it belongs to the system"));
    }
    Ok(home.to_owned())
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
