//! From documents to packets: the topology, applied after every change.
//!
//! Whoever changed a document asks for a refresh and waits for it. One task does
//! them, one at a time; requests that come meanwhile are answered together by the
//! next one, so that a template with ten resources does not apply ten times. The
//! whole topology is read from the documents each time: there is no state to lose.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::{Arc, Weak};

use arm::ResourceId;
use ipnet::{IpNet, Ipv4Net};
use machine::{Fabric, MachineId, Nic, Topology, Vnet};
use network::{Direction, Nsg, Tags};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::document::{items, reference, text};
use super::{App, Problem};
use crate::store::{Resource, key_of};

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

/// A cable to `fabric`; without one, topologies are checked and go nowhere.
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
        let topology = topology(app).await?;
        let Some(fabric) = self.fabric.clone() else { return Ok(()) };
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

/// What the documents say that the network should be.
async fn topology(app: &App) -> Result<Topology, Problem> {
    let everything = ResourceId::of_subscription(&app.subscription).map_err(|error| {
        Problem::Internal { doing: "read the network", why: error.to_string() }
    })?;
    let networks =
        app.store.list(&everything, "microsoft.network/virtualnetworks").await?;
    let nics = app.store.list(&everything, "microsoft.network/networkinterfaces").await?;
    let documents = Documents {
        nsgs: by_key(
            app.store
                .list(&everything, "microsoft.network/networksecuritygroups")
                .await?,
        ),
        addresses: by_key(
            app.store.list(&everything, "microsoft.network/publicipaddresses").await?,
        ),
    };
    let mut vnets: BTreeMap<String, (Resource, Vec<Nic>)> = networks
        .into_iter()
        .map(|network| (key_of(&network.id), (network, Vec::new())))
        .collect();
    for nic in nics {
        let Some(subnet) = reference(
            &nic.document,
            "/properties/ipConfigurations/0/properties/subnet/id",
        )?
        else {
            continue;
        };
        let Some(vnet) = subnet.parent() else { continue };
        let Some((network, nics)) = vnets.get_mut(&key_of(&vnet)) else { continue };
        let machine = match reference(&nic.document, "/properties/virtualMachine/id")? {
            Some(vm) => {
                app.store.guest(&vm).await?.and_then(|guest| guest.machine.parse().ok())
            }
            None => None,
        };
        nics.extend(documents.interface(
            &nic.document,
            &network.document,
            subnet.name(),
            machine,
        )?);
    }
    let vnets = vnets.into_iter().map(|(name, (_, nics))| Vnet { name, nics }).collect();
    Ok(Topology { vnets })
}

/// The documents that interfaces refer to, by key.
struct Documents {
    nsgs: HashMap<String, Value>,
    addresses: HashMap<String, Value>,
}

fn by_key(resources: Vec<Resource>) -> HashMap<String, Value> {
    resources
        .into_iter()
        .map(|resource| (key_of(&resource.id), resource.document))
        .collect()
}

impl Documents {
    /// An interface with its filters; none if it has no address yet.
    fn interface(
        &self,
        nic: &Value,
        network: &Value,
        subnet: &str,
        machine: Option<MachineId>,
    ) -> Result<Option<Nic>, Problem> {
        let address =
            text(nic, "/properties/ipConfigurations/0/properties/privateIPAddress")
                .and_then(|address| address.parse().ok());
        let Some(address) = address else { return Ok(None) };
        let public = reference(
            nic,
            "/properties/ipConfigurations/0/properties/publicIPAddress/id",
        )?
        .and_then(|id| self.addresses.get(&key_of(&id)));
        let on_subnet = items(network, "/properties/subnets")
            .find(|one| {
                text(one, "/name").is_some_and(|name| name.eq_ignore_ascii_case(subnet))
            })
            .map(|subnet| self.nsg(subnet))
            .transpose()?
            .flatten();
        let on_nic = self.nsg(nic)?;
        let mut nsgs: Vec<Nsg> = [on_subnet, on_nic].into_iter().flatten().collect();
        if nsgs.is_empty() && public.is_some_and(is_standard) {
            // A Standard address is closed until an NSG opens it; an NSG without
            // rules of its own says just that.
            nsgs.push(Nsg::new("", [])?);
        }
        let tags = tags_of(network);
        let filters = |direction| {
            nsgs.iter()
                .map(|nsg| network::lower(nsg, direction, &tags))
                .collect::<Vec<_>>()
        };
        let mut outbound = filters(Direction::Outbound);
        // On the way out the interface's own group comes first.
        outbound.reverse();
        Ok(Some(Nic {
            machine,
            address,
            public: public
                .and_then(|document| text(document, "/properties/ipAddress"))
                .and_then(|address| address.parse().ok()),
            inbound: filters(Direction::Inbound),
            outbound,
        }))
    }

    fn nsg(&self, holder: &Value) -> Result<Option<Nsg>, Problem> {
        let Some(id) = reference(holder, "/properties/networkSecurityGroup/id")? else {
            return Ok(None);
        };
        self.nsgs.get(&key_of(&id)).map(Nsg::from_arm).transpose().map_err(Problem::Rule)
    }
}

/// What tags stand for in a virtual network.
pub(crate) fn tags_of(network: &Value) -> Tags {
    let prefixes = items(network, "/properties/addressSpace/addressPrefixes")
        .filter_map(|prefix| prefix.as_str()?.parse::<IpNet>().ok());
    Tags::new(prefixes)
}

fn is_standard(address: &Value) -> bool {
    text(address, "/sku/name").is_some_and(|sku| sku.eq_ignore_ascii_case("Standard"))
}

impl App {
    /// The NSGs that a NIC's traffic meets, the subnet's first, and what tags stand
    /// for there: what the fabric applies, for those who explain it.
    pub(crate) async fn governing(
        self: &Arc<Self>,
        nic: &Value,
    ) -> Result<(Vec<(network::Attachment, Nsg)>, Tags, Value), Problem> {
        let subnet =
            reference(nic, "/properties/ipConfigurations/0/properties/subnet/id")?;
        let vnet = subnet.as_ref().and_then(ResourceId::parent);
        let (Some(subnet), Some(vnet)) = (subnet, vnet) else {
            return Ok((Vec::new(), Tags::new([]), Value::Null));
        };
        let network = self.existing(&vnet).await?.document;
        let holder = items(&network, "/properties/subnets")
            .find(|one| {
                text(one, "/name")
                    .is_some_and(|name| name.eq_ignore_ascii_case(subnet.name()))
            })
            .cloned()
            .unwrap_or_default();
        let mut nsgs = Vec::new();
        for (attachment, holder) in [
            (network::Attachment::Subnet, &holder),
            (network::Attachment::NetworkInterface, nic),
        ] {
            if let Some(id) = reference(holder, "/properties/networkSecurityGroup/id")?
                && let Some(resource) = self.store.get(&id).await?
            {
                nsgs.push((attachment, Nsg::from_arm(&resource.document)?));
            }
        }
        let tags = tags_of(&network);
        Ok((nsgs, tags, network))
    }
}
