//! `~/.ssh/authorized_keys`, written by root into a directory that the user controls.
//!
//! Every directory is opened without following a link, and everything after happens in
//! that open directory: the user cannot make root write elsewhere. What belongs to root
//! there is used only if it is what it seems: on this very file system, under one name
//! alone, and a file of keys. Else a planted mount or hard link would give away what it
//! leads to.

use formats::authorized_keys::Contents;
use rustix::fs::FileType;

use super::{Account, AccountError, Accounts, open_home};
use crate::edit::{Attributes, Opened, Place, WRITABLE_BY_OTHERS};
use crate::ssh_key::PublicKey;
use crate::undo::Journal;

const FILE: &str = "authorized_keys";
/// Thousands of keys.
const LIMIT: u64 = 1 << 20;

/// Adds keys, or replaces all keys by them. A key that is there already is not added
/// again, unless it is there with other options, which might keep it from working.
pub(crate) fn authorize(
    journal: &mut Journal,
    account: &Account,
    accounts: &Accounts,
    keys: &[PublicKey],
    replace: bool,
) -> Result<(), AccountError> {
    let directory = open_home(journal, account, accounts)?.below(".ssh")?;
    match open(account, &directory, FileType::Directory)? {
        None => {
            let attributes = Attributes::new(0o700, account.uid, account.gid);
            journal.make_dir_at(&directory, &attributes)?;
        }
        Some(opened) => {
            let mut attributes = opened.attributes();
            attributes.mode = attributes.mode & !WRITABLE_BY_OTHERS | 0o700;
            journal.set_attributes(&opened, &attributes)?;
        }
    }
    let file = directory.below(FILE)?;
    let mut attributes = Attributes::new(0o600, account.uid, account.gid);
    let mut before = Vec::new();
    if let Some(opened) = open(account, &file, FileType::RegularFile)? {
        attributes.extended = opened.attributes().extended;
        let foreign = opened.uid() != account.uid;
        if foreign || !replace {
            before = opened.read(LIMIT)?;
        }
        let text = String::from_utf8_lossy(&before);
        if foreign && !Contents::of(text.lines()).others.is_empty() {
            return Err(refused(&file, "is root's and holds something else than keys"));
        }
        if replace {
            before.clear();
        }
    }
    journal.write_with(&file, &with_keys(&before, keys), &attributes)?;
    Ok(())
}

/// Only what belongs to the user, or to root and nowhere else, and is what it should be.
fn open(
    account: &Account,
    place: &Place,
    wanted: FileType,
) -> Result<Option<Opened>, AccountError> {
    let Some(stat) = place.stat()? else { return Ok(None) };
    let kind = FileType::from_raw_mode(stat.st_mode);
    if kind == FileType::Symlink {
        return Err(refused(place, "is a symlink; refusing to write through it"));
    }
    if kind != wanted {
        return Err(refused(place, "is not what it should be; move it away first"));
    }
    let Some(opened) = place.open()? else { return Ok(None) };
    if opened.kind() != wanted {
        return Err(refused(place, "was changed meanwhile"));
    }
    if opened.uid() == account.uid {
        return Ok(Some(opened));
    }
    if opened.uid() != 0 {
        let name = &account.name;
        let reason = format!("is not owned by {name} or root; refusing to write there");
        return Err(refused(place, &reason));
    }
    if !opened.belongs_in(&place.dir) {
        return Err(refused(
            place,
            "is root's and has another place too (a mount or a hard link)",
        ));
    }
    Ok(Some(opened))
}

fn refused(place: &Place, reason: &str) -> AccountError {
    AccountError::Home {
        path: place.path.display().to_string(),
        reason: reason.to_owned(),
    }
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
