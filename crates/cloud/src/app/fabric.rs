//! From documents to packets: the [topology](super::topology), applied after every
//! change.
//!
//! Whoever changed a document asks for a refresh and waits for it. One task does
//! them, one at a time; requests that come meanwhile are answered together by the
//! next one, so that a template with ten resources does not apply ten times. The
//! whole topology is read from the documents each time: there is no state to lose.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::Weak;

use ipnet::Ipv4Net;
use machine::Fabric;
use tokio::sync::{mpsc, oneshot};

use super::topology::topology;
use super::{App, Problem};

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

/// The one who applies topologies.
#[derive(Debug)]
pub(crate) struct Cable {
    requests: mpsc::UnboundedSender<oneshot::Sender<Result<(), Problem>>>,
    range: Ipv4Net,
    client: Option<Ipv4Addr>,
}

impl Cable {
    /// The range that public addresses are taken from.
    pub(crate) fn range(&self) -> Ipv4Net {
        self.range
    }

    /// The address from which machines see this host's programs come; none where
    /// there is no network.
    pub(crate) fn client(&self) -> Option<Ipv4Addr> {
        self.client
    }
}

/// The task behind a [`Cable`], to be started when the app is there.
pub(crate) struct Splicer {
    requests: mpsc::UnboundedReceiver<oneshot::Sender<Result<(), Problem>>>,
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
    let client = fabric.as_ref().map(Fabric::client_address);
    let cable = Cable { requests: sender, range, client };
    (cable, Splicer { requests, fabric, opened, open: HashMap::new() })
}

impl App {
    /// Makes packets follow what the documents say now.
    pub(crate) async fn refresh_fabric(&self) -> Result<(), Problem> {
        let stopping = || Problem::Internal {
            doing: "apply the network",
            why: "the server is stopping".to_owned(),
        };
        let (done, wait) = oneshot::channel();
        self.cable.requests.send(done).map_err(|_| stopping())?;
        wait.await.map_err(|_| stopping())?
    }
}

impl Splicer {
    /// Applies topologies until the app is gone.
    pub(crate) async fn run(mut self, app: Weak<App>) {
        while let Some(first) = self.requests.recv().await {
            let mut waiting = vec![first];
            while let Ok(next) = self.requests.try_recv() {
                waiting.push(next);
            }
            let Some(app) = app.upgrade() else { return };
            let outcome = self.apply(&app).await;
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

    async fn apply(&mut self, app: &App) -> Result<(), Problem> {
        let Some(fabric) = self.fabric.clone() else { return Ok(()) };
        let topology = topology(app).await?;
        let names: Vec<String> =
            topology.vnets.iter().map(|vnet| vnet.name.clone()).collect();
        self.open.retain(|name, _| names.contains(name));
        let applying = fabric.clone();
        blocking("apply the network", move || applying.apply(&topology)).await?;
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
