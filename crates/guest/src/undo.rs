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

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::RngCore;
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::edit::{self, Attributes, EditError, Place};
use crate::process::{self, Limits};

/// Where the journals are, below the root.
const DIRECTORY: &str = "var/lib/regain/undo";
const JOURNAL: &str = "journal";
/// Older journals are dropped when a new one begins.
const KEPT: usize = 32;
const COMMAND_LIMITS: Limits = Limits { time: Duration::from_secs(30), output: 64 << 10 };

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

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct Journal {
    root: PathBuf,
    id: String,
    file: File,
    records: Vec<Record>,
    open: bool,
}

impl Journal {
    /// Begins a journal; `title` says what is going to be done, without secrets.
    pub(crate) fn begin(root: &Path, title: &str) -> Result<Journal, UndoError> {
        let started = clock::now();
        let compact: String =
            started.chars().filter(|c| !matches!(c, '-' | ':' | 'Z')).collect();
        let id = format!("{compact}-{:04x}", rand::rngs::OsRng.next_u32() & 0xffff);
        prune(root);
        let dir = root.join(DIRECTORY).join(&id);
        let failed = |source| journal_error("make", &dir, source);
        DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(failed)?;
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .mode(0o600)
            .open(dir.join(JOURNAL))
            .map_err(failed)?;
        let mut journal =
            Journal { root: root.into(), id, file, records: Vec::new(), open: true };
        journal.record(Record::Begin { title: title.to_owned(), started })?;
        Ok(journal)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether anything has been changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.records.len() <= 1
    }

    /// Replaces a file's content. Mode, owner and label stay; a new file gets `new`.
    pub(crate) fn write(
        &mut self,
        path: &str,
        content: &[u8],
        new: &Attributes,
    ) -> Result<(), UndoError> {
        let place = self.place(path)?;
        self.write_at(&place, content, new)
    }

    /// [`Journal::write`] where the caller holds the directory open.
    pub(crate) fn write_at(
        &mut self,
        place: &Place,
        content: &[u8],
        new: &Attributes,
    ) -> Result<(), UndoError> {
        let attributes = place.attributes()?;
        self.save(place, attributes.as_ref())?;
        place.replace(content, attributes.as_ref().unwrap_or(new))?;
        Ok(())
    }

    /// Replaces a file, and its mode and owner too.
    pub(crate) fn write_with(
        &mut self,
        place: &Place,
        content: &[u8],
        attributes: &Attributes,
    ) -> Result<(), UndoError> {
        let before = place.attributes()?;
        self.save(place, before.as_ref())?;
        place.replace(content, attributes)?;
        Ok(())
    }

    /// Takes a file, link or directory away; nothing to do if there is none. A
    /// directory goes into the journal whole, or stays beside its old place when the
    /// journal lies on another file system.
    pub(crate) fn take_away(&mut self, path: &str) -> Result<(), UndoError> {
        let Some(place) = Place::exact(&self.root, Path::new(path))? else {
            return Ok(());
        };
        let Some(stat) = place.stat()? else { return Ok(()) };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            let attributes = place.attributes()?;
            self.save(&place, attributes.as_ref())?;
            place.unlink()?;
            return Ok(place.sync()?);
        }
        let inside = Path::new("/").join(DIRECTORY).join(&self.id).join(self.next_name());
        let beside = place.path.with_file_name(format!(
            ".{}.regain-{}",
            place.name.to_string_lossy(),
            self.id
        ));
        for to in [inside, beside] {
            let target = self.place(&to.to_string_lossy())?;
            self.record(Record::Moved { path: place.path.clone(), to })?;
            match rustix::fs::renameat(&place.dir, &place.name, &target.dir, &target.name)
            {
                Ok(()) => return Ok(place.sync()?),
                Err(Errno::XDEV) => {}
                Err(error) => return Err(place.failed("move away", error).into()),
            }
        }
        Err(place.failed("move away", Errno::XDEV).into())
    }

    /// Makes a directory.
    pub(crate) fn make_dir_at(
        &mut self,
        place: &Place,
        attributes: &Attributes,
    ) -> Result<(), UndoError> {
        self.record(Record::Absent { path: place.path.clone() })?;
        Ok(place.make_dir(attributes)?)
    }

    /// Makes a directory and those above it, as far as they are missing.
    pub(crate) fn make_dirs(&mut self, path: &Path) -> Result<(), UndoError> {
        let mut missing = Vec::new();
        for path in path.ancestors() {
            if path == Path::new("/")
                || edit::kind(&self.root, &path.to_string_lossy()).is_some()
            {
                break;
            }
            missing.push(path);
        }
        for path in missing.into_iter().rev() {
            let place = self.place(&path.to_string_lossy())?;
            self.make_dir_at(&place, &Attributes::root(0o755))?;
        }
        Ok(())
    }

    /// Makes a symbolic link; what was there is kept.
    pub(crate) fn link(&mut self, path: &str, target: &Path) -> Result<(), UndoError> {
        self.take_away(path)?;
        let place = Place::exact(&self.root, Path::new(path))?
            .ok_or_else(|| no_directory(Path::new(path)))?;
        self.record(Record::Absent { path: place.path.clone() })?;
        Ok(place.link_to(target)?)
    }

    /// Changes mode and owner of what is there.
    pub(crate) fn set_attributes(
        &mut self,
        place: &Place,
        attributes: &Attributes,
    ) -> Result<(), UndoError> {
        let before = place.attributes()?.ok_or_else(|| no_directory(&place.path))?;
        if before == *attributes {
            return Ok(());
        }
        self.record(Record::Attributes { path: place.path.clone(), attributes: before })?;
        Ok(place.set_attributes(attributes)?)
    }

    /// Records a path that somebody else is about to change or make.
    pub(crate) fn keep(&mut self, path: &str) -> Result<(), UndoError> {
        let place = self.place(path)?;
        let Some(stat) = place.stat()? else {
            return self.record(Record::Absent { path: place.path });
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                let name = self.next_name();
                // A copy: the other one may write into the file as it is.
                let content = place.read()?.unwrap_or_default();
                let attributes = place.attributes()?;
                self.put_aside(&name, &content)?;
                self.record(Record::Saved { path: place.path, name, attributes })
            }
            FileType::Directory => {
                let attributes = place.attributes()?.unwrap_or(Attributes::root(0o755));
                self.record(Record::Attributes { path: place.path, attributes })
            }
            _ => self.save(&place, None),
        }
    }

    /// Records a command for after an undo; it runs only in a live system.
    pub(crate) fn on_undo(&mut self, argv: &[&str]) -> Result<(), UndoError> {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        self.record(Record::Command { argv })
    }

    /// The changes stay; `undo` can take them back. Gives the id.
    pub(crate) fn commit(mut self) -> Result<String, UndoError> {
        self.record(Record::Kept)?;
        self.open = false;
        Ok(self.id.clone())
    }

    /// The changes stay and cannot be taken back: there was nothing worth keeping.
    pub(crate) fn forget(mut self) {
        self.open = false;
        // A leftover directory is pruned some day.
        let _ = std::fs::remove_dir_all(self.dir());
    }

    fn dir(&self) -> PathBuf {
        self.root.join(DIRECTORY).join(&self.id)
    }

    fn place(&self, path: &str) -> Result<Place, UndoError> {
        let path = Path::new(path);
        Ok(Place::follow(&self.root, path)?.ok_or_else(|| no_directory(path))?)
    }

    /// Records a file or link, which is then free to be replaced or removed, but not
    /// to be written into.
    fn save(
        &mut self,
        place: &Place,
        attributes: Option<&Attributes>,
    ) -> Result<(), UndoError> {
        let Some(stat) = place.stat()? else {
            return self.record(Record::Absent { path: place.path.clone() });
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if !matches!(kind, FileType::RegularFile | FileType::Symlink) {
            return Err(UndoError::Strange(place.path.clone()));
        }
        let name = self.next_name();
        let saved = self.dir().join(&name);
        let here = rustix::fs::CWD;
        let linked =
            rustix::fs::linkat(&place.dir, &place.name, here, &saved, AtFlags::empty());
        let attributes = match linked {
            Ok(()) => None,
            // Another file system, or one without links, or an immutable file.
            Err(_) if kind == FileType::RegularFile => {
                self.put_aside(&name, &place.read()?.unwrap_or_default())?;
                attributes.cloned()
            }
            Err(_) => {
                let target = rustix::fs::readlinkat(&place.dir, &place.name, Vec::new())
                    .map_err(|e| place.failed("read the link", e))?;
                std::os::unix::fs::symlink(target.to_string_lossy().as_ref(), &saved)
                    .map_err(|source| journal_error("write", &saved, source))?;
                None
            }
        };
        self.record(Record::Saved { path: place.path.clone(), name, attributes })
    }

    fn put_aside(&self, name: &str, content: &[u8]) -> Result<(), UndoError> {
        let path = self.dir().join(name);
        let written = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()));
        written.map_err(|source| journal_error("write", &path, source))
    }

    fn next_name(&self) -> String {
        self.records.len().to_string()
    }

    fn record(&mut self, record: Record) -> Result<(), UndoError> {
        let dir = self.dir();
        let failed = |source| journal_error("write", &dir, source);
        let mut line =
            serde_json::to_vec(&record).map_err(|e| failed(std::io::Error::other(e)))?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        written.map_err(failed)?;
        self.records.push(record);
        Ok(())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.open {
            // The error that led here is the one to report; the journal stays on disk
            // for a second try by hand.
            if take_back(&self.root, &self.id, &self.records).is_ok() {
                let _ = self.record(Record::Undone);
            }
        }
    }
}

/// Takes the changes of a journal back; gives the paths that were restored.
pub fn undo(root: &Path, id: &str) -> Result<Vec<PathBuf>, UndoError> {
    let records = read(root, id)?;
    if records.contains(&Record::Undone) {
        return Err(UndoError::Undone(id.to_owned()));
    }
    let restored = take_back(root, id, &records)?;
    let dir = root.join(DIRECTORY).join(id);
    let line = serde_json::to_string(&Record::Undone).unwrap_or_default();
    OpenOptions::new()
        .append(true)
        .open(dir.join(JOURNAL))
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
        .map_err(|source| journal_error("write", &dir, source))?;
    Ok(restored)
}

/// The newest committed journal with this title that was not undone: its id, and each
/// file as it was (`None`: it did not exist).
pub(crate) fn newest(root: &Path, title: &str) -> Option<(String, Vec<Before>)> {
    let mut ids = ids(root);
    ids.reverse();
    ids.into_iter().find_map(|id| {
        let records = read(root, &id).ok()?;
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
                    let saved = root.join(DIRECTORY).join(&id).join(name);
                    (path, Some(std::fs::read(saved).ok()?))
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
    let dir = root.join(DIRECTORY).join(id);
    if id.is_empty() || !plain || !dir.join(JOURNAL).exists() {
        return Err(UndoError::Unknown(id.to_owned()));
    }
    let text = std::fs::read_to_string(dir.join(JOURNAL))
        .map_err(|source| journal_error("read", &dir, source))?;
    // A line that was cut off by a crash was recorded before its change was made.
    Ok(text.lines().map_while(|line| serde_json::from_str(line).ok()).collect())
}

fn take_back(
    root: &Path,
    id: &str,
    records: &[Record],
) -> Result<Vec<PathBuf>, UndoError> {
    let mut restored = Vec::new();
    for (number, record) in records.iter().enumerate().rev() {
        match record {
            Record::Absent { path } => remove(root, id, number, path)?,
            Record::Saved { path, name, attributes } => {
                restore(root, id, path, name, attributes.as_ref())?;
            }
            Record::Attributes { path, attributes } => {
                if let Some(place) = Place::exact(root, path)?
                    && place.stat()?.is_some()
                {
                    place.set_attributes(attributes)?;
                }
            }
            Record::Moved { path, to } => move_back(root, to, path)?,
            Record::Begin { .. }
            | Record::Command { .. }
            | Record::Kept
            | Record::Undone => {
                continue;
            }
        }
        if let Record::Absent { path }
        | Record::Saved { path, .. }
        | Record::Attributes { path, .. }
        | Record::Moved { path, .. } = record
            && !restored.contains(path)
        {
            restored.push(path.clone());
        }
    }
    if root == Path::new("/") {
        for record in records.iter().rev() {
            if let Record::Command { argv } = record {
                // A service that does not come back is no reason to stop here.
                let _ = process::tool(root, argv, &[], &COMMAND_LIMITS);
            }
        }
    }
    Ok(restored)
}

/// What is there now goes into the journal: it may hold somebody's data.
fn remove(root: &Path, id: &str, number: usize, path: &Path) -> Result<(), UndoError> {
    let Some(place) = Place::exact(root, path)? else { return Ok(()) };
    let Some(stat) = place.stat()? else { return Ok(()) };
    let aside = root.join(DIRECTORY).join(id).join(format!("undone-{number}"));
    match rustix::fs::renameat(&place.dir, &place.name, rustix::fs::CWD, &aside) {
        Ok(()) => Ok(place.sync()?),
        Err(Errno::XDEV)
            if FileType::from_raw_mode(stat.st_mode) != FileType::Directory =>
        {
            place.unlink()?;
            Ok(place.sync()?)
        }
        Err(Errno::XDEV) => {
            let mut name = place.name.clone();
            name.push(format!(".undone-{id}"));
            rustix::fs::renameat(&place.dir, &place.name, &place.dir, &name)
                .map_err(|e| place.failed("move away", e))?;
            Ok(place.sync()?)
        }
        Err(error) => Err(place.failed("move away", error).into()),
    }
}

fn restore(
    root: &Path,
    id: &str,
    path: &Path,
    name: &str,
    attributes: Option<&Attributes>,
) -> Result<(), UndoError> {
    let saved = root.join(DIRECTORY).join(id).join(name);
    let failed = |source| journal_error("read", &saved, source);
    let place = Place::exact(root, path)?.ok_or_else(|| no_directory(path))?;
    if let Some(attributes) = attributes {
        let content = std::fs::read(&saved).map_err(failed)?;
        return Ok(place.replace(&content, attributes)?);
    }
    // The journal keeps its own link, so that a second undo could still read it.
    let mut temporary = place.name.clone();
    temporary.push(format!(".regain-undo-{id}"));
    let _ = rustix::fs::unlinkat(&place.dir, &temporary, AtFlags::empty());
    rustix::fs::linkat(rustix::fs::CWD, &saved, &place.dir, &temporary, AtFlags::empty())
        .map_err(|e| failed(e.into()))?;
    rustix::fs::renameat(&place.dir, &temporary, &place.dir, &place.name)
        .map_err(|e| place.failed("bring back", e))?;
    // Renaming a link onto another link of the same inode does nothing at all.
    let _ = rustix::fs::unlinkat(&place.dir, &temporary, AtFlags::empty());
    Ok(place.sync()?)
}

fn move_back(root: &Path, from: &Path, to: &Path) -> Result<(), UndoError> {
    let Some(source) = Place::exact(root, from)? else { return Ok(()) };
    if source.stat()?.is_none() {
        return Ok(());
    }
    let target = Place::exact(root, to)?.ok_or_else(|| no_directory(to))?;
    rustix::fs::renameat(&source.dir, &source.name, &target.dir, &target.name)
        .map_err(|e| target.failed("bring back", e))?;
    Ok(target.sync()?)
}

/// Journals by age, the oldest first. Other directories there are not ours.
fn ids(root: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root.join(DIRECTORY)) else { return Vec::new() };
    let mut ids: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join(JOURNAL).exists())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    ids.sort();
    ids
}

fn prune(root: &Path) {
    let ids = ids(root);
    for id in ids.iter().take(ids.len().saturating_sub(KEPT - 1)) {
        // A journal that cannot be removed is no reason not to help.
        let _ = std::fs::remove_dir_all(root.join(DIRECTORY).join(id));
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
