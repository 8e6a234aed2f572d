//! `~/.ssh/authorized_keys`, written by root into a directory that the user controls.
//!
//! The directory is opened first, without following a link, and everything after
//! happens in that open directory: the user cannot make root write elsewhere.

use std::path::{Path, PathBuf};

use formats::authorized_keys::Contents;
use rustix::fs::FileType;

use super::{Account, AccountError, open_home};
use crate::edit::{Attributes, Place};
use crate::ssh_key::PublicKey;
use crate::undo::Journal;

const FILE: &str = "authorized_keys";
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Adds keys, or replaces all keys by them. A key that is there already is not added
/// again, unless it is there with other options, which might keep it from working.
pub(crate) fn authorize(
    journal: &mut Journal,
    account: &Account,
    keys: &[PublicKey],
    replace: bool,
) -> Result<(), AccountError> {
    let home = open_home(journal, account)?;
    let path = PathBuf::from(&account.home).join(".ssh");
    let place = Place { dir: home, name: ".ssh".into(), path: path.clone() };
    match place.stat()? {
        None => {
            let attributes = Attributes::new(0o700, account.uid, account.gid);
            journal.make_dir_at(&place, &attributes)?;
        }
        Some(stat) => {
            let kind = FileType::from_raw_mode(stat.st_mode);
            check(account, &path, kind, FileType::Directory, stat.st_uid)?;
            if let Some(mut attributes) = place.attributes()? {
                attributes.mode = attributes.mode & !WRITABLE_BY_OTHERS | 0o700;
                journal.set_attributes(&place, &attributes)?;
            }
        }
    }
    let file = Place { dir: place.open_dir()?, name: FILE.into(), path: path.join(FILE) };
    let mut attributes = Attributes::new(0o600, account.uid, account.gid);
    if let Some(stat) = file.stat()? {
        let kind = FileType::from_raw_mode(stat.st_mode);
        check(account, &file.path, kind, FileType::RegularFile, stat.st_uid)?;
        attributes.extended =
            file.attributes()?.map(|before| before.extended).unwrap_or_default();
    }
    let before = if replace { None } else { file.read()? };
    let content = with_keys(before.as_deref().unwrap_or_default(), keys);
    journal.write_with(&file, &content, &attributes)?;
    Ok(())
}

/// Only what belongs to the user or to root, and is what it should be.
fn check(
    account: &Account,
    path: &Path,
    kind: FileType,
    wanted: FileType,
    owner: u32,
) -> Result<(), AccountError> {
    let reason = if kind == FileType::Symlink {
        "is a symlink; refusing to write through it".to_owned()
    } else if kind != wanted {
        "is not what it should be; move it away first".to_owned()
    } else if owner != account.uid && owner != 0 {
        format!("is not owned by {} or root; refusing to write there", account.name)
    } else {
        return Ok(());
    };
    Err(AccountError::Home { path: path.display().to_string(), reason })
}

fn with_keys(before: &[u8], keys: &[PublicKey]) -> Vec<u8> {
    let mut content = before.to_vec();
    // Without this the first new key would continue the last old line.
    if content.last().is_some_and(|last| *last != b'\n') {
        content.push(b'\n');
    }
    let text = String::from_utf8_lossy(before);
    let known = Contents::of(text.lines()).keys;
    for key in keys {
        if !known.iter().any(|old| old.same_key(key) && old.options == key.options) {
            content.extend_from_slice(key.to_string().as_bytes());
            content.push(b'\n');
        }
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh_key;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1xkAsQnAgUiQzKpnTuWS2LmEBKLUfSH7wdDbhVoLhX";

    fn keys() -> Vec<PublicKey> {
        ssh_key::parse(&format!("{KEY} me")).expect("valid")
    }

    #[test]
    fn a_key_is_added_once_and_on_its_own_line() {
        let once = with_keys(b"# no line end", &keys());
        assert_eq!(once, format!("# no line end\n{KEY} me\n").as_bytes());
        assert_eq!(with_keys(&once, &keys()), once);
        let renamed = format!("{KEY} other\n").into_bytes();
        assert_eq!(with_keys(&renamed, &keys()), renamed);
    }

    #[test]
    fn a_restricted_copy_of_the_key_does_not_count() {
        let restricted = format!("from=\"192.0.2.1\" {KEY}\n").into_bytes();
        let expected = [&restricted[..], KEY.as_bytes(), b" me\n"].concat();
        assert_eq!(with_keys(&restricted, &keys()), expected);
    }
}
