//! Fills a case file from every side at once.
//!
//! Three strands run beside each other: the client's own files; the way in and then,
//! if TCP comes up, the greeting together with a real login; the cloud, which says
//! what the platform, the network and the boot log know, and carries the questions
//! into the guest. None of them waits for another unless it needs its answer: the
//! guest is asked only if the VM runs, and a VM without a host name is asked for its
//! public address before anything knocks on it.

mod boot;
mod client;
mod guest;
mod platform;
mod way_in;

pub(crate) use client::client;
pub(crate) use guest::host_public_keys;
pub(crate) use platform::way;

use std::borrow::Cow;
use std::time::Duration;

use doctor::case::{
    BootLog, Case, Client, LoginStage, NetworkPath, Platform, Section, Target,
};
use tokio::sync::oneshot;
use tokio::time::timeout;

use self::boot::boot;
use self::guest::guest;
use self::platform::{Approach, approach, look, network, platform};
use crate::clock::now;
use crate::platform::View;
use crate::request::Request;
use crate::ssh::{HostKeys, Settings};

/// How long a login that works may take to show it, before a guest is asked that
/// answers slowly.
const HEAD_START: Duration = Duration::from_millis(2500);

/// The port that every way uses that says no other.
const SSH: u16 = 22;

/// The progress of one section of the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The section's name in the case file; `guest` stands for all sections
    /// that the guest itself answers.
    pub section: &'static str,
    /// What happened.
    pub state: EventState,
}

/// What happened to a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventState {
    /// It is being asked.
    Asked,
    /// The evidence is there.
    Collected,
    /// It could not be had: why.
    Failed(String),
    /// Nobody asks it: why.
    NotTried(String),
}

/// Who is told how far a collection is.
pub(crate) type Watcher<'a> = &'a (dyn Fn(Event) + Sync);

pub(crate) fn asked(watch: Watcher<'_>, section: &'static str) {
    watch(Event { section, state: EventState::Asked });
}

/// Tells the watcher how a section ended, and hands the section on.
fn ended<T>(watch: Watcher<'_>, section: &'static str, found: Section<T>) -> Section<T> {
    let state = match &found {
        Section::Collected(_) => EventState::Collected,
        Section::Failed(why) => EventState::Failed(why.clone()),
        Section::NotTried(why) => EventState::NotTried(why.clone()),
    };
    watch(Event { section, state });
    found
}

/// Collects all the evidence that can be had about one login. Never fails: what
/// could not be had is in its section, with the reason.
pub async fn collect(request: &Request, watch: &(dyn Fn(Event) + Sync)) -> Case {
    let mut early = None;
    let mut host = request.host.clone();
    let mut request = Cow::Borrowed(request);
    // Where the platform may have to say which address or which port it is, it is asked
    // first.
    if host.is_none() || (request.port != SSH && request.platform.is_some()) {
        let (view, approach) = tokio::join!(look(&request, watch), approach(&request));
        let path = network(&request, &view, &approach.way().await, watch).await;
        if host.is_none() {
            let reached = reached(&path);
            host = reached.as_ref().map(|(host, _)| host.clone());
            if let Some(port) = reached.and_then(|(_, port)| port) {
                request.to_mut().port = port;
            }
        }
        early = Some((view, approach, path));
    }
    let request = request.as_ref();
    let mut case = Case::new(target(request, host.as_deref()), now());
    let (tell, told) = oneshot::channel();
    let knocking = async {
        let knocked = match &host {
            Some(host) => Some(knock(request, host, watch).await),
            None => None,
        };
        // Whoever waits for it may have gone on without it.
        let _ = tell.send(knocked.as_ref().is_some_and(Knocked::is_in));
        knocked
    };
    let (knocked, cloud) = tokio::join!(knocking, ask_cloud(request, early, told, watch));
    (case.platform, case.network, case.boot) =
        (cloud.platform, cloud.network, cloud.boot);
    cloud.guest.fill(&mut case);
    match knocked {
        Some(knocked) => knocked.into_case(&mut case),
        None => {
            let why = unreached(&case.network);
            case.name = ended(watch, "name", Section::NotTried(why));
        }
    }
    case
}

/// Why there is no address to knock at.
fn unreached(network: &Section<NetworkPath>) -> String {
    let not_known = match network {
        Section::Collected(path) => {
            path.missing.iter().find(|one| one.starts_with("the public address")).cloned()
        }
        Section::Failed(why) | Section::NotTried(why) => {
            Some(format!("the VM's address is not known: {why}"))
        }
    };
    not_known.unwrap_or_else(|| {
        "the VM has no public address: run this inside its network, or name the host by \
         which you come (a Bastion tunnel is `az network bastion tunnel`)"
            .to_owned()
    })
}

/// What comes through the platform and out of the guest.
struct CloudStrand {
    platform: Section<Platform>,
    network: Section<NetworkPath>,
    boot: Section<BootLog>,
    guest: guest::Answers,
}

/// Asks the platform, unless some of it was asked early, and the guest.
async fn ask_cloud(
    request: &Request,
    early: Option<(Section<View>, Approach, Section<NetworkPath>)>,
    works: oneshot::Receiver<bool>,
    watch: Watcher<'_>,
) -> CloudStrand {
    let (view, approach, path) = match early {
        Some((view, approach, path)) => (view, approach, Some(path)),
        None => {
            let (view, approach) = tokio::join!(look(request, watch), approach(request));
            (view, approach, None)
        }
    };
    // Who the client is to the network, it is to the guest.
    let request = &Request { client_address: approach.client.clone(), ..request.clone() };
    let platform = ended(watch, "platform", platform(&view));
    let network = async {
        match path {
            Some(path) => path,
            None => network(request, &view, &approach.way().await, watch).await,
        }
    };
    let inside = async {
        if is_needless(request, works).await {
            let why = "the login works, and asking takes long here";
            let boot = Section::NotTried(why.to_owned());
            return (boot, guest::Answers::none(why));
        }
        tokio::join!(boot(request, &platform, watch), guest(request, &platform, watch))
    };
    let (network, (boot, guest)) = tokio::join!(network, inside);
    CloudStrand { platform, network, boot, guest }
}

/// Whether the guest need not be asked: asking costs time, and the login works. A
/// failure that shows only late is not waited for.
async fn is_needless(request: &Request, works: oneshot::Receiver<bool>) -> bool {
    let slow = request.guest().is_ok_and(|guest| guest.is_slow());
    slow && matches!(timeout(HEAD_START, works).await, Ok(Ok(true)))
}

/// A VM as its platform sees it at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Where it is reached, and by which port if that is not the one that was named.
    pub(crate) reached: Option<(String, Option<u16>)>,
    /// Power, provisioning and agent, in words that change as they do.
    pub(crate) state: String,
}

/// How it is now: one that was deallocated may come back under another address.
pub(crate) async fn standing_now(request: &Request) -> Standing {
    let (view, way) = tokio::join!(look(request, &|_| {}), way(request));
    let state = view.collected().map(|view| {
        let vm = &view.section;
        format!("{:?} {:?} {:?}", vm.power, vm.provisioning, vm.agent)
    });
    let path = network(request, &view, &way, &|_| {}).await;
    Standing { reached: reached(&path), state: state.unwrap_or_default() }
}

/// The client's strand and the way in, without the cloud: enough to know whether the
/// login works.
pub(crate) async fn collect_way_in(
    request: &Request,
    host: &str,
    host_keys: &HostKeys,
) -> Case {
    let settings = Settings::of(request, host).await;
    let mut case = Case::new(target(request, Some(host)), now());
    case.target.port = settings.port;
    let (name, tcp, greeting, login) =
        way_in::way_in(request, &settings, host_keys, &|_| {}).await;
    (case.name, case.tcp, case.greeting, case.login) = (name, tcp, greeting, login);
    case
}

/// What one host and this client say.
struct Knocked {
    port: u16,
    client: Section<Client>,
    way_in: way_in::WayIn,
}

async fn knock(request: &Request, host: &str, watch: Watcher<'_>) -> Knocked {
    let settings = Settings::of(request, host).await;
    let (client, way_in) = tokio::join!(
        client(&settings, watch),
        way_in::way_in(request, &settings, &HostKeys::Known, watch),
    );
    Knocked { port: settings.port, client, way_in }
}

impl Knocked {
    /// Whether the login works.
    fn is_in(&self) -> bool {
        let (.., login) = &self.way_in;
        login.collected().is_some_and(|login| login.stage == LoginStage::LoggedIn)
    }

    fn into_case(self, case: &mut Case) {
        case.target.port = self.port;
        case.client = self.client;
        (case.name, case.tcp, case.greeting, case.login) = self.way_in;
    }
}

/// What a case and a journal say of the target.
pub(crate) fn target(request: &Request, host: Option<&str>) -> Target {
    let platform = request.platform.as_ref();
    let host = host.map(str::to_owned).or_else(|| platform.map(|vm| vm.name()));
    Target {
        user: request.user.clone(),
        host: host.unwrap_or_default(),
        port: request.port,
        resource_id: platform.map(|vm| vm.id()),
        identity: request.identity.as_ref().map(|path| path.display().to_string()),
    }
}

/// Where the VM is reached from outside: its own address, or a load balancer's front
/// and its port.
fn reached(network: &Section<NetworkPath>) -> Option<(String, Option<u16>)> {
    let path = network.collected()?;
    let own = path.public_addresses.first().map(|address| (address.clone(), None));
    let front =
        || path.front.as_ref().map(|front| (front.address.clone(), Some(front.port)));
    own.or_else(front)
}
