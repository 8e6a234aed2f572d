//! A VM's disk: an overlay whose lower layers are the image, mounted only while
//! the VM runs.

use std::ffi::CString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::unlock;
use crate::error::Error;
use crate::home::Home;
use crate::temporary_disk;

/// Makes an empty disk.
pub(crate) fn make(home: &Home) -> Result<(), Error> {
    for directory in [home.upper(), home.work(), home.merged()] {
        fs::create_dir(&directory)
            .map_err(Error::io(format!("make {}", directory.display())))?;
    }
    // The upper's mode becomes that of the guest's `/`, whatever our umask.
    let upper = home.upper();
    fs::set_permissions(&upper, fs::Permissions::from_mode(0o755))
        .map_err(Error::io(format!("set the mode of {}", upper.display())))
}

/// Mounts the disk. `layers` are the image's directories, topmost first.
pub(crate) fn attach(home: &Home, layers: &[PathBuf]) -> Result<(), Error> {
    for layer in layers {
        if !layer.is_dir() {
            return Err(Error::Host(format!(
                "the image layer {} is missing; make the image again",
                layer.display()
            )));
        }
    }
    let (upper, work, merged) = (home.upper(), home.work(), home.merged());
    let lower: Vec<&Path> = layers.iter().map(PathBuf::as_path).collect();
    let mut options = Vec::new();
    for (key, paths) in
        [("lowerdir", lower.as_slice()), ("upperdir", &[&*upper]), ("workdir", &[&*work])]
    {
        let words =
            paths.iter().map(|path| escape(path)).collect::<Result<Vec<_>, _>>()?;
        options.push(format!("{key}={}", words.join(":")));
    }
    let options = CString::new(options.join(","))
        .map_err(|_| Error::Host("a path of the image holds a NUL byte".to_owned()))?;
    mount("overlay", &merged, "overlay", MountFlags::empty(), options.as_c_str())
        .map_err(Error::io(format!("mount the disk {}", merged.display())))
}

/// Unmounts the disk, if it is mounted. What keeps it busy for longer than a
/// moment keeps it alive but out of sight.
pub(crate) fn detach(home: &Home) -> Result<(), Error> {
    let merged = home.merged();
    unlock(&merged);
    for attempt in 0..40 {
        let flags = if attempt < 20 {
            UnmountFlags::NOFOLLOW
        } else {
            UnmountFlags::NOFOLLOW | UnmountFlags::DETACH
        };
        match unmount(&merged, flags) {
            // More than one mount can be stacked there after a crash.
            Ok(()) => {}
            Err(Errno::INVAL | Errno::NOENT) => return Ok(()),
            Err(Errno::BUSY) => thread::sleep(Duration::from_millis(10)),
            Err(error) => {
                return Err(Error::io(format!("unmount {}", merged.display()))(error));
            }
        }
    }
    Err(Error::io(format!("unmount {}", merged.display()))(Errno::BUSY))
}

/// Removes the VM's directory and all in it. The disk must be unmounted.
pub(crate) fn remove(home: &Home) -> Result<(), Error> {
    let path = home.path();
    let gone = |outcome: std::io::Result<()>| match outcome {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    };
    if gone(fs::remove_dir_all(path)).is_ok() {
        return Ok(());
    }
    for disk in [home.upper(), home.temporary_disk()] {
        temporary_disk::free(&disk)?;
    }
    gone(fs::remove_dir_all(path))
        .map_err(Error::io(format!("remove {}", path.display())))
}

/// Overlay's options are separated by commas and its layers by colons.
fn escape(path: &Path) -> Result<String, Error> {
    match path.to_str() {
        Some(text) if !text.contains([',', ':', '\\', '"']) => Ok(text.to_owned()),
        _ => Err(Error::Host(format!(
            "{} cannot be part of a VM's disk: use a path without commas, colons, quotes and backslashes",
            path.display()
        ))),
    }
}
