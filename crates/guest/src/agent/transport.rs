//! The transport certificate: the agent's own, made at its first start. Names and
//! places are those of Microsoft's agent.

use std::fs;
use std::path::Path;

use super::AgentError;
use crate::envelope::Identity;
use crate::handler::write;

const CERTIFICATE: &str = "TransportCert.pem";
const KEY: &str = "TransportPrivate.pem";

pub(super) fn load_or_make(directory: &Path) -> Result<Identity, AgentError> {
    if let Some(identity) = load(directory) {
        return Ok(identity);
    }
    let identity = Identity::generate("LinuxTransport").map_err(AgentError::Transport)?;
    let certificate = identity.certificate_pem().map_err(AgentError::Transport)?;
    let key = identity.key_pem().map_err(AgentError::Transport)?;
    write(&directory.join(KEY), key.as_bytes())?;
    write(&directory.join(CERTIFICATE), certificate.as_bytes())?;
    Ok(identity)
}

/// A damaged pair is as good as none: the server encrypts to whatever we send.
fn load(directory: &Path) -> Option<Identity> {
    let certificate = fs::read_to_string(directory.join(CERTIFICATE)).ok()?;
    let key = fs::read_to_string(directory.join(KEY)).ok()?;
    Identity::from_pem(&certificate, &key).ok()
}
