//! From documents to packets: the [topology](super::topology), applied after every
//! change.
//!
//! Whoever changed a document asks for a refresh of the virtual networks that it has a
//! say in, and waits for it. One task does them, one at a time; requests that come
//! meanwhile are answered together by the next one, so that a template with ten
//! resources does not apply ten times. A virtual network is read from the documents
//! each time, as a whole: there is no state to lose.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::{Mutex, PoisonError, Weak};

use ipnet::Ipv4Net;
use machine::{Fabric, Topology, Vnet};
use tokio::sync::{mpsc, oneshot};

use super::ip_configuration::usable;
use super::topology::{Scene, all_networks, reach};
use crate::app::{App, Problem};
use crate::store::Resource;

/// The two addresses at which the platform answers inside a virtual network.
const WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// What the platform serves inside a virtual network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// The goal state (168.63.129.16:80).
    WireServer,
    /// The host's plugin, which takes the status (168.63.129.16:32526).
    HostPlugin,
    /// The instance metadata (169.254.169.254:80).
    Metadata,
}

impl Service {
    const ALL: [Self; 3] = [Self::WireServer, Self::HostPlugin, Self::Metadata];

    fn address(self) -> SocketAddrV4 {
        match self {
            Self::WireServer => SocketAddrV4::new(WIRE_SERVER, 80),
            Self::HostPlugin => SocketAddrV4::new(WIRE_SERVER, 32526),
            Self::Metadata => SocketAddrV4::new(METADATA, 80),
        }
    }
}

/// A socket that the transport is to serve.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Key of the virtual network: with a peer's address it names a machine.
    pub(crate) vnet: String,
    /// What to serve.
    pub(crate) service: Service,
    /// Where.
    pub(crate) listener: TcpListener,
    /// Until this ends.
    pub(crate) closed: oneshot::Receiver<()>,
}

/// Which virtual networks are to be brought in line with the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// Those with these keys.
    Of(BTreeSet<String>),
    /// All, also if nothing seems to have changed.
    Everything,
}

/// A change, and who waits for it.
type Request = (Change, oneshot::Sender<Result<(), Problem>>);

/// The one who applies topologies.
#[derive(Debug)]
pub(crate) struct Cable {
    requests: mpsc::UnboundedSender<Request>,
    range: Ipv4Net,
    /// The public address that was allotted last.
    allotted: Mutex<Ipv4Addr>,
    fabric: Option<Fabric>,
}

impl Cable {
    /// The range that public addresses are taken from.
    pub(crate) fn range(&self) -> Ipv4Net {
        self.range
    }

    /// The public address that comes next and that nobody has. One that was given up
    /// rests until all others had their turn: whoever still calls it shall not reach
    /// somebody else's machine.
    pub(super) fn allot(&self, taken: &HashSet<Ipv4Addr>) -> Option<Ipv4Addr> {
        let mut last = self.allotted.lock().unwrap_or_else(PoisonError::into_inner);
        let next = next_free(self.range, *last, taken)?;
        *last = next;
        Some(next)
    }

    /// The address from which machines see this host's programs come; none where
    /// there is no network.
    pub(crate) fn client(&self) -> Option<Ipv4Addr> {
        self.fabric.as_ref().map(Fabric::client_address)
    }

    /// What carries packets; none where there is no network.
    pub(super) fn fabric(&self) -> Option<Fabric> {
        self.fabric.clone()
    }
}

/// The task behind a [`Cable`], to be started when the app is there.
pub(crate) struct Splicer {
    requests: mpsc::UnboundedReceiver<Request>,
    fabric: Option<Fabric>,
    opened: mpsc::UnboundedSender<Opened>,
    /// Dropping an entry closes its sockets.
    open: HashMap<String, Vec<oneshot::Sender<()>>>,
}

/// A cable to `fabric`; without one there are no packets to follow the documents.
/// Sockets that are to be served are sent to `opened`.
pub(crate) fn lay(
    fabric: Option<Fabric>,
    opened: mpsc::UnboundedSender<Opened>,
) -> (Cable, Splicer) {
    let (sender, requests) = mpsc::unbounded_channel();
    let range = fabric.as_ref().map_or(
        Ipv4Net::new_assert(Ipv4Addr::new(127, 64, 0, 0), 22),
        Fabric::public_range,
    );
    let allotted = Mutex::new(range.network());
    let cable = Cable { requests: sender, range, allotted, fabric: fabric.clone() };
    (cable, Splicer { requests, fabric, opened, open: HashMap::new() })
}

/// The free address after `last`, or else the first one.
fn next_free(
    range: Ipv4Net,
    last: Ipv4Addr,
    taken: &HashSet<Ipv4Addr>,
) -> Option<Ipv4Addr> {
    let rest = usable(range).filter(|address| *address > last);
    rest.chain(usable(range)).find(|address| !taken.contains(address))
}

impl App {
    /// Makes all packets follow what the documents say now.
    pub(crate) async fn refresh_fabric(&self) -> Result<(), Problem> {
        self.refresh(Change::Everything).await
    }

    /// Makes the packets of the virtual networks with these keys follow.
    pub(crate) async fn refresh_networks(
        &self,
        networks: BTreeSet<String>,
    ) -> Result<(), Problem> {
        if networks.is_empty() {
            return Ok(());
        }
        self.refresh(Change::Of(networks)).await
    }

    /// Makes the packets follow that a document has a say in.
    pub(crate) async fn refresh_around(&self, one: &Resource) -> Result<(), Problem> {
        self.refresh_networks(reach(self, one).await?).await
    }

    async fn refresh(&self, change: Change) -> Result<(), Problem> {
        let stopping = || Problem::Internal {
            doing: "apply the network",
            why: "the server is stopping".to_owned(),
        };
        let (done, wait) = oneshot::channel();
        self.cable.requests.send((change, done)).map_err(|_| stopping())?;
        wait.await.map_err(|_| stopping())?
    }
}

impl Splicer {
    /// Applies topologies until the app is gone.
    pub(crate) async fn run(mut self, app: Weak<App>) {
        while let Some((mut change, first)) = self.requests.recv().await {
            let mut waiting = vec![first];
            while let Ok((more, next)) = self.requests.try_recv() {
                change = change.and(more);
                waiting.push(next);
            }
            let Some(app) = app.upgrade() else { return };
            let outcome = self.apply(&app, change).await;
            if let Err(problem) = &outcome {
                tracing::error!(error = %problem.to_arm(), "the network could not be applied");
            }
            for one in waiting {
                let told = match &outcome {
                    Ok(()) => Ok(()),
                    Err(problem) => Err(Problem::Recorded(problem.to_arm())),
                };
                let _gone = one.send(told);
            }
        }
    }

    async fn apply(&mut self, app: &App, change: Change) -> Result<(), Problem> {
        let Some(fabric) = self.fabric.clone() else { return Ok(()) };
        let (vnets, is_all) = read(app, change).await?;
        let names: Vec<String> = vnets.iter().map(|vnet| vnet.name.clone()).collect();
        if is_all {
            self.open.retain(|name, _| names.contains(name));
        }
        let applying = fabric.clone();
        blocking("apply the network", move || match is_all {
            true => applying.apply(&Topology { vnets }),
            false => applying.update(&vnets),
        })
        .await?;
        for name in names {
            if self.open.contains_key(&name) {
                continue;
            }
            let mut closers = Vec::new();
            for service in Service::ALL {
                let fabric = fabric.clone();
                let vnet = name.clone();
                let listener = blocking("listen inside a virtual network", move || {
                    fabric.listen(&vnet, service.address())
                })
                .await?;
                let (close, closed) = oneshot::channel();
                closers.push(close);
                let opened = Opened { vnet: name.clone(), service, listener, closed };
                if self.opened.send(opened).is_err() {
                    return Ok(());
                }
            }
            self.open.insert(name, closers);
        }
        Ok(())
    }
}

impl Change {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Of(mut one), Self::Of(other)) => {
                one.extend(other);
                Self::Of(one)
            }
            _ => Self::Everything,
        }
    }
}

/// Reads the virtual networks that change, and whether these are all that there are.
/// One that is gone can only be taken away by applying all others.
async fn read(app: &App, change: Change) -> Result<(Vec<Vnet>, bool), Problem> {
    if let Change::Of(keys) = &change {
        let mut vnets = Vec::new();
        for key in keys {
            match Scene::of(app, key).await? {
                Some(scene) => vnets.push(scene.vnet(app)?),
                None => break,
            }
        }
        if vnets.len() == keys.len() {
            return Ok((vnets, false));
        }
    }
    let mut vnets = Vec::new();
    for key in all_networks(app).await? {
        if let Some(scene) = Scene::of(app, &key).await? {
            vnets.push(scene.vnet(app)?);
        }
    }
    Ok((vnets, true))
}

/// Runs what blocks on a thread that may.
pub(crate) async fn blocking<T, F>(doing: &'static str, work: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, machine::Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Problem::Internal { doing, why: error.to_string() })?
        .map_err(|error| Problem::Machine { doing, source: error.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_take_turns_from_the_fourth_on() {
        let range: Ipv4Net = "127.64.4.0/29".parse().unwrap();
        let [four, five, six] = [4, 5, 6].map(|last| Ipv4Addr::new(127, 64, 4, last));
        let next = |last, taken: &[Ipv4Addr]| {
            next_free(range, last, &taken.iter().copied().collect())
        };
        assert_eq!(next(range.network(), &[]), Some(four));
        assert_eq!(next(four, &[four]), Some(five));
        assert_eq!(next(five, &[four]), Some(six), "the fifth was given up just now");
        assert_eq!(next(six, &[four]), Some(five));
        assert_eq!(next(six, &[four, five, six]), None);
    }
}
