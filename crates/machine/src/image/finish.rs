//! The last touches to a fresh root directory: what must be different in every
//! VM is taken out, what would slow a boot down is masked.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::ImageError;
use super::recipe::Recipe;

/// Turns mmdebstrap's result into an image.
pub(super) fn finish(root: &Path, recipe: &Recipe) -> Result<(), ImageError> {
    for needed in ["usr/sbin/sshd", "usr/lib/systemd/systemd", "usr/sbin/nft"] {
        if !root.join(needed).exists() {
            return Err(ImageError::Incomplete(format!("/{needed}")));
        }
    }
    touch_up(root, recipe)
        .map_err(ImageError::io(format!("finish the image {}", root.display())))
}

fn touch_up(root: &Path, recipe: &Recipe) -> io::Result<()> {
    // Two VMs with the same host keys could stand in for each other.
    for entry in fs::read_dir(root.join("etc/ssh"))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("ssh_host_") {
            fs::remove_file(entry.path())?;
        }
    }
    // The host's name and resolver, which mmdebstrap copies, are not the VM's.
    for file in ["etc/machine-id", "etc/hostname", "etc/resolv.conf"] {
        fs::write(root.join(file), "")?;
    }
    link("/etc/machine-id", &root.join("var/lib/dbus/machine-id"))?;

    let units = root.join("etc/systemd/system");
    for unit in recipe.masked {
        link("/dev/null", &units.join(unit))?;
    }
    let getty = "getty.target.wants/console-getty.service";
    link("/lib/systemd/system/console-getty.service", &units.join(getty))?;
    lock_root(&root.join("etc/shadow"))
}

fn link(target: &str, at: &Path) -> io::Result<()> {
    if let Some(parent) = at.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::remove_file(at) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    symlink(target, at)
}

/// No password is root's. Written in place, which keeps owner and mode.
fn lock_root(shadow: &Path) -> io::Result<()> {
    let text = fs::read_to_string(shadow)?;
    let locked = text.lines().map(|line| match line.strip_prefix("root:") {
        Some(rest) => {
            let (_, ages) = rest.split_once(':').unwrap_or((rest, ""));
            format!("root:*:{ages}\n")
        }
        None => format!("{line}\n"),
    });
    fs::write(shadow, locked.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_no_password_and_the_others_keep_theirs() {
        let directory = tempfile::tempdir().unwrap();
        let shadow = directory.path().join("shadow");
        fs::write(&shadow, "root::19000:0:99999:7:::\nsshd:!:19000::::::\n").unwrap();
        lock_root(&shadow).unwrap();
        assert_eq!(
            fs::read_to_string(&shadow).unwrap(),
            "root:*:19000:0:99999:7:::\nsshd:!:19000::::::\n"
        );
    }
}
