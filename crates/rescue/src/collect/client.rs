//! The client's own side: ssh, its keys, its agent.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;

use doctor::case::{Client, Identity, Section};
use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use tokio::task::JoinSet;

use crate::collect::{Watcher, asked, ended};
use crate::ssh::{Settings, program};

/// A private key file is a few kilobytes; more is something else.
const KEY_LIMIT: u64 = 64 * 1024;

/// Collects the client's section.
pub(crate) async fn client(settings: &Settings, watch: Watcher<'_>) -> Section<Client> {
    asked(watch, "client");
    let mut looking = JoinSet::new();
    for (at, path) in settings.identities.iter().enumerate() {
        let named = settings.named.as_deref() == Some(path);
        let path = path.clone();
        looking.spawn(async move { (at, identity(&path, named).await) });
    }
    let (version, agent_keys, mut identities) =
        tokio::join!(version(), agent_keys(), looking.join_all());
    identities.sort_by_key(|(at, _)| *at);
    let section = version.map(|ssh_version| Client {
        ssh_version,
        identities: identities.into_iter().map(|(_, identity)| identity).collect(),
        uid: Some(rustix::process::geteuid().as_raw()),
        agent_keys,
    });
    let section = match section {
        Ok(client) => Section::Collected(client),
        Err(error) => Section::Failed(format!("cannot run ssh: {error}")),
    };
    ended(watch, "client", section)
}

/// `ssh -V`, which goes to standard error.
async fn version() -> std::io::Result<String> {
    let output = program("ssh").arg("-V").stdin(Stdio::null()).output().await?;
    Ok(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// How many keys the agent holds; none if no agent answers.
async fn agent_keys() -> Option<u32> {
    std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty())?;
    let output = program("ssh-add").arg("-l").stdin(Stdio::null()).output().await.ok()?;
    match output.status.code() {
        Some(0) => u32::try_from(output.stdout.split(|&b| b == b'\n').count() - 1).ok(),
        // "The agent has no identities."
        Some(1) => Some(0),
        _ => None,
    }
}

async fn identity(path: &Path, named: bool) -> Identity {
    let mut identity = Identity {
        path: path.display().to_string(),
        named,
        exists: false,
        mode: None,
        uid: None,
        public_key: None,
        certificate: false,
        error: None,
    };
    let metadata = match tokio::fs::metadata(path).await {
        Ok(metadata) => metadata,
        Err(error) => {
            let missing = error.kind() == std::io::ErrorKind::NotFound;
            identity.exists = !missing;
            identity.error = Some(error.to_string()).filter(|_| !missing);
            return identity;
        }
    };
    identity.exists = true;
    identity.mode = Some(format!("{:04o}", metadata.mode() & 0o7777));
    identity.uid = Some(metadata.uid());
    let beside = format!("{}-cert.pub", path.display());
    identity.certificate = tokio::fs::metadata(beside).await.is_ok();
    if !metadata.is_file() || metadata.len() > KEY_LIMIT {
        identity.error = Some("it is not a private key file".to_owned());
        return identity;
    }
    match public_half(path).await {
        Ok(key) => identity.public_key = Some(key),
        Err(error) => {
            identity.error = Some(error);
            identity.public_key = public_file(path).await;
        }
    }
    identity
}

/// The public half of a key without a passphrase.
///
/// ssh-keygen gets a copy that is in memory only and belongs to its owner only: of a
/// file that others can read it would say just that, and nothing of whether it is a
/// key. (A pipe will not do, it reads the file twice.)
async fn public_half(path: &Path) -> Result<String, String> {
    let key = tokio::fs::read(path).await.map_err(|error| error.to_string())?;
    let copy = in_memory(&key).map_err(|error| error.to_string())?;
    let place = format!("/proc/{}/fd/{}", std::process::id(), copy.as_raw_fd());
    let output = program("ssh-keygen")
        .args(["-y", "-P", "", "-f", &place])
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| format!("ssh-keygen: {error}"))?;
    if output.status.success() {
        let line = String::from_utf8_lossy(&output.stdout);
        return openssh_line(&line).ok_or_else(|| "ssh-keygen prints no key".to_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(words.trim().replace(&place, &path.display().to_string()))
}

fn in_memory(bytes: &[u8]) -> std::io::Result<File> {
    let mut file = File::from(memfd_create("key", MemfdFlags::CLOEXEC)?);
    fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// The `.pub` file beside an unreadable key.
async fn public_file(path: &Path) -> Option<String> {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    openssh_line(&tokio::fs::read_to_string(name).await.ok()?)
}

/// `type base64`, without options or comment.
fn openssh_line(line: &str) -> Option<String> {
    let mut words = line.split_ascii_whitespace();
    let (kind, key) = (words.next()?, words.next()?);
    Some(format!("{kind} {key}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    async fn make_key(passphrase: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let made = program("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-C", "comment", "-N", passphrase, "-f"])
            .arg(&path)
            .status();
        assert!(made.await.unwrap().success());
        (dir, path)
    }

    #[tokio::test]
    async fn a_key_that_others_can_read_is_still_known_as_a_key() {
        let (_dir, path) = make_key("").await;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let found = identity(&path, true).await;
        assert_eq!(found.mode.as_deref(), Some("0644"));
        assert_eq!(found.error, None);
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        assert_eq!(found.public_key, openssh_line(&public));
        assert!(!found.public_key.unwrap().contains("comment"));
    }

    #[tokio::test]
    async fn a_key_with_a_passphrase_is_known_by_its_public_file() {
        let (_dir, path) = make_key("secret").await;
        let found = identity(&path, false).await;
        assert!(found.error.unwrap().contains("passphrase"));
        assert!(found.public_key.is_some());
    }

    #[tokio::test]
    async fn what_is_no_key_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        assert!(!identity(&path, true).await.exists);
        std::fs::write(&path, "not a key").unwrap();
        let found = identity(&path, true).await;
        assert!(found.exists && found.public_key.is_none());
        assert!(found.error.unwrap().contains(&path.display().to_string()));
        let directory = identity(dir.path(), true).await;
        assert_eq!(directory.error.as_deref(), Some("it is not a private key file"));
    }
}
