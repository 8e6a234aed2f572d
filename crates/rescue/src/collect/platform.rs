//! What the platform says: the VM, and what its network does with this client.

use doctor::case::{NetworkPath, Platform, Section};

use super::{Watcher, asked, ended};
use crate::platform::{ClientAddress, Destination, View, Way};
use crate::request::Request;
use crate::ssh::Settings;
use crate::why;

/// The VM as the platform sees it, or why nobody says.
pub(crate) async fn look(request: &Request, watch: Watcher<'_>) -> Section<View> {
    asked(watch, "platform");
    match request.platform() {
        Ok(platform) => match platform.look().await {
            Ok(view) => Section::Collected(view),
            Err(error) => Section::Failed(why::chain(&error)),
        },
        Err(why) => Section::NotTried(why.to_owned()),
    }
}

/// The platform section.
pub(super) fn platform(view: &Section<View>) -> Section<Platform> {
    match view {
        Section::Collected(view) => Section::Collected(view.section.clone()),
        Section::Failed(why) => Section::Failed(why.clone()),
        Section::NotTried(why) => Section::NotTried(why.clone()),
    }
}

/// The network section.
pub(crate) async fn network(
    request: &Request,
    view: &Section<View>,
    way: &Way,
    watch: Watcher<'_>,
) -> Section<NetworkPath> {
    let section = match (view, request.platform()) {
        (Section::Collected(view), Ok(platform)) => {
            asked(watch, "network");
            Section::from(platform.network(view, way).await)
        }
        (Section::Collected(_), Err(why)) => Section::NotTried(why.to_owned()),
        (Section::Failed(why) | Section::NotTried(why), _) => {
            Section::NotTried(why.clone())
        }
    };
    ended(watch, "network", section)
}

/// How this client comes, as far as it is known without asking a name server.
#[derive(Debug, Clone)]
pub(super) struct Approach {
    pub(super) client: Option<ClientAddress>,
    /// Where ssh connects to; none for the VM's own address.
    settings: Option<Settings>,
    port: u16,
}

/// Finds out how this client comes.
pub(super) async fn approach(request: &Request) -> Approach {
    let settings = match &request.host {
        Some(host) => Some(Settings::of(request, host).await),
        None => None,
    };
    let proxied = settings.as_ref().is_some_and(|settings| settings.proxy.is_some());
    let client = client_address(request, proxied).await;
    let port = settings.as_ref().map_or(request.port, |settings| settings.port);
    Approach { client, settings, port }
}

impl Approach {
    /// Where connections come from and where they go.
    pub(super) async fn way(&self) -> Way {
        let to = match &self.settings {
            Some(settings) => destination(settings).await,
            None => Destination::Vm,
        };
        Way { client: self.client.clone(), to, port: self.port }
    }
}

/// Where this client's connections come from and where they go.
pub(crate) async fn way(request: &Request) -> Way {
    approach(request).await.way().await
}

/// The client's address: what the operator says, else what the platform has seen.
/// Through a jump host it is that host's, which nobody knows.
async fn client_address(request: &Request, proxied: bool) -> Option<ClientAddress> {
    match (&request.client_address, &request.platform) {
        (Some(said), _) => Some(said.clone()),
        (None, Some(platform)) if !proxied => platform.client_address().await,
        (None, _) => None,
    }
}

async fn destination(settings: &Settings) -> Destination {
    if let Ok(address) = settings.hostname.parse() {
        return Destination::Addresses(vec![address]);
    }
    if let Some(proxy) = &settings.proxy {
        return Destination::Unknown(format!(
            "ssh goes through {proxy}, and what the name stands for there is not known"
        ));
    }
    let limit = probe::Limits::default().name;
    let name = probe::Names::system().resolve(&settings.hostname, limit).await;
    match name.addresses() {
        [] => Destination::Unknown(format!("{} has no address", settings.hostname)),
        addresses => Destination::Addresses(addresses.to_vec()),
    }
}
