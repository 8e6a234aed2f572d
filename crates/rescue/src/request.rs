//! What a collection or a repair is about.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use arm::ResourceId;

/// One account on one VM, and the ways to it.
///
/// `host` or `vm` must be there; with both, the way in goes to `host` and everything
/// else to `vm`.
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
    /// The VM.
    pub vm: Option<ResourceId>,
    /// The cloud that has it.
    pub cloud: Option<arm::Client>,
    /// The client's address as the VM's network sees it, where the operator knows it
    /// and the cloud does not say.
    pub client_address: Option<IpAddr>,
    /// How long one connect may take.
    pub connect_timeout: Duration,
}

impl Request {
    /// The cloud and the VM, or why one is missing.
    pub(crate) fn cloud(&self) -> Result<(&arm::Client, &ResourceId), &'static str> {
        match (&self.cloud, &self.vm) {
            (Some(cloud), Some(vm)) => Ok((cloud, vm)),
            (None, _) => Err("no cloud is known; sign in or set REGAIN_ENDPOINT"),
            (_, None) => Err("no VM of the cloud is known for this host"),
        }
    }

    /// The client's address as the VM's network sees it.
    pub(crate) fn client_address(&self) -> Option<IpAddr> {
        self.client_address
            .or_else(|| self.cloud.as_ref()?.endpoints().regain.as_ref()?.client_address)
    }
}
