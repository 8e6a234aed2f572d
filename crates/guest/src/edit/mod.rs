//! One file in the guest, found below a root and replaced in one rename.
//!
//! ```text
//!  path ──walk──► Place (an open directory, a name in it) ──open──► Opened
//!                   replace, make, unlink                    read, attributes, set
//! ```
//!
//! Whatever happens to the path in the meantime, reading, checking and replacing concern
//! the directory that was walked to, and what is changed is what was looked at. With a
//! root other than `/` (offline repair) absolute symbolic links stay inside that root.
//! A replaced file keeps its mode, owner and extended attributes (SELinux label, ACL).

mod opened;
mod place;
mod walk;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

pub(crate) use opened::{Attributes, Opened};
pub(crate) use place::Place;
pub(crate) use walk::{Land, WRITABLE_BY_OTHERS};

/// Why a file could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} {path}", path = path.display())]
pub struct EditError {
    /// What was being done, as a verb.
    pub action: &'static str,
    /// The path as the guest sees it.
    pub path: PathBuf,
    /// What the system says.
    #[source]
    pub source: std::io::Error,
}

/// Reads a file below `root`, root's links followed; `None`: there is none.
pub(crate) fn read(root: &Path, path: &str) -> Result<Option<Vec<u8>>, EditError> {
    match Place::follow(root, Path::new(path))? {
        Some(place) => place.read(),
        None => Ok(None),
    }
}

/// [`read`] for text; bytes that are not UTF-8 become replacement characters.
pub(crate) fn read_text(root: &Path, path: &str) -> Result<Option<String>, EditError> {
    Ok(read(root, path)?.map(|content| String::from_utf8_lossy(&content).into_owned()))
}

/// What is at a path after all of root's links; `None`: nothing that root can be sure
/// of.
pub(crate) fn kind(root: &Path, path: &str) -> Option<FileType> {
    let place = Place::follow(root, Path::new(path)).ok()??;
    let stat = place.stat().ok()??;
    Some(FileType::from_raw_mode(stat.st_mode))
}

/// Whether there certainly is nothing at a path.
pub(crate) fn is_missing(root: &Path, path: &str) -> bool {
    match Place::follow(root, Path::new(path)) {
        Ok(Some(place)) => matches!(place.stat(), Ok(None)),
        Ok(None) => true,
        Err(_) => false,
    }
}

/// Whether something is mounted below a directory, as far as the kernel says.
pub(crate) fn is_mounted_below(root: &Path, path: &Path) -> bool {
    let there = root.join(path.strip_prefix("/").unwrap_or(path));
    // A path with a space has it as \040 there, and is asked for in the same way.
    let there = there.to_string_lossy().replace(' ', "\\040");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().filter_map(|line| line.split(' ').nth(4)).any(|place| {
        place.strip_prefix(there.as_str()).is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Names in a directory, sorted; empty if there is no such directory.
pub(crate) fn names(root: &Path, path: &str) -> Vec<String> {
    let Ok(Some(way)) = walk::directory(root, Path::new(path)) else { return Vec::new() };
    let Ok(entries) = rustix::fs::Dir::read_from(&way.dir) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned))
        .filter(|name| name != "." && name != "..")
        .collect();
    names.sort();
    names
}

/// Where a path of root's is on this machine, all links that exist taken inside of
/// `root`; for what is not reached by descriptors.
pub(crate) fn on_this_machine(root: &Path, path: &Path) -> Result<PathBuf, EditError> {
    let failed = |source| EditError { action: "find", path: path.into(), source };
    for there in path.ancestors() {
        let way = match walk::directory(root, there) {
            Ok(Some(way)) => way,
            Ok(None) => continue,
            // The file itself.
            Err(error) if error.kind() == ErrorKind::NotADirectory => continue,
            Err(error) => return Err(failed(error)),
        };
        let inside = way.path.strip_prefix("/").unwrap_or(&way.path);
        let rest = path.strip_prefix(there).unwrap_or(Path::new(""));
        return Ok(root.join(inside).join(rest));
    }
    Ok(root.join(path.strip_prefix("/").unwrap_or(path)))
}
