//! The client's own side: ssh, its keys, its agent.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use doctor::case::{Client, Identity, Section, SectionName};
use rustix::fs::{MemfdFlags, Mode, OFlags, fchmod, memfd_create};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::collect::{Watcher, asked, ended};
use crate::ssh::{Settings, program, run};

/// A private key file is a few kilobytes; more is something else.
const KEY_LIMIT: u64 = 64 * 1024;

/// How long a key file may take to be read: it may lie on a dead file system.
const READ_LIMIT: Duration = Duration::from_secs(5);

/// Collects the client's section.
pub(crate) async fn client(settings: &Settings, watch: Watcher<'_>) -> Section<Client> {
    asked(watch, SectionName::Client.as_str());
    let mut looking = JoinSet::new();
    for (at, path) in settings.identities.iter().enumerate() {
        let named = settings.named.as_deref() == Some(path);
        let path = path.clone();
        looking.spawn(async move { (at, identity(&path, named).await) });
    }
    let (version, agent, mut identities) =
        tokio::join!(version(settings), agent_keys(), looking.join_all());
    identities.sort_by_key(|(at, _)| *at);
    let (agent_keys, agent_error) = match agent {
        Ok(keys) => (keys, None),
        Err(why) => (None, Some(why)),
    };
    let section = Section::from(version.map(|ssh_version| Client {
        ssh_version,
        identities: identities.into_iter().map(|(_, identity)| identity).collect(),
        uid: Some(rustix::process::geteuid().as_raw()),
        agent_keys,
        agent_error,
        settings_error: settings.refused.clone(),
    }));
    ended(watch, SectionName::Client.as_str(), section)
}

/// What ssh has said already, or `ssh -V`, which goes to standard error.
async fn version(settings: &Settings) -> Result<String, String> {
    if let Some(version) = &settings.version {
        return Ok(version.clone());
    }
    let output =
        run(program("ssh").arg("-V")).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// How many keys the agent holds; none if there is no agent.
async fn agent_keys() -> Result<Option<u32>, String> {
    if std::env::var_os("SSH_AUTH_SOCK").is_none_or(|socket| socket.is_empty()) {
        return Ok(None);
    }
    let output =
        run(program("ssh-add").arg("-l")).await.map_err(|error| error.to_string())?;
    let keys = output.stdout.split(|&byte| byte == b'\n').count() - 1;
    match output.status.code() {
        Some(0) => Ok(u32::try_from(keys).ok()),
        // "The agent has no identities."
        Some(1) => Ok(Some(0)),
        _ => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
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
        fingerprint: None,
        certificate: false,
        error: None,
    };
    let metadata = match looked_at(path).await {
        Ok(metadata) => metadata,
        Err(error) => {
            let missing = error.kind() == io::ErrorKind::NotFound;
            identity.exists = !missing;
            identity.error = Some(error.to_string()).filter(|_| !missing);
            return identity;
        }
    };
    identity.exists = true;
    identity.mode = Some(format!("{:04o}", metadata.mode() & 0o7777));
    identity.uid = Some(metadata.uid());
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
    identity.certificate = looked_at(&beside(path, "-cert.pub")).await.is_ok();
    identity.fingerprint = identity.public_key.as_deref().and_then(fingerprint);
    identity
}

/// ssh's name of a public key: `SHA256:` and the hash of its blob.
fn fingerprint(line: &str) -> Option<String> {
    let blob = STANDARD.decode(line.split_ascii_whitespace().nth(1)?).ok()?;
    Some(format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob))))
}

/// Does something with a file, for a while.
async fn bounded<T: Send + 'static>(
    path: &Path,
    what: fn(&Path) -> io::Result<T>,
) -> io::Result<T> {
    let path: PathBuf = path.to_owned();
    let task = tokio::task::spawn_blocking(move || what(&path));
    match timeout(READ_LIMIT, task).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(io::Error::other(error)),
        Err(_elapsed) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn looked_at(path: &Path) -> io::Result<Metadata> {
    bounded(path, |path| path.metadata()).await
}

/// A regular file of a key's size. What stands there may have become a named pipe: it
/// is opened without waiting, and looked at before it is read.
async fn contents(path: &Path) -> io::Result<Vec<u8>> {
    bounded(path, |path| {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        file.take(KEY_LIMIT).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
    .await
}

/// The public half of a key without a passphrase.
///
/// ssh-keygen gets a copy that is in memory only and belongs to its owner only: of a
/// file that others can read it would say just that, and nothing of whether it is a
/// key. (A pipe will not do, it reads the file twice.)
async fn public_half(path: &Path) -> Result<String, String> {
    let key = contents(path).await.map_err(|error| error.to_string())?;
    let copy = in_memory(&key).map_err(|error| error.to_string())?;
    let place = format!("/proc/{}/fd/{}", std::process::id(), copy.as_raw_fd());
    let mut keygen = program("ssh-keygen");
    let output = run(keygen.args(["-y", "-P", "", "-f", &place]))
        .await
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        let line = String::from_utf8_lossy(&output.stdout);
        return openssh_line(&line).ok_or_else(|| "ssh-keygen prints no key".to_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(words.trim().replace(&place, &path.display().to_string()))
}

fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("key", MemfdFlags::CLOEXEC)?);
    fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    file.write_all(bytes)?;
    Ok(file)
}

/// The `.pub` file beside an unreadable key.
async fn public_file(path: &Path) -> Option<String> {
    let text = contents(&beside(path, ".pub")).await.ok()?;
    openssh_line(&String::from_utf8_lossy(&text))
}

/// The file beside a key that ssh finds by the ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
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

    async fn make_key(passphrase: &str) -> (tempfile::TempDir, PathBuf) {
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
        let told = run(program("ssh-keygen").arg("-lf").arg(&path)).await.unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        assert_eq!(found.fingerprint.as_deref(), told.split(' ').nth(1));
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

    #[tokio::test]
    async fn a_pipe_or_a_huge_file_in_place_of_a_key_holds_up_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let fifo = |path: &Path| {
            let made = std::process::Command::new("mkfifo").arg(path).status();
            assert!(made.unwrap().success());
        };
        fifo(&path);
        fifo(&path.with_extension("pub"));
        let found = timeout(Duration::from_secs(3), identity(&path, true)).await.unwrap();
        assert_eq!(found.error.as_deref(), Some("it is not a private key file"));
        assert!(contents(&path).await.is_err());
        std::fs::remove_file(&path).unwrap();
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let found = timeout(Duration::from_secs(3), identity(&path, true)).await.unwrap();
        assert_eq!(found.error.as_deref(), Some("it is not a private key file"));
        // The public half beside a key that is none is a pipe as well.
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "not a key").unwrap();
        let found = timeout(Duration::from_secs(3), identity(&path, true)).await.unwrap();
        assert_eq!(found.public_key, None);
    }
}
