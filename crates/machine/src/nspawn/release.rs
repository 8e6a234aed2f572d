//! Undoes what a running VM is on the host: processes, cgroup, network, mount,
//! and what nspawn leaves in /run when it is killed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{boot, cgroup, disk};
use crate::error::Error;
use crate::fabric::Fabric;
use crate::home::Home;
use crate::record;
use crate::spec::MachineSpec;

/// Ends and undoes everything, whatever is left of it. Without a fabric there
/// can be no processes and no network either: both are named after its slot.
pub(crate) fn release(
    home: &Home,
    spec: &MachineSpec,
    fabric: Option<&Fabric>,
) -> Result<(), Error> {
    if let Some(fabric) = fabric {
        let group = Path::new(&fabric.slot().name()).join(spec.id.as_str());
        if !cgroup::remove(&group)? {
            return Err(Error::Unstoppable(spec.id.clone()));
        }
        fabric.detach(&spec.id, &spec.network)?;
        forget(&boot::name(fabric, &spec.id));
    }
    disk::detach(home)?;
    record::remove(&home.console_socket())
}

/// Removes the directories of killed nspawns whose names begin so. They are
/// empty and would be used again, so a failure does no harm.
pub(crate) fn forget(prefix: &str) {
    let Ok(entries) = fs::read_dir("/run/systemd/nspawn/propagate") else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Removes the lock file that a killed nspawn leaves for the root directory that
/// it ran in, named after its inode. To be called while the disk is mounted:
/// afterwards the inode is another's.
pub(crate) fn unlock(root: &Path) {
    if let Ok(root) = fs::metadata(root) {
        let name = format!("inode-{}:{}", root.dev(), root.ino());
        let _ = fs::remove_file(Path::new("/run/systemd/nspawn/locks").join(name));
    }
}
