//! The undo journal: every change to the guest is recorded before it is made.
//!
//! `/var/lib/regain/undo/<id>/journal` is a list of JSON lines: a header, then one
//! record for each thing as it was, at last how it ended. A replaced file is kept as
//! a second link to its old inode, so it comes back with everything that belongs to
//! it; only across file systems it is copied. Undoing goes through the records from
//! the last to the first, and then runs the recorded commands (reload a service).
//!
//! A journal that is dropped without [`Journal::commit`] rolls itself back: an error
//! on the way out of a function leaves nothing half done. After a crash the records
//! are still there, and `regain-guest undo ID` does the same.

mod journal;
mod restore;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::edit::{self, Attributes, EditError, Opened};
pub(crate) use journal::Journal;
use restore::take_back;

/// Where the journals are, below the root.
const DIRECTORY: &str = "/var/lib/regain/undo";
const JOURNAL: &str = "journal";
/// Older journals are dropped when a new one begins.
const KEPT: usize = 32;

/// Why a change could not be made, recorded or undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The journal itself cannot be written or read.
    #[error("could not {action} the undo journal {path}", path = path.display())]
    Journal {
        /// What was being done, as a verb.
        action: &'static str,
        /// The journal's directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be changed or brought back.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// No such journal.
    #[error("there is nothing to undo with the id {0:?}")]
    Unknown(String),
    /// It was undone before.
    #[error("{0} has been undone already")]
    Undone(String),
    /// Another one is there than the one that was changed.
    #[error("{path} is another one than the one that was changed", path = .0.display())]
    Replaced(PathBuf),
    /// Something is there that cannot be recorded.
    #[error("{path} is neither a file, a directory nor a link", path = .0.display())]
    Strange(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record {
    Begin {
        title: String,
        started: String,
    },
    /// There was nothing.
    Absent {
        path: PathBuf,
    },
    /// A file or link is kept under this name in the journal's directory.
    Saved {
        path: PathBuf,
        name: String,
        attributes: Option<Attributes>,
    },
    /// A directory or file whose content stays, but not its mode or owner.
    Attributes {
        path: PathBuf,
        attributes: Attributes,
        /// Which one it was.
        #[serde(default)]
        inode: Option<u64>,
    },
    /// Something was moved to another place in the guest.
    Moved {
        path: PathBuf,
        to: PathBuf,
    },
    /// To be run when everything is back.
    Command {
        argv: Vec<String>,
    },
    Kept,
    Undone,
}

impl Record {
    fn attributes(opened: &Opened, attributes: Attributes) -> Record {
        let (path, inode) = (opened.path.clone(), Some(opened.inode()));
        Record::Attributes { path, attributes, inode }
    }
}

/// Takes the changes of a journal back; gives the paths that were restored.
pub fn undo(root: &Path, id: &str) -> Result<Vec<PathBuf>, UndoError> {
    let records = read(root, id)?;
    if records.contains(&Record::Undone) {
        return Err(UndoError::Undone(id.to_owned()));
    }
    let restored = take_back(root, id, &records)?;
    let dir = directory(root)?.join(id);
    let line = serde_json::to_string(&Record::Undone).unwrap_or_default();
    OpenOptions::new()
        .append(true)
        .open(dir.join(JOURNAL))
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
        .map_err(|source| journal_error("write", &dir, source))?;
    forget_copies(&dir, &records);
    Ok(restored)
}

/// What is back needs no second name any more: many a program takes a file with two
/// for a trick.
fn forget_copies(dir: &Path, records: &[Record]) {
    for record in records {
        if let Record::Saved { name, .. } = record {
            let _ = std::fs::remove_file(dir.join(name));
        }
    }
}

/// The newest committed journal with this title that was not undone: its id, and each
/// file as it was (`None`: it did not exist).
pub(crate) fn newest(root: &Path, title: &str) -> Option<(String, Vec<Before>)> {
    let mut ids = ids(root);
    ids.reverse();
    ids.into_iter().find_map(|id| {
        let records = read(root, &id).ok()?;
        let dir = directory(root).ok()?.join(&id);
        let ours =
            matches!(records.first(), Some(Record::Begin { title: t, .. }) if t == title);
        let kept = records.contains(&Record::Kept) && !records.contains(&Record::Undone);
        if !ours || !kept {
            return None;
        }
        let mut files: Vec<Before> = Vec::new();
        for record in records {
            let (path, content) = match record {
                Record::Saved { path, name, .. } => {
                    // A kept link has no content.
                    match std::fs::read(dir.join(name)) {
                        Ok(content) => (path, Some(content)),
                        Err(_) => continue,
                    }
                }
                Record::Absent { path } => (path, None),
                _ => continue,
            };
            // A file that was changed twice began as its first record.
            if !files.iter().any(|file| file.path == path) {
                files.push(Before { path, content });
            }
        }
        Some((id, files))
    })
}

/// A file as a journal remembers it.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) path: PathBuf,
    pub(crate) content: Option<Vec<u8>>,
}

fn read(root: &Path, id: &str) -> Result<Vec<Record>, UndoError> {
    let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let dir = directory(root)?.join(id);
    if id.is_empty() || !plain || !dir.join(JOURNAL).exists() {
        return Err(UndoError::Unknown(id.to_owned()));
    }
    let text = std::fs::read_to_string(dir.join(JOURNAL))
        .map_err(|source| journal_error("read", &dir, source))?;
    // A line that was cut off by a crash was recorded before its change was made.
    Ok(text.lines().map_while(|line| serde_json::from_str(line).ok()).collect())
}

/// Where the journals are on this machine; nothing on the way leads out of `root`.
fn directory(root: &Path) -> Result<PathBuf, EditError> {
    edit::on_this_machine(root, Path::new(DIRECTORY))
}

/// Journals by age, the oldest first. Other directories there are not ours.
fn ids(root: &Path) -> Vec<String> {
    let entries = directory(root).map(std::fs::read_dir);
    let Ok(Ok(entries)) = entries else { return Vec::new() };
    let mut ids: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join(JOURNAL).exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    ids.sort();
    ids
}

fn prune(root: &Path) {
    let Ok(directory) = directory(root) else { return };
    let ids = ids(root);
    for id in ids.iter().take(ids.len().saturating_sub(KEPT - 1)) {
        // What is mounted there is somebody's: moved there with a home by an older
        // build, say.
        if edit::is_mounted_below(root, &Path::new(DIRECTORY).join(id)) {
            continue;
        }
        // A journal that cannot be removed is no reason not to help.
        let _ = std::fs::remove_dir_all(directory.join(id));
    }
}

fn no_directory(path: &Path) -> EditError {
    EditError {
        action: "find the directory of",
        path: path.into(),
        source: Errno::NOENT.into(),
    }
}

fn journal_error(action: &'static str, path: &Path, source: std::io::Error) -> UndoError {
    UndoError::Journal { action, path: path.into(), source }
}

#[cfg(test)]
mod tests;
