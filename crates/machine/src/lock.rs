//! Locks between threads and between processes: a file, held while open.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::error::Error;

/// Waits for the lock on `path` and holds it until the value is dropped. The
/// kernel lets go of it when the process dies.
pub(crate) fn hold(path: &Path) -> Result<File, Error> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(Error::io(format!("open {}", path.display())))?;
    flock(&file, FlockOperation::LockExclusive)
        .map_err(Error::io(format!("lock {}", path.display())))?;
    Ok(file)
}
