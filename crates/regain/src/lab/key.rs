//! Key pairs, made by `ssh-keygen`.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// A key's type.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// What a lab uses.
    Ed25519,
    /// What az makes for `--generate-ssh-keys`.
    Rsa,
}

/// Makes a key pair without a passphrase at `path` and `path.pub`, in a
/// directory that only its owner can enter.
pub(crate) fn make(path: &Path, kind: Kind) -> Result<(), Failure> {
    if let Some(dir) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| {
            Failure::new(format!("cannot make {}", dir.display())).because(error)
        })?;
    }
    let kind: &[&str] = match kind {
        Kind::Ed25519 => &["-t", "ed25519"],
        Kind::Rsa => &["-t", "rsa", "-b", "4096"],
    };
    let output = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "regain"])
        .args(kind)
        .arg("-f")
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Failure::new("cannot run ssh-keygen")
                .because(error)
                .next("install OpenSSH's client: apt-get install openssh-client")
        })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("cannot make the key {}: {}", path.display(), said.trim())))
}

/// The public half beside a private key.
pub(crate) fn public_half(path: &Path) -> Result<String, Failure> {
    let path = public_path(path);
    let text = fs::read_to_string(&path).map_err(|error| {
        Failure::new(format!("cannot read {}", path.display())).because(error)
    })?;
    Ok(text.trim().to_owned())
}

/// `KEY.pub`.
pub(crate) fn public_path(path: &Path) -> PathBuf {
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    PathBuf::from(public)
}
