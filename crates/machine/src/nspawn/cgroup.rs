//! A cgroup for each VM: `regain/<slot>/<id>` in every hierarchy that systemd
//! uses on this host.
//!
//! Without one, VMs would share the server's cgroup and a guest's systemd would
//! manage its siblings. It also names every process of a VM, so that nothing
//! is left behind after a crash.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::error::Error;
use crate::process::Process;

const MOUNT: &str = "/sys/fs/cgroup";

/// The roots of the hierarchies: cgroup v2 alone, or version 1 with systemd's
/// named hierarchy and perhaps v2 beside it.
fn roots() -> Vec<PathBuf> {
    let mount = Path::new(MOUNT);
    if mount.join("cgroup.controllers").exists() {
        return vec![mount.to_owned()];
    }
    let both = ["systemd", "unified"].map(|name| mount.join(name));
    both.into_iter().filter(|root| root.join("cgroup.procs").exists()).collect()
}

/// Whether a guest can be given cgroup v2 though the host boots with version 1.
pub(crate) fn has_v2() -> bool {
    roots().iter().any(|root| root.join("cgroup.controllers").exists())
}

/// Makes the cgroup `regain/<name>` and moves this process into it.
pub(crate) fn enter(name: &Path) -> Result<(), Error> {
    for root in roots() {
        let group = root.join("regain").join(name);
        make(&group)
            .and_then(|()| join(&group))
            .map_err(Error::io(format!("enter the cgroup {}", group.display())))?;
    }
    Ok(())
}

/// Moves this process out of every VM's cgroup, so that they can be removed.
pub(crate) fn leave() -> Result<(), Error> {
    for root in roots() {
        join(&root).map_err(Error::io(format!("enter the cgroup {}", root.display())))?;
    }
    Ok(())
}

/// Makes a cgroup and its parents, which the end of another lab may be removing.
fn make(group: &Path) -> io::Result<()> {
    for _ in 0..10 {
        match fs::create_dir_all(group) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            outcome => return outcome,
        }
    }
    fs::create_dir_all(group)
}

/// Removes the parent of all labs' cgroups if this was the last lab.
pub(crate) fn remove_parent() {
    for root in roots() {
        let _ = fs::remove_dir(root.join("regain"));
    }
}

fn join(group: &Path) -> io::Result<()> {
    // 0 stands for the writer.
    fs::write(group.join("cgroup.procs"), "0")
}

/// Kills every process in the cgroup `regain/<name>` and below, and removes it.
/// False if processes remain that do not die.
pub(crate) fn remove(name: &Path) -> Result<bool, Error> {
    let groups: Vec<PathBuf> =
        roots().iter().map(|root| root.join("regain").join(name)).collect();
    for _ in 0..200 {
        let listed =
            || groups.iter().flat_map(|group| pids(group)).collect::<BTreeSet<u32>>();
        let found: Vec<Process> =
            listed().into_iter().filter_map(|pid| Process::of(pid).ok()).collect();
        // Whoever is still listed now was the one that was looked up, and no
        // stranger that got its pid in between.
        let still = listed();
        if still.is_empty() {
            for group in &groups {
                remove_tree(group)?;
            }
            return Ok(true);
        }
        for process in
            found.iter().filter(|process| still.contains(&process.pid().cast_unsigned()))
        {
            process.signal(Signal::KILL);
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(false)
}

/// Every process in the group and below it.
fn pids(group: &Path) -> Vec<u32> {
    let own = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let mut pids: Vec<u32> = own.lines().filter_map(|line| line.parse().ok()).collect();
    for child in children(group) {
        pids.extend(self::pids(&child));
    }
    pids
}

fn children(group: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(group) else { return Vec::new() };
    let directories = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.map(|entry| entry.path()).collect()
}

/// A cgroup's files cannot be removed and go with it: only directories count.
fn remove_tree(group: &Path) -> Result<(), Error> {
    for child in children(group) {
        remove_tree(&child)?;
    }
    for _ in 0..100 {
        match fs::remove_dir(group) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            // The last process is dead but not yet gone.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                thread::sleep(Duration::from_millis(5));
            }
            outcome => {
                return outcome.map_err(Error::io(format!(
                    "remove the cgroup {}",
                    group.display()
                )));
            }
        }
    }
    Err(Error::io(format!("remove the cgroup {}", group.display()))(
        rustix::io::Errno::BUSY,
    ))
}
