//! One file in the guest, found below a root and replaced in one rename.
//!
//! A [`Place`] is an open directory and a name in it: whatever happens to the path in
//! the meantime, reading, checking and replacing concern the same directory. With a
//! root other than `/` (offline repair) absolute symbolic links stay inside that root.
//! A replaced file keeps its mode, owner and extended attributes (SELinux label, ACL).

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rand::RngCore;
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Stat, Uid, XattrFlags,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// Symbolic links that are followed before a path counts as a loop.
const LINK_LIMIT: usize = 40;

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

/// Mode, owner and extended attributes of a file or directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    /// Permission bits, with set-uid, set-gid and sticky.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Names and values; empty for a new file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) extended: Vec<(String, Vec<u8>)>,
}

impl Attributes {
    pub(crate) fn new(mode: u32, uid: u32, gid: u32) -> Attributes {
        Attributes { mode, uid, gid, extended: Vec::new() }
    }

    /// Owned by root.
    pub(crate) fn root(mode: u32) -> Attributes {
        Attributes::new(mode, 0, 0)
    }
}

/// A name in an open directory.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) dir: OwnedFd,
    pub(crate) name: OsString,
    /// The path as the guest sees it, for messages and the undo journal.
    pub(crate) path: PathBuf,
}

impl Place {
    /// The place of `path` below `root`; a symbolic link at its end is the place
    /// itself. `None`: the directory does not exist.
    pub(crate) fn exact(root: &Path, path: &Path) -> Result<Option<Place>, EditError> {
        let failed = |source| EditError { action: "find", path: path.into(), source };
        let invalid = || failed(Errno::INVAL.into());
        let name = path.file_name().ok_or_else(invalid)?;
        let parent = path.parent().unwrap_or(Path::new("/"));
        match open_dir(root, parent) {
            Ok(dir) => Ok(Some(Place { dir, name: name.into(), path: path.into() })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// The place of `path` below `root` after all symbolic links.
    pub(crate) fn follow(root: &Path, path: &Path) -> Result<Option<Place>, EditError> {
        let mut path = path.to_owned();
        for _ in 0..LINK_LIMIT {
            let Some(place) = Place::exact(root, &path)? else { return Ok(None) };
            match rustix::fs::readlinkat(&place.dir, &place.name, Vec::new()) {
                Ok(target) => {
                    let target = OsString::from_vec(target.into_bytes());
                    path = normal(&path.parent().unwrap_or(Path::new("/")).join(target));
                }
                Err(_) => return Ok(Some(place)),
            }
        }
        Err(EditError { action: "find", path, source: Errno::LOOP.into() })
    }

    /// What is there, a symbolic link not followed; `None`: nothing.
    pub(crate) fn stat(&self) -> Result<Option<Stat>, EditError> {
        match rustix::fs::statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed("look at", error)),
        }
    }

    /// The content of a regular file; `None`: there is none.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, EditError> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.dir, &self.name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.failed("open", error)),
        };
        let mut content = Vec::new();
        (&file).read_to_end(&mut content).map_err(|source| self.io("read", source))?;
        Ok(Some(content))
    }

    /// Mode, owner and extended attributes; `None`: nothing there, or a link.
    pub(crate) fn attributes(&self) -> Result<Option<Attributes>, EditError> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.dir, &self.name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
            Err(error) => return Err(self.failed("open", error)),
        };
        let stat = rustix::fs::fstat(&file).map_err(|e| self.failed("look at", e))?;
        Ok(Some(Attributes {
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            extended: extended(&file),
        }))
    }

    /// Puts `content` here in one rename. The new file is on disk before it appears.
    pub(crate) fn replace(
        &self,
        content: &[u8],
        attributes: &Attributes,
    ) -> Result<(), EditError> {
        self.put(content, attributes, File::sync_all)?;
        self.sync()
    }

    /// [`Place::replace`] for what a power cut may take: nothing waits for the disk.
    pub(crate) fn replace_lightly(
        &self,
        content: &[u8],
        attributes: &Attributes,
    ) -> Result<(), EditError> {
        self.put(content, attributes, |_| Ok(()))
    }

    fn put(
        &self,
        content: &[u8],
        attributes: &Attributes,
        settle: impl FnOnce(&File) -> std::io::Result<()>,
    ) -> Result<(), EditError> {
        let mut temporary = OsString::from(".");
        temporary.push(&self.name);
        temporary.push(format!(".regain-{:08x}", rand::rngs::OsRng.next_u32()));
        let done = self.fill(&temporary, content, attributes, settle).and_then(|()| {
            rustix::fs::renameat(&self.dir, &temporary, &self.dir, &self.name)
                .map_err(|e| self.failed("replace", e))
        });
        if done.is_err() {
            // Nothing to add when this fails too: the first error says why.
            let _ = rustix::fs::unlinkat(&self.dir, &temporary, AtFlags::empty());
        }
        done
    }

    fn fill(
        &self,
        temporary: &OsString,
        content: &[u8],
        attributes: &Attributes,
        settle: impl FnOnce(&File) -> std::io::Result<()>,
    ) -> Result<(), EditError> {
        let flags = OFlags::WRONLY
            | OFlags::CREATE
            | OFlags::EXCL
            | OFlags::NOFOLLOW
            | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(&self.dir, temporary, flags, mode)
            .map_err(|e| self.failed("write beside", e))?;
        let mut file = File::from(file);
        file.write_all(content).map_err(|source| self.io("write", source))?;
        apply(&file, attributes).map_err(|e| self.failed("set mode and owner of", e))?;
        settle(&file).map_err(|source| self.io("write", source))
    }

    /// Changes mode, owner and extended attributes of what is here.
    pub(crate) fn set_attributes(
        &self,
        attributes: &Attributes,
    ) -> Result<(), EditError> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::openat(&self.dir, &self.name, flags, Mode::empty())
            .and_then(|file| apply(&file, attributes))
            .map_err(|e| self.failed("set mode and owner of", e))
    }

    /// Makes an empty directory here.
    pub(crate) fn make_dir(&self, attributes: &Attributes) -> Result<(), EditError> {
        rustix::fs::mkdirat(&self.dir, &self.name, Mode::RWXU)
            .map_err(|e| self.failed("make the directory", e))?;
        self.set_attributes(attributes)
    }

    /// Makes a symbolic link here.
    pub(crate) fn link_to(&self, target: &Path) -> Result<(), EditError> {
        rustix::fs::symlinkat(target, &self.dir, &self.name)
            .map_err(|e| self.failed("make the link", e))
    }

    /// Removes a file or a link.
    pub(crate) fn unlink(&self) -> Result<(), EditError> {
        rustix::fs::unlinkat(&self.dir, &self.name, AtFlags::empty())
            .map_err(|e| self.failed("remove", e))
    }

    /// Opens the directory that is here, but not through a symbolic link.
    pub(crate) fn open_dir(&self) -> Result<OwnedFd, EditError> {
        let flags =
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.dir, &self.name, flags, Mode::empty())
            .map_err(|e| self.failed("open the directory", e))
    }

    /// Makes a rename in this directory last through a power cut.
    pub(crate) fn sync(&self) -> Result<(), EditError> {
        rustix::fs::fsync(&self.dir).map_err(|e| self.failed("write the directory of", e))
    }

    pub(crate) fn failed(&self, action: &'static str, errno: Errno) -> EditError {
        // chattr +i looks like a plain EPERM, which for root explains nothing.
        if errno == Errno::PERM && self.is_immutable() {
            let text = "it is immutable (lsattr shows i or a); chattr -ia it first";
            return self.io(action, std::io::Error::other(text));
        }
        self.io(action, errno.into())
    }

    fn io(&self, action: &'static str, source: std::io::Error) -> EditError {
        EditError { action, path: self.path.clone(), source }
    }

    fn is_immutable(&self) -> bool {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.dir, &self.name, flags, Mode::empty());
        let fixed = rustix::fs::IFlags::IMMUTABLE | rustix::fs::IFlags::APPEND;
        let has = |fd: &OwnedFd| {
            rustix::fs::ioctl_getflags(fd).is_ok_and(|flags| flags.intersects(fixed))
        };
        file.is_ok_and(|file| has(&file)) || has(&self.dir)
    }
}

/// Reads a file below `root`, links followed; `None`: there is none.
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

/// What is at a path after all symbolic links; `None`: nothing.
pub(crate) fn kind(root: &Path, path: &str) -> Option<FileType> {
    let place = Place::follow(root, Path::new(path)).ok()??;
    let stat = place.stat().ok()??;
    Some(FileType::from_raw_mode(stat.st_mode))
}

/// Names in a directory, sorted; empty if there is no such directory.
pub(crate) fn names(root: &Path, path: &str) -> Vec<String> {
    let Ok(dir) = open_dir(root, Path::new(path)) else { return Vec::new() };
    let Ok(entries) = rustix::fs::Dir::read_from(&dir) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned))
        .filter(|name| name != "." && name != "..")
        .collect();
    names.sort();
    names
}

/// Opens a directory as somebody sees it whose root directory is `root`.
pub(crate) fn open_dir(root: &Path, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if root == Path::new("/") {
        return rustix::fs::open(path, flags, Mode::empty());
    }
    let top = rustix::fs::open(root, flags, Mode::empty())?;
    rustix::fs::openat2(&top, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)
}

fn apply(file: impl std::os::fd::AsFd, attributes: &Attributes) -> Result<(), Errno> {
    let (uid, gid) = (Uid::from_raw(attributes.uid), Gid::from_raw(attributes.gid));
    rustix::fs::fchown(&file, Some(uid), Some(gid))?;
    // After the owner: a change of owner clears set-uid bits.
    rustix::fs::fchmod(&file, Mode::from_raw_mode(attributes.mode))?;
    for (name, value) in &attributes.extended {
        match rustix::fs::fsetxattr(&file, name.as_str(), value, XattrFlags::empty()) {
            // A file system without labels, or a kernel without SELinux.
            Ok(()) | Err(Errno::NOTSUP | Errno::INVAL) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn extended(file: &OwnedFd) -> Vec<(String, Vec<u8>)> {
    let mut names = vec![0u8; 4096];
    let Ok(length) = rustix::fs::flistxattr(file, names.as_mut_slice()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for name in names[..length].split(|byte| *byte == 0) {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        let mut value = vec![0u8; 4096];
        if name.is_empty() {
            continue;
        }
        if let Ok(length) = rustix::fs::fgetxattr(file, name, value.as_mut_slice()) {
            value.truncate(length);
            found.push((name.to_owned(), value));
        }
    }
    found
}

/// Takes `.` and `..` out of an absolute path by name only.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::Normal(name) => plain.push(name),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn place(root: &Path, path: &str) -> Place {
        Place::follow(root, Path::new(path)).expect("readable").expect("has a directory")
    }

    #[test]
    fn a_replaced_file_keeps_mode_owner_and_attributes() {
        let root = tempfile::tempdir().expect("tempdir");
        let file = root.path().join("f");
        std::fs::write(&file, "old").expect("write");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).expect("chmod");
        let labelled =
            rustix::fs::setxattr(&file, "user.label", b"x", XattrFlags::empty()).is_ok();
        let place = place(root.path(), "/f");
        let before = place.attributes().expect("readable").expect("exists");
        place.replace(b"new", &before).expect("replaced");
        let after = place.attributes().expect("readable").expect("exists");
        assert_eq!(after, before);
        assert_eq!(after.mode, 0o640);
        assert_eq!(after.extended.iter().any(|(name, _)| name == "user.label"), labelled);
        assert_eq!(std::fs::read(&file).expect("read"), b"new");
        assert_eq!(names(root.path(), "/"), ["f"], "no temporary file is left");
    }

    #[test]
    fn absolute_links_stay_inside_the_root() {
        let root = tempfile::tempdir().expect("tempdir");
        std::fs::create_dir(root.path().join("etc")).expect("mkdir");
        std::fs::write(root.path().join("etc/real"), "inside").expect("write");
        symlink("/etc/real", root.path().join("etc/file")).expect("link");
        symlink("/etc", root.path().join("dir")).expect("link");
        assert_eq!(place(root.path(), "/dir/file").path, Path::new("/etc/real"));
        assert_eq!(
            read(root.path(), "/dir/file").expect("read"),
            Some(b"inside".to_vec())
        );
        symlink("../../../etc/up", root.path().join("etc/up")).expect("link");
        assert!(Place::follow(root.path(), Path::new("/etc/up")).is_err(), "a loop");
    }

    #[test]
    fn a_link_is_not_read_where_a_file_is_expected() {
        let root = tempfile::tempdir().expect("tempdir");
        std::fs::write(root.path().join("secret"), "s").expect("write");
        symlink("secret", root.path().join("link")).expect("link");
        let place = Place::exact(root.path(), Path::new("/link")).expect("found");
        assert!(place.expect("has a directory").read().is_err());
    }
}
