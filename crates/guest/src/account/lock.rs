//! The lock that shadow's tools and PAM take before they change the account files.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::{FlockOperation, OFlags, fcntl_lock};

use super::AccountError;
use crate::edit;

const PATH: &str = "/etc/.pwd.lock";
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// Held as long as the value lives (lckpwdf(3) and this are the same lock).
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(root: &Path) -> Result<Lock, AccountError> {
        let path = edit::on_this_machine(root, Path::new(PATH))?;
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(path)
            .map_err(|source| AccountError::Lock { path: PATH, source })?;
        for _ in 0..TRIES {
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => sleep(PAUSE),
                Err(error) => {
                    return Err(AccountError::Lock { path: PATH, source: error.into() });
                }
            }
        }
        Err(AccountError::Busy(PATH))
    }
}
