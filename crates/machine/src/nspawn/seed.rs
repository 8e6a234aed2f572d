//! Writes files into a guest's root.
//!
//! The root is a guest's, so its symbolic links may point anywhere. Every
//! path is resolved by the kernel inside that root (`openat2` with
//! `RESOLVE_IN_ROOT`): an absolute link or `..` ends at the root, as it would
//! in the guest.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, ResolveFlags, fchmod, mkdirat, openat, openat2, unlinkat,
};
use rustix::io::Errno;

use crate::error::Error;
use crate::spec::{MachineSpec, SeedFile};

/// Writes the VM's identity and then its seed files, which may replace it.
pub(crate) fn plant(
    root: &Path,
    spec: &MachineSpec,
    machine_id: &str,
) -> Result<(), Error> {
    let root = openat(
        CWD,
        root,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(Error::io(format!("open {}", root.display())))?;
    for file in identity(spec, machine_id).iter().chain(&spec.files) {
        let path = file.below_root().ok_or_else(|| Error::SeedPath(file.path.clone()))?;
        write(&root, &path, file).map_err(Error::io(format!(
            "write {} into the guest",
            file.path.display()
        )))?;
    }
    Ok(())
}

/// What makes this VM another than its siblings from the same image.
fn identity(spec: &MachineSpec, machine_id: &str) -> [SeedFile; 4] {
    let hostname = &spec.hostname;
    let file = |path: &str, mode, contents: String| SeedFile {
        path: path.into(),
        mode,
        contents: contents.into_bytes(),
    };
    [
        file("/etc/hostname", 0o644, format!("{hostname}\n")),
        file(
            "/etc/hosts",
            0o644,
            format!(
                "127.0.0.1 localhost\n127.0.1.1 {hostname}\n\n\
                 ::1 localhost ip6-localhost ip6-loopback\n\
                 ff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n"
            ),
        ),
        file("/etc/resolv.conf", 0o644, "nameserver 168.63.129.16\n".to_owned()),
        // Without one, systemd would take each boot for the first.
        file("/etc/machine-id", 0o444, format!("{machine_id}\n")),
    ]
}

fn write(root: &OwnedFd, path: &Path, file: &SeedFile) -> io::Result<()> {
    let name = path.file_name().ok_or(Errno::INVAL)?;
    let parent = directory(root, path.parent().unwrap_or(Path::new("")))?;
    match unlinkat(&parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::WRONLY
        | OFlags::CREATE
        | OFlags::EXCL
        | OFlags::NOFOLLOW
        | OFlags::CLOEXEC;
    let target = openat(&parent, name, flags, Mode::RUSR | Mode::WUSR)?;
    // Before the contents, and whatever our umask.
    fchmod(&target, Mode::from_raw_mode(file.mode))?;
    File::from(target).write_all(&file.contents)
}

/// Opens a directory below the root, making what is missing of it.
fn directory(root: &OwnedFd, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = |path: &Path| {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        openat2(
            root.as_fd(),
            path,
            flags,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        )
    };
    let mut made = PathBuf::new();
    let mut parent = open(&made)?;
    for part in path.components() {
        made.push(part);
        parent = match open(&made) {
            Err(Errno::NOENT) => {
                mkdirat(&parent, part.as_os_str(), Mode::RWXU)?;
                let new = open(&made)?;
                fchmod(&new, Mode::from_raw_mode(0o755))?;
                new
            }
            opened => opened?,
        };
    }
    Ok(parent)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn plant_one(root: &Path, path: &str) -> io::Result<()> {
        let root = openat(CWD, root, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
        let file = SeedFile { path: path.into(), mode: 0o640, contents: b"new".to_vec() };
        write(&root, &file.below_root().unwrap(), &file)
    }

    #[test]
    fn a_link_out_of_the_root_stays_in_it() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("passwd"), "old").unwrap();
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(outside.path().strip_prefix("/").unwrap()))
            .unwrap();
        symlink(outside.path(), root.path().join("etc")).unwrap();
        symlink("../../../..", root.path().join("up")).unwrap();

        plant_one(root.path(), "/etc/passwd").unwrap();
        plant_one(root.path(), "/up/marker").unwrap();

        assert_eq!(fs::read_to_string(outside.path().join("passwd")).unwrap(), "old");
        assert_eq!(fs::read_to_string(root.path().join("marker")).unwrap(), "new");
    }

    #[test]
    fn a_link_in_the_place_of_the_file_is_replaced() {
        let outside = tempfile::tempdir().unwrap();
        let victim = outside.path().join("victim");
        fs::write(&victim, "old").unwrap();
        let root = tempfile::tempdir().unwrap();
        symlink(&victim, root.path().join("file")).unwrap();

        plant_one(root.path(), "/file").unwrap();

        assert_eq!(fs::read_to_string(&victim).unwrap(), "old");
        let mode =
            fs::symlink_metadata(root.path().join("file")).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
    }

    #[test]
    fn missing_parents_are_made_through_links_inside_the_root() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("usr/lib")).unwrap();
        symlink("usr/lib", root.path().join("lib")).unwrap();

        plant_one(root.path(), "/lib/systemd/system/a.service").unwrap();

        assert!(root.path().join("usr/lib/systemd/system/a.service").is_file());
    }
}
