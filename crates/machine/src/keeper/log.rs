//! The console log: bounded, in two files. When the newer one is full it
//! becomes the older one, so that the last one to two MiB are always there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Bytes in one of the two files.
const FULL: u64 = 1 << 20;

/// A console log that is being written.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Log {
    /// Goes on with the log at `path`, or begins it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size })
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.size >= FULL {
            fs::rename(&self.path, older(&self.path))?;
            *self = Self::open(&self.path)?;
        }
        self.size += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// All that the log at `path` still has, oldest first. Nothing if there is none.
    pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        for path in [&older(path), path] {
            match fs::read(path) {
                Ok(part) => bytes.extend(part),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Error::io(format!("read {}", path.display()))(error));
                }
            }
        }
        Ok(bytes)
    }
}

fn older(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_the_size_is_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("console.log");
        let mut log = Log::open(&path).unwrap();
        let line = |n: u32| format!("{n:015}\n").into_bytes();
        let last = 300_000;
        for n in 0..=last {
            log.append(&line(n)).unwrap();
        }
        let kept = Log::read(&path).unwrap();
        assert!(kept.ends_with(&line(last)));
        assert!(
            kept.len() as u64 >= FULL && kept.len() as u64 <= 2 * FULL + 16,
            "{}",
            kept.len()
        );
        // No line is lost in the middle.
        let first = u32::try_from(last as usize + 1 - kept.len() / 16).unwrap();
        assert!(kept.starts_with(&line(first)));
    }

    #[test]
    fn a_keeper_that_comes_after_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("console.log");
        Log::open(&path).unwrap().append(b"first boot\n").unwrap();
        Log::open(&path).unwrap().append(b"second boot\n").unwrap();
        assert_eq!(Log::read(&path).unwrap(), b"first boot\nsecond boot\n");
    }
}
