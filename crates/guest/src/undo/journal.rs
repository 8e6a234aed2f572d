//! A journal while it is being written.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rand::RngCore;
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::restore::take_back;
use super::{
    DIRECTORY, JOURNAL, Record, UndoError, directory, forget_copies, journal_error,
    no_directory, prune,
};
use crate::clock;
use crate::edit::{self, Attributes, Opened, Place};

/// No file that is kept as a copy is larger.
const COPY_LIMIT: u64 = 16 << 20;

/// A journal that is being written.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(super) root: PathBuf,
    pub(super) id: String,
    /// Where it is on this machine.
    dir: PathBuf,
    pub(super) file: File,
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
        let dir = directory(root)?.join(&id);
        let failed = |source| journal_error("make", &dir, source);
        DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(failed)?;
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .mode(0o600)
            .open(dir.join(JOURNAL))
            .map_err(failed)?;
        let mut journal =
            Journal { root: root.into(), id, dir, file, records: Vec::new(), open: true };
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
        let before = self.save(place)?;
        place.replace(content, before.as_ref().unwrap_or(new))?;
        Ok(())
    }

    /// Replaces a file, and its mode and owner too.
    pub(crate) fn write_with(
        &mut self,
        place: &Place,
        content: &[u8],
        attributes: &Attributes,
    ) -> Result<(), UndoError> {
        self.save(place)?;
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
            self.save(&place)?;
            place.unlink()?;
            return Ok(place.sync()?);
        }
        let inside = Path::new(DIRECTORY).join(&self.id).join(self.next_name());
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

    /// Changes mode and owner of what was looked at.
    pub(crate) fn set_attributes(
        &mut self,
        opened: &Opened,
        attributes: &Attributes,
    ) -> Result<(), UndoError> {
        let before = opened.attributes();
        if before == *attributes {
            return Ok(());
        }
        self.record(Record::attributes(opened, before))?;
        Ok(opened.set_attributes(attributes)?)
    }

    /// Records a path that somebody else is about to change or make.
    pub(crate) fn keep(&mut self, path: &str) -> Result<(), UndoError> {
        let place = self.place(path)?;
        let Some(stat) = place.stat()? else {
            return self.record(Record::Absent { path: place.path });
        };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            self.save(&place)?;
            return Ok(());
        }
        let Some(opened) = place.open()? else {
            return self.record(Record::Absent { path: place.path });
        };
        let attributes = opened.attributes();
        match opened.kind() {
            // A copy: the other one may write into the file as it is.
            FileType::RegularFile => self.copy(&place.path, opened),
            FileType::Directory => self.record(Record::attributes(&opened, attributes)),
            _ => Err(UndoError::Strange(place.path)),
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
        let _ = std::fs::remove_dir_all(&self.dir);
    }

    pub(super) fn place(&self, path: &str) -> Result<Place, UndoError> {
        let path = Path::new(path);
        Ok(Place::follow(&self.root, path)?.ok_or_else(|| no_directory(path))?)
    }

    /// Records a file or link, which is then free to be replaced or removed, but not
    /// to be written into. Gives a file's attributes.
    fn save(&mut self, place: &Place) -> Result<Option<Attributes>, UndoError> {
        let Some(stat) = place.stat()? else {
            self.record(Record::Absent { path: place.path.clone() })?;
            return Ok(None);
        };
        let name = self.next_name();
        let saved = self.dir.join(&name);
        let record = Record::Saved { path: place.path.clone(), name, attributes: None };
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            let flags = AtFlags::empty();
            let here = rustix::fs::CWD;
            if rustix::fs::linkat(&place.dir, &place.name, here, &saved, flags).is_err() {
                let target = rustix::fs::readlinkat(&place.dir, &place.name, Vec::new())
                    .map_err(|e| place.failed("read the link", e))?;
                std::os::unix::fs::symlink(target.to_string_lossy().as_ref(), &saved)
                    .map_err(|source| journal_error("write", &saved, source))?;
            }
            self.record(record)?;
            return Ok(None);
        }
        let opened = place.open()?.ok_or_else(|| no_directory(&place.path))?;
        if opened.kind() != FileType::RegularFile {
            return Err(UndoError::Strange(place.path.clone()));
        }
        let attributes = opened.attributes();
        if opened.link_to(&saved) {
            self.record(record)?;
        } else {
            // Another file system, or one without links, or an immutable file.
            self.copy(&place.path, opened)?;
        }
        Ok(Some(attributes))
    }

    /// Keeps the content of a file.
    fn copy(&mut self, path: &Path, opened: Opened) -> Result<(), UndoError> {
        let (name, attributes) = (self.next_name(), opened.attributes());
        self.put_aside(&name, &opened.read(COPY_LIMIT)?)?;
        self.record(Record::Saved {
            path: path.into(),
            name,
            attributes: Some(attributes),
        })
    }

    fn put_aside(&self, name: &str, content: &[u8]) -> Result<(), UndoError> {
        let path = self.dir.join(name);
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
        let dir = self.dir.clone();
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
                forget_copies(&self.dir, &self.records);
            }
        }
    }
}
