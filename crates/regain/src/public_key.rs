//! Public keys as an operator names them: the key itself, or a file that holds
//! it; and the operator's own.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Reads a key, or the file that holds it.
pub(crate) fn read(value: &str) -> Result<String, Failure> {
    if is_key(value) {
        return Ok(value.trim().to_owned());
    }
    let path = expanded(value.strip_prefix('@').unwrap_or(value));
    let text = fs::read_to_string(&path).map_err(|error| {
        Failure::usage(format!(
            "'{value}' is neither a public key nor a file that holds one"
        ))
        .because(error)
    })?;
    if text.contains("PRIVATE KEY") {
        return Err(Failure::usage(format!("{} holds a private key", path.display()))
            .next("give its public half, the file that ends in .pub"));
    }
    if !is_key(&text) {
        return Err(Failure::usage(format!(
            "{} holds no OpenSSH public key",
            path.display()
        )));
    }
    Ok(text.trim().to_owned())
}

/// The operator's own key: `~/.ssh/id_rsa.pub` as in az, else the other types.
pub(crate) fn own() -> Result<String, Failure> {
    let dir = ssh_dir()?;
    let found = ["id_rsa.pub", "id_ed25519.pub", "id_ecdsa.pub"]
        .iter()
        .map(|name| dir.join(name))
        .find(|path| path.is_file());
    match found {
        Some(path) => read(&path.to_string_lossy()),
        None => {
            Err(Failure::usage(format!("there is no public key in {}", dir.display()))
                .next("name one with --ssh-key-value, or make one with ssh-keygen"))
        }
    }
}

/// `~/.ssh`.
pub(crate) fn ssh_dir() -> Result<PathBuf, Failure> {
    env::var_os("HOME")
        .filter(|home| !home.is_empty())
        .map(|home| Path::new(&home).join(".ssh"))
        .ok_or_else(|| {
            Failure::usage("HOME is not set").next("name the key with its path")
        })
}

/// One line: a type that OpenSSH knows, then base64.
fn is_key(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let known = kind.starts_with("ssh-")
        || kind.starts_with("ecdsa-sha2-")
        || kind.starts_with("sk-");
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    known
        && text.trim().lines().count() == 1
        && words
            .next()
            .is_some_and(|blob| blob.starts_with("AAAA") && blob.bytes().all(base64))
}

fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0 me@host";

    #[test]
    fn a_key_is_taken_as_it_is_and_a_file_is_read() {
        assert_eq!(read(KEY).unwrap(), KEY);
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("{KEY}\n")).unwrap();
        assert_eq!(read(&file.path().to_string_lossy()).unwrap(), KEY);
    }

    #[test]
    fn a_private_key_is_never_sent() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n").unwrap();
        let failure = read(&file.path().to_string_lossy()).unwrap_err();
        assert!(failure.chain().contains("private key"));
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn a_missing_file_is_not_sent_as_a_key() {
        assert!(read("/nonexistent/id_rsa.pub").is_err());
        assert!(read("ssh-ed25519").is_err());
    }
}
