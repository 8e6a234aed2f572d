//! Takes a lab off the host: its VMs, mounts, namespaces, links, firewall rules
//! and cgroups. What is to go is found in the kernel, by the lab's slot and by
//! its directory, so it works after a crash as well, and any number of times.
//! The files in the state directory stay.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use crate::error::Error;
use crate::fabric::slot::{self, Slot};
use crate::fabric::{self, Fabric};
use crate::home;
use crate::nspawn::{self, cgroup};

/// Removes all that the lab with this state directory is on the host. VMs are
/// not asked to power off.
pub fn teardown(state: &Path) -> Result<(), Error> {
    let Ok(state) = fs::canonicalize(state) else { return Ok(()) };
    if let Some(slot) = slot::find(&state)? {
        end(slot)?;
    }
    unmount_below(&home::machines(&state))?;
    Fabric::down(&state)
}

/// Clears a slot of what a dead lab, whose state directory was `state`, left
/// behind.
pub(crate) fn sweep(slot: Slot, state: Option<&Path>) -> Result<(), Error> {
    end(slot)?;
    if let Some(state) = state {
        unmount_below(&home::machines(state))?;
    }
    fabric::clear(slot)
}

/// Kills every process of every VM of the slot, keepers first or last: nothing
/// of theirs is needed any more.
fn end(slot: Slot) -> Result<(), Error> {
    if !cgroup::remove(Path::new(&slot.name()))? {
        return Err(Error::Host(format!(
            "processes of this lab do not die; they are in the cgroup regain/{}",
            slot.name()
        )));
    }
    cgroup::remove_parent();
    nspawn::forget(&slot.prefix());
    Ok(())
}

/// Unmounts everything below a directory, the latest mount first.
pub(crate) fn unmount_below(directory: &Path) -> Result<(), Error> {
    let table = fs::read("/proc/self/mountinfo")
        .map_err(Error::io("read /proc/self/mountinfo"))?;
    for point in
        mount_points(&table).iter().rev().filter(|point| point.starts_with(directory))
    {
        nspawn::unlock(point);
        match unmount(point, UnmountFlags::NOFOLLOW | UnmountFlags::DETACH) {
            Ok(()) | Err(Errno::INVAL | Errno::NOENT) => {}
            Err(error) => {
                return Err(Error::io(format!("unmount {}", point.display()))(error));
            }
        }
    }
    Ok(())
}

/// The fifth field of each line, where blanks and backslashes are written in
/// octal (proc_pid_mountinfo(5)).
fn mount_points(table: &[u8]) -> Vec<PathBuf> {
    let field = |line: &[u8]| line.split(|byte| *byte == b' ').nth(4).map(unescape);
    table.split(|byte| *byte == b'\n').filter_map(field).collect()
}

fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let [first, tail @ ..] = rest {
        let octal = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code.filter(|_| *first == b'\\') {
            Some(code) => {
                bytes.push(code);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    PathBuf::from(std::ffi::OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_blanks() {
        let table = b"22 1 0:20 / /sys rw - sysfs sysfs rw\n\
                      90 1 0:50 / /tmp/a\\040b/machines/vm1/merged rw - overlay overlay rw\n";
        let expected = ["/sys", "/tmp/a b/machines/vm1/merged"].map(PathBuf::from);
        assert_eq!(mount_points(table), expected);
    }
}
