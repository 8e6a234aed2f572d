//! One path, as `lstat` sees it.

use serde::{Deserialize, Serialize};

/// One path. What it leads to is a path of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PathFact {
    /// The path.
    pub path: String,
    /// What is there.
    pub kind: PathKind,
    /// Permission bits as octal digits (`"0755"`).
    #[serde(default)]
    pub mode: Option<String>,
    /// The numeric owner.
    #[serde(default)]
    pub uid: Option<u32>,
    /// The numeric group.
    #[serde(default)]
    pub gid: Option<u32>,
    /// Size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// Where a symbolic link leads, as it is written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// What a path is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PathKind {
    /// Nothing is there.
    #[default]
    Missing,
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A device.
    Device,
}

impl PathKind {
    /// The kind in the file type bits of a mode (inode(7)).
    pub const fn of_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o100_000 => Self::File,
            0o040_000 => Self::Directory,
            0o120_000 => Self::Symlink,
            0o010_000 => Self::Fifo,
            0o140_000 => Self::Socket,
            _ => Self::Device,
        }
    }
}

impl PathFact {
    /// The permission bits as a number.
    pub fn bits(&self) -> Option<u32> {
        u32::from_str_radix(self.mode.as_deref()?, 8).ok()
    }
}
