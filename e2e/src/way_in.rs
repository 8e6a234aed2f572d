//! The way in, by real programs and real packets: what a client's word is held
//! against.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Ran;

/// How a TCP connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knock {
    /// Somebody listens.
    Open,
    /// The host says that nobody does.
    Refused,
    /// Nothing comes back.
    Silent,
}

/// Log in with a key and run a command.
pub fn with_key(user: &str, host: &str, port: u16, key: &Path, command: &str) -> Ran {
    let mut ssh = ssh(port);
    ssh.args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i"]).arg(key);
    ssh.arg(format!("{user}@{host}")).arg(command);
    Ran::of(ssh)
}

/// Log in with a password and run a command. `scratch` holds the program that says
/// the password to ssh; the password itself is in neither a file nor an argument.
///
/// # Panics
/// If `scratch` cannot be written.
pub fn with_password(
    user: &str,
    host: &str,
    password: &str,
    scratch: &Path,
    command: &str,
) -> Ran {
    use std::os::unix::fs::PermissionsExt;
    let answer = scratch.join("askpass");
    std::fs::write(&answer, "#!/bin/sh\nprintf '%s\\n' \"$WAY_IN\"\n").expect("a file");
    std::fs::set_permissions(&answer, std::fs::Permissions::from_mode(0o700))
        .expect("a program");
    let mut ssh = ssh(22);
    ssh.args(["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"])
        .args(["-o", "PreferredAuthentications=password"])
        .arg(format!("{user}@{host}"))
        .arg(command)
        .env("SSH_ASKPASS", &answer)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .env("WAY_IN", password);
    Ran::of(ssh)
}

fn ssh(port: u16) -> Command {
    let mut ssh = Command::new("ssh");
    ssh.args(["-F", "none", "-o", "StrictHostKeyChecking=no"])
        .args(["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"])
        .args(["-o", "ConnectTimeout=5", "-p", &port.to_string()])
        .env_remove("SSH_AUTH_SOCK");
    ssh
}

/// Try a TCP connection for at most two seconds.
///
/// # Errors
/// If the host is not an address.
pub fn knock(host: &str, port: u16) -> Result<Knock, String> {
    let address: SocketAddr = format!("{host}:{port}")
        .parse()
        .map_err(|_| format!("'{host}' is no address"))?;
    match TcpStream::connect_timeout(&address, Duration::from_secs(2)) {
        Ok(_) => Ok(Knock::Open),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Ok(Knock::Refused)
        }
        Err(_) => Ok(Knock::Silent),
    }
}
