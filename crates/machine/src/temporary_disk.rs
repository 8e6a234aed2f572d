//! A VM's temporary disk: a directory of this host that the guest finds at `/mnt`.
//! It outlives restarts, and is lost when the VM leaves its host.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::command;
use crate::error::Error;
use crate::home::Home;

/// Where the guest finds it.
pub(crate) const MOUNT_POINT: &str = "/mnt";

/// What Azure's agent calls the file that warns.
const WARNING_FILE: &str = "DATALOSS_WARNING_README.txt";

const WARNING: &str = "WARNING: THIS IS A TEMPORARY DISK.

Whatever is stored here is lost when the virtual machine is redeployed,
deallocated or moved to another host. It survives a restart. Keep here only what
you can do without, such as caches and swap.
";

/// Makes the disk, unless it is there: whole or not at all.
pub(crate) fn make(home: &Home) -> Result<(), Error> {
    let disk = home.temporary_disk();
    if disk.exists() {
        return Ok(());
    }
    let fresh = disk.with_extension("new");
    remove(&fresh)?;
    let make = || {
        fs::create_dir(&fresh)?;
        // Whatever our umask.
        fs::set_permissions(&fresh, Permissions::from_mode(0o755))?;
        let warning = fresh.join(WARNING_FILE);
        fs::write(&warning, WARNING)?;
        fs::set_permissions(&warning, Permissions::from_mode(0o444))?;
        fs::rename(&fresh, &disk)
    };
    make().map_err(Error::io(format!("make the temporary disk {}", disk.display())))
}

/// Takes the disk away with all that is on it. The VM must be off.
pub(crate) fn lose(home: &Home) -> Result<(), Error> {
    let disk = home.temporary_disk();
    let gone = disk.with_extension("gone");
    remove(&gone)?;
    // Out of its place first: half a disk must never be found again.
    absent(fs::rename(&disk, &gone))
        .map_err(Error::io(format!("remove the temporary disk {}", disk.display())))?;
    remove(&gone)
}

fn remove(directory: &Path) -> Result<(), Error> {
    if absent(fs::remove_dir_all(directory)).is_ok() {
        return Ok(());
    }
    free(directory)?;
    absent(fs::remove_dir_all(directory))
        .map_err(Error::io(format!("remove {}", directory.display())))
}

/// A guest can make its files immutable (`chattr +i`), and the host keeps to that.
pub(crate) fn free(directory: &Path) -> Result<(), Error> {
    let mut chattr = Command::new("chattr");
    chattr.args(["-R", "-f", "-i", "-a"]).arg(directory);
    command::run(&mut chattr, b"", Duration::from_secs(60))?;
    Ok(())
}

/// What is not there need not be removed.
fn absent(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_disk_is_kept_until_it_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().to_owned());
        make(&home).unwrap();
        assert!(home.temporary_disk().join(WARNING_FILE).is_file());
        fs::write(home.temporary_disk().join("data"), "x").unwrap();
        make(&home).unwrap();
        assert!(home.temporary_disk().join("data").exists());
        lose(&home).unwrap();
        lose(&home).unwrap();
        make(&home).unwrap();
        assert!(!home.temporary_disk().join("data").exists());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
