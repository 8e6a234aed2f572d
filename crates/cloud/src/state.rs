//! The state directory: who may use it, its keys, and what clients find there.
//!
//! `lock` keeps a second server out; `root.key` seals the database and signs
//! tokens; `ca.pem` and `credentials.json` are what a client needs; and
//! `server.json` says that the server is there, and is removed when it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Error;
use crate::store::Seal;

/// A locked state directory.
#[derive(Debug)]
pub(crate) struct State {
    path: PathBuf,
    /// Held for the server's life; the kernel lets go of it with the process.
    _lock: File,
}

/// Who may sign in, and to what (`credentials.json`).
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credentials {
    /// The tenant's id.
    pub(crate) tenant: String,
    /// The service principal's id.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: String,
    /// The only subscription.
    pub(crate) subscription: String,
    /// The secret of this host's managed identity.
    #[serde(default)]
    pub(crate) identity_header: String,
}

impl State {
    /// Takes the directory, made if need be.
    pub(crate) fn take(path: &Path) -> Result<Self, Error> {
        let problem = |doing, path: &Path| {
            let path = path.to_owned();
            move |source| Error::State { doing, path, source }
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(problem("make", path))?;
        let path = path.canonicalize().map_err(problem("find", path))?;
        let file = path.join("lock");
        let lock = private(OpenOptions::new().create(true).truncate(false).write(true))
            .open(&file)
            .map_err(problem("open", &file))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { state: path }),
            Err(TryLockError::Error(source)) => {
                Err(Error::State { doing: "lock", path: file, source })
            }
        }
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The seal of this directory; its key is made at first use.
    pub(crate) fn seal(&self) -> Result<Seal, Error> {
        let path = self.path.join("root.key");
        if let Some(key) = self.read("root.key")? {
            let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| {
                Error::Damaged { path, source: "a key has 32 bytes".into() }
            })?;
            return Ok(Seal::new(key));
        }
        let mut key = [0; 32];
        fill(&mut key);
        self.write("root.key", &key)?;
        Ok(Seal::new(key))
    }

    /// The credentials of this directory, made at first use.
    pub(crate) fn credentials(&self) -> Result<Credentials, Error> {
        let path = self.path.join("credentials.json");
        let credentials = match self.read("credentials.json")? {
            Some(text) => {
                let credentials: Credentials = serde_json::from_slice(&text)
                    .map_err(|source| Error::Damaged { path, source: source.into() })?;
                if !credentials.identity_header.is_empty() {
                    return Ok(credentials);
                }
                Credentials { identity_header: new_path_secret(), ..credentials }
            }
            None => Credentials {
                tenant: Uuid::new_v4().to_string(),
                client_id: Uuid::new_v4().to_string(),
                client_secret: new_secret(),
                subscription: Uuid::new_v4().to_string(),
                identity_header: new_path_secret(),
            },
        };
        let text = serde_json::to_vec_pretty(&credentials)
            .expect("strings are always representable in JSON");
        self.write("credentials.json", &text)?;
        Ok(credentials)
    }

    /// Says where the server is.
    pub(crate) fn announce(&self, endpoint: &str) -> Result<(), Error> {
        let text = serde_json::json!({
            "pid": std::process::id(),
            "endpoint": endpoint,
            "startedAt": crate::store::now(),
        });
        self.write("server.json", text.to_string().as_bytes())
    }

    /// Takes back what [`Self::announce`] said.
    pub(crate) fn withdraw(&self) {
        let path = self.path.join("server.json");
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(%error, path = %path.display(), "cannot remove");
        }
    }

    /// The content of a file of this directory, if it is there.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::State { doing: "read", path, source }),
        }
    }

    /// Writes a file of this directory, mode 0600, whole or not at all.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.path.join(name);
        let fresh = self.path.join(format!(".{name}.new"));
        let write = || {
            let mut file =
                private(OpenOptions::new().create(true).truncate(true).write(true))
                    .open(&fresh)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|source| Error::State { doing: "write", path, source })
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// A secret that can stand in a path: routes see paths in lower case.
fn new_path_secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// A secret of 256 bits, in letters, digits, `.` and `_`.
pub(crate) fn new_secret() -> String {
    let mut secret = [0; 32];
    fill(&mut secret);
    let text =
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, secret);
    // A command line would take a dash at the beginning for a flag (`az login -p`).
    text.replace('-', ".")
}

fn fill(bytes: &mut [u8]) {
    rand::fill(bytes).expect("the system's random numbers never fail once it is up");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_is_kept_out_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = State::take(dir.path()).unwrap();
        assert!(matches!(State::take(dir.path()), Err(Error::Locked { .. })));
        drop(first);
        assert!(State::take(dir.path()).is_ok());
    }

    #[test]
    fn credentials_are_made_once_and_readable_by_their_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let state = State::take(dir.path()).unwrap();
        let first = state.credentials().unwrap();
        assert_eq!(state.credentials().unwrap().client_secret, first.client_secret);
        let mode =
            fs::metadata(dir.path().join("credentials.json")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
}
