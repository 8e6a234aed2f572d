//! What a collection or a repair is about.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::channel::{Channel, ChannelError, Guest};
use crate::platform::{ClientAddress, Platform};

/// Said where there is no platform to ask.
const NO_PLATFORM: &str =
    "no cloud is known that has this VM; sign in or set REGAIN_ENDPOINT";

/// Said where there is no way into the guest.
const NO_CHANNEL: &str = "there is no way into the guest but the login itself: no cloud \
                          is known that has this VM, and no --through was said";

/// One account on one VM, and the ways to it.
///
/// `host` or `platform` must be there; with both, the way in goes to `host` and
/// everything else to the platform's VM.
#[derive(Debug, Clone)]
pub struct Request {
    /// The login name.
    pub user: String,
    /// Name, address or alias of ssh's configuration. None for the VM's public
    /// address.
    pub host: Option<String>,
    /// The SSH port. 22 means that ssh's configuration may say otherwise.
    pub port: u16,
    /// The private key that the operator names (`-i`).
    pub identity: Option<PathBuf>,
    /// The operator's known hosts, if they are not where ssh looks for them.
    pub known_hosts: Option<PathBuf>,
    /// The way into the guest beside the login.
    pub channel: Option<Arc<dyn Channel>>,
    /// What the VM runs on.
    pub platform: Option<Arc<dyn Platform>>,
    /// The client's address as the VM's network sees it, where the operator says it.
    pub client_address: Option<ClientAddress>,
    /// How long one connect may take.
    pub connect_timeout: Duration,
}

impl Request {
    /// What the VM runs on, or why nobody can be asked.
    pub(crate) fn platform(&self) -> Result<&dyn Platform, &'static str> {
        self.platform.as_deref().ok_or(NO_PLATFORM)
    }

    /// The guest.
    pub(crate) fn guest(&self) -> Result<Guest<'_>, ChannelError> {
        let channel = self.channel.as_deref();
        channel.map(Guest::behind).ok_or(ChannelError::Unavailable(NO_CHANNEL))
    }

    /// The client's address, if it is known.
    pub(crate) fn client_address(&self) -> Option<IpAddr> {
        self.client_address.as_ref().map(|client| client.address)
    }
}
