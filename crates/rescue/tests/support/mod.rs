//! A real sshd on loopback, and a cloud made of a few documents whose guest is this
//! host's own sh with a root directory of its own.

#![expect(dead_code, reason = "each test file uses the part that it needs")]

pub(crate) mod cloud;
pub(crate) mod sshd;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rescue::{Journal, Request};

/// The account that runs the tests is the account that logs in.
pub(crate) fn me() -> String {
    let output = std::process::Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A login at `port` of this host with the key of `home`.
pub(crate) fn request(home: &Path, port: u16) -> Request {
    Request {
        user: me(),
        host: Some("127.0.0.1".to_owned()),
        port,
        identity: Some(home.join("key")),
        known_hosts: Some(home.join("known_hosts")),
        channel: None,
        platform: None,
        client_address: None,
        connect_timeout: Duration::from_secs(2),
    }
}

/// Removes the journals of repairs at this port from the tester's own state.
pub(crate) struct Forget(pub(crate) u16);

impl Drop for Forget {
    fn drop(&mut self) {
        let state = std::env::var_os("REGAIN_STATE_HOME").map(PathBuf::from);
        let state = state
            .or_else(|| Some(std::env::home_dir()?.join(".local/state/regain")))
            .unwrap_or_default();
        for journal in Journal::list().into_iter().flatten() {
            if journal.target.port == self.0 {
                let file = state.join("undo").join(format!("{}.json", journal.id));
                let _ = std::fs::remove_file(file);
            }
        }
    }
}
