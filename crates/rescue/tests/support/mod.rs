//! A real sshd on loopback, and a cloud made of a few documents whose guest is this
//! host's own sh with a root directory of its own.

#![expect(dead_code, reason = "each test file uses the part that it needs")]

pub(crate) mod cloud;
pub(crate) mod sshd;

use std::path::Path;
use std::time::Duration;

use rescue::Request;

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
        vm: None,
        cloud: None,
        client_address: None,
        connect_timeout: Duration::from_secs(2),
    }
}
