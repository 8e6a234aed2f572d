//! Taking recorded changes back, from the last to the first.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;

use super::{Record, UndoError, directory, journal_error, no_directory};
use crate::edit::{Attributes, Place};
use crate::process::{self, Limits};

const COMMAND_LIMITS: Limits = Limits { time: Duration::from_secs(30), output: 64 << 10 };

pub(super) fn take_back(
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
            Record::Attributes { path, attributes, inode } => {
                if let Some(place) = Place::exact(root, path)?
                    && let Some(opened) = place.open()?
                {
                    if inode.is_some_and(|inode| inode != opened.inode()) {
                        return Err(UndoError::Replaced(path.clone()));
                    }
                    opened.set_attributes(attributes)?;
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
    let aside = directory(root)?.join(id).join(format!("undone-{number}"));
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
    let saved = directory(root)?.join(id).join(name);
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
