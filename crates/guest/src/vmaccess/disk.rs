//! Checking and repairing file systems.

use std::path::Path;
use std::time::Duration;

use super::VmAccessError;
use crate::edit;
use crate::process::{self, Ended, Finished, Limits};

const LIMITS: Limits = Limits { time: Duration::from_secs(240), output: 64 << 10 };
/// Characters of fsck's report that go into the status.
const REPORT: usize = 2000;

/// Reports on every file system of fstab without changing one.
pub(super) fn check(root: &Path) -> Result<String, VmAccessError> {
    let done = fsck(root, &["fsck", "-A", "-T", "-s", "-n"])?;
    let report = report(&done);
    match done.ended {
        Ended::Exit(0) => Ok(format!("Check succeeded. {report}")
            .trim_end_matches([' ', '.'])
            .to_owned()),
        Ended::TimedOut => {
            Err(VmAccessError::Disk("Check failed. fsck took too long".into()))
        }
        _ => Err(VmAccessError::Disk(format!("Check failed. {report}"))),
    }
}

/// Repairs the file system that fstab mounts at `/<name>`, if it is not mounted.
pub(super) fn repair(root: &Path, name: &str) -> Result<String, VmAccessError> {
    let failed = |reason: String| VmAccessError::Disk(format!("Repair failed. {reason}"));
    let mount_point = format!("/{name}");
    let fstab = edit::read_text(root, "/etc/fstab")?.unwrap_or_default();
    let device = field_at(&fstab, &mount_point)
        .ok_or_else(|| failed(format!("/etc/fstab has no {mount_point}")))?;
    let mounts = edit::read_text(root, "/proc/self/mounts")?.unwrap_or_default();
    if field_at(&mounts, &mount_point).is_some() {
        return Err(failed(format!(
            "{mount_point} is mounted, and a mounted file system cannot be repaired: unmount \
             it first (umount {mount_point}), or repair the disk from another VM"
        )));
    }
    let done = fsck(root, &["fsck", "-T", "-y", device])?;
    // 1: errors were corrected.
    if !matches!(done.ended, Ended::Exit(0 | 1)) {
        return Err(failed(report(&done)));
    }
    let mounted = process::tool(root, &["mount", &mount_point], &[], &LIMITS);
    match mounted {
        Some(Ok(mounted)) if mounted.success() => {
            Ok(format!("Repair succeeded. {}", report(&done))
                .trim_end_matches([' ', '.'])
                .to_owned())
        }
        Some(Ok(mounted)) => Err(failed(format!(
            "It was repaired, but does not mount: {}",
            mounted.text()
        ))),
        _ => Err(failed("It was repaired, but mount could not be run".to_owned())),
    }
}

fn fsck(root: &Path, argv: &[&str]) -> Result<Finished, VmAccessError> {
    match process::tool(root, argv, &[], &LIMITS) {
        Some(Ok(done)) => Ok(done),
        Some(Err(error)) => {
            Err(VmAccessError::Disk(format!("fsck could not be run: {error}")))
        }
        None => Err(VmAccessError::Disk("this system has no fsck".to_owned())),
    }
}

fn report(done: &Finished) -> String {
    done.text().chars().take(REPORT).collect()
}

/// The first field of the line whose second field is `mount_point`.
fn field_at<'a>(table: &'a str, mount_point: &str) -> Option<&'a str> {
    table.lines().filter(|line| !line.trim_start().starts_with('#')).find_map(|line| {
        let mut fields = line.split_whitespace();
        let device = fields.next()?;
        (fields.next()? == mount_point).then_some(device)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_is_found_whole() {
        let table =
            "# /dev/a /data x\n/dev/b /data2 ext4\n/dev/c\t/data ext4 defaults 0 2\n";
        assert_eq!(field_at(table, "/data"), Some("/dev/c"));
        assert_eq!(field_at(table, "/dat"), None);
    }

    #[test]
    fn what_cannot_be_repaired_is_refused_with_the_reason() {
        let root = tempfile::tempdir().expect("tempdir");
        std::fs::create_dir_all(root.path().join("etc")).expect("mkdir");
        std::fs::create_dir_all(root.path().join("proc/self")).expect("mkdir");
        let refused = || repair(root.path(), "data").expect_err("refused").to_string();
        assert_eq!(refused(), "Repair failed. /etc/fstab has no /data");
        std::fs::write(root.path().join("etc/fstab"), "/dev/c /data ext4\n")
            .expect("write");
        std::fs::write(root.path().join("proc/self/mounts"), "/dev/c /data ext4\n")
            .expect("write");
        assert!(refused().contains("umount /data"));
        std::fs::remove_file(root.path().join("proc/self/mounts")).expect("remove");
        assert_eq!(refused(), "this system has no fsck");
    }
}
