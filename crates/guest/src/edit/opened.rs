//! Something that is open: whatever is put at its path meanwhile, this stays what was
//! looked at, and is what is changed.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, Stat, Uid, XattrFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::EditError;

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

    pub(super) fn apply(&self, file: impl std::os::fd::AsFd) -> Result<(), Errno> {
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        rustix::fs::fchown(&file, Some(uid), Some(gid))?;
        for (name, value) in &self.extended {
            match rustix::fs::fsetxattr(&file, name.as_str(), value, XattrFlags::empty())
            {
                // A file system without labels, or a kernel without SELinux.
                Ok(()) | Err(Errno::NOTSUP | Errno::INVAL) => {}
                Err(error) => return Err(error),
            }
        }
        // Last: a change of owner clears set-uid bits, and an ACL that is set brings its
        // mask along, which the mode has to hold down.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(self.mode))
    }
}

/// A file or directory that is open for reading.
#[derive(Debug)]
pub(crate) struct Opened {
    file: OwnedFd,
    stat: Stat,
    /// The path as the guest sees it.
    pub(crate) path: PathBuf,
}

impl Opened {
    pub(super) fn new(file: OwnedFd, path: PathBuf) -> Result<Opened, EditError> {
        let stat = rustix::fs::fstat(&file).map_err(|e| failed("look at", &path, e))?;
        Ok(Opened { file, stat, path })
    }

    pub(crate) fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    pub(crate) fn uid(&self) -> u32 {
        self.stat.st_uid
    }

    pub(crate) fn inode(&self) -> u64 {
        self.stat.st_ino
    }

    pub(crate) fn attributes(&self) -> Attributes {
        Attributes {
            extended: extended(&self.file),
            ..Attributes::new(
                self.stat.st_mode & 0o7777,
                self.stat.st_uid,
                self.stat.st_gid,
            )
        }
    }

    /// The content of a regular file that is no longer than `limit` bytes.
    pub(crate) fn read(self, limit: u64) -> Result<Vec<u8>, EditError> {
        let io = |source| EditError { action: "read", path: self.path.clone(), source };
        if self.kind() != FileType::RegularFile {
            return Err(io(std::io::Error::other("it is no file")));
        }
        let mut content = Vec::new();
        let mut bounded = File::from(self.file).take(limit.saturating_add(1));
        bounded.read_to_end(&mut content).map_err(io)?;
        if content.len() as u64 > limit {
            let text = format!("it is larger than {limit} bytes; move it away first");
            return Err(io(std::io::Error::other(text)));
        }
        Ok(content)
    }

    /// Changes mode, owner and extended attributes.
    pub(crate) fn set_attributes(
        &self,
        attributes: &Attributes,
    ) -> Result<(), EditError> {
        attributes
            .apply(&self.file)
            .map_err(|e| failed("set mode and owner of", &self.path, e))
    }

    /// Gives this very file a second name, whatever the first one means by now.
    pub(crate) fn link_to(&self, path: &Path) -> bool {
        let this = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let here = rustix::fs::CWD;
        rustix::fs::linkat(here, this, here, path, AtFlags::SYMLINK_FOLLOW).is_ok()
    }

    /// Whether it is what it seems, and not something of another place: on the mount
    /// of the directory that it lies in, and for a file, under this name alone.
    pub(crate) fn belongs_in(&self, dir: &OwnedFd) -> bool {
        let alone = self.kind() == FileType::Directory || self.stat.st_nlink == 1;
        let (own, its) = (mount(&self.file), mount(dir));
        alone && own.is_some() && own == its
    }

    /// Whether a directory has nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        rustix::fs::Dir::read_from(&self.file).is_ok_and(|entries| {
            entries
                .flatten()
                .all(|entry| matches!(entry.file_name().to_bytes(), b"." | b".."))
        })
    }
}

/// The number of the mount that something was opened on; statx tells it too, but not
/// on the kernels of RHEL 7 and 8.
fn mount(file: &OwnedFd) -> Option<u64> {
    let info = format!("/proc/self/fdinfo/{}", file.as_raw_fd());
    let info = std::fs::read_to_string(info).ok()?;
    info.lines().find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok())
}

fn failed(action: &'static str, path: &Path, errno: Errno) -> EditError {
    EditError { action, path: path.into(), source: errno.into() }
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
