//! A name in an open directory.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rand::RngCore;
use rustix::fs::{AtFlags, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::walk::{self, LINK_LIMIT, Land};
use super::{Attributes, EditError, Opened};

/// No file that is read whole is larger: account files of a large site are.
const READ_LIMIT: u64 = 16 << 20;

/// A name in an open directory.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) dir: OwnedFd,
    pub(crate) name: OsString,
    /// The path as the guest sees it, without the links that led there; for messages
    /// and the undo journal.
    pub(crate) path: PathBuf,
    /// Who can change what is here.
    pub(crate) land: Land,
}

impl Place {
    /// The place of `path` below `root`; a symbolic link at its end is the place
    /// itself. `None`: the directory does not exist.
    pub(crate) fn exact(root: &Path, path: &Path) -> Result<Option<Place>, EditError> {
        let failed = |source| EditError { action: "find", path: path.into(), source };
        let invalid = || failed(Errno::INVAL.into());
        let name = path.file_name().ok_or_else(invalid)?;
        let parent = path.parent().unwrap_or(Path::new("/"));
        let way = walk::directory(root, parent).map_err(failed)?;
        Ok(way.map(|way| Place {
            dir: way.dir,
            name: name.into(),
            path: way.path.join(name),
            land: way.land,
        }))
    }

    /// The place of `path` below `root` after all of root's links; a user's link at its
    /// end is an error.
    pub(crate) fn follow(root: &Path, path: &Path) -> Result<Option<Place>, EditError> {
        let mut path = path.to_owned();
        for _ in 0..LINK_LIMIT {
            let Some(place) = Place::exact(root, &path)? else { return Ok(None) };
            let link = walk::link(&place.dir, &place.name);
            match link.map_err(|e| place.failed("find", e))? {
                Some(target) => {
                    walk::may_follow(place.land).map_err(|e| place.io("find", e))?;
                    let dir = place.path.parent().unwrap_or(Path::new("/"));
                    path = dir.join(target);
                    // What ends with `..` has no name of its own.
                    if path.file_name().is_none() {
                        let way = walk::directory(root, &path);
                        let Some(way) = way.map_err(|e| place.io("find", e))? else {
                            return Ok(None);
                        };
                        path = way.path;
                    }
                }
                None => return Ok(Some(place)),
            }
        }
        Err(EditError { action: "find", path, source: Errno::LOOP.into() })
    }

    /// A name in the directory that is here.
    pub(crate) fn below(&self, name: &str) -> Result<Place, EditError> {
        let dir = self.open_dir()?;
        let land = walk::below(self.land, &dir).map_err(|e| self.failed("look at", e))?;
        Ok(Place { dir, name: name.into(), path: self.path.join(name), land })
    }

    /// What is there, a symbolic link not followed; `None`: nothing.
    pub(crate) fn stat(&self) -> Result<Option<Stat>, EditError> {
        match rustix::fs::statat(&self.dir, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed("look at", error)),
        }
    }

    /// Opens what is here; `None`: nothing. A link is an error.
    pub(crate) fn open(&self) -> Result<Option<Opened>, EditError> {
        let flags =
            OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.dir, &self.name, flags, Mode::empty()) {
            Ok(file) => Opened::new(file, self.path.clone()).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed("open", error)),
        }
    }

    /// The content of a regular file; `None`: there is none.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, EditError> {
        self.open()?.map(|opened| opened.read(READ_LIMIT)).transpose()
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
        attributes.apply(&file).map_err(|e| self.failed("set mode and owner of", e))?;
        settle(&file).map_err(|source| self.io("write", source))
    }

    /// Makes an empty directory here.
    pub(crate) fn make_dir(&self, attributes: &Attributes) -> Result<(), EditError> {
        rustix::fs::mkdirat(&self.dir, &self.name, Mode::RWXU)
            .map_err(|e| self.failed("make the directory", e))?;
        // In a user's land another one may be there by now; only a new one is given
        // away.
        let made = Opened::new(self.open_dir()?, self.path.clone())?;
        if made.uid() != rustix::process::geteuid().as_raw() || !made.is_empty() {
            let source = std::io::Error::other("another one is there by now");
            return Err(self.io("make the directory", source));
        }
        made.set_attributes(attributes)
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

#[cfg(test)]
mod tests {
    use rustix::fs::XattrFlags;

    use super::*;
    use crate::edit::{names, read};
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
        let attributes = || place.open().expect("readable").expect("exists").attributes();
        let before = attributes();
        place.replace(b"new", &before).expect("replaced");
        let after = attributes();
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
