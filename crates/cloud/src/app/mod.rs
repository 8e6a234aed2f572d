//! What the cloud does, one noun per file, free of HTTP and of SQL: a room for each of
//! Azure's providers ([compute], [network], [resources], and [access] for
//! Microsoft.Authorization), and here what all of them stand on.
//!
//! A noun's functions take a [`Call`] and give an [`Answer`] or a [`Problem`].
//! Reading is direct. Writing goes the same way everywhere: take the resource's
//! [turn](serial), judge the request against the documents, promise the work in
//! the [journal], and let the [work] be done by a task that outlives the request.
//!
//! ```text
//! Call → noun → journal ─┬─ work → noun ─┬─ engine (machines)
//!                        │               ├─ fabric (packets)
//!                        └─ store        └─ agent  (guests)
//! ```

pub(crate) mod access;
pub(crate) mod activity;
mod call;
mod caller;
mod child;
pub(crate) mod compute;
mod document;
mod door;
pub(crate) mod journal;
pub(crate) mod network;
mod odata;
mod page;
mod problem;
pub(crate) mod resources;
mod serial;
pub(crate) mod spelling;
mod work;

use std::sync::Arc;

use machine::Engine;

pub(crate) use access::Access;
pub(crate) use call::{Answer, Call, Page};
pub(crate) use caller::{Caller, Directory};
pub(crate) use compute::agent::{Agent, Agents};
pub(crate) use compute::guest_image::GuestImages;
pub(crate) use door::{Deed, Door, Doors};
pub(crate) use journal::Ticket;
pub(crate) use network::fabric::{Cable, Opened, Service, lay};
pub(crate) use network::probing::probe_backends;
pub(crate) use network::translation::BackendHealth;
pub(crate) use problem::{Kind, Problem};

use crate::store::{Seal, Store, Tenant};
use crate::weather;
use crate::{Limits, Weather};
use compute::{simulated_agent, virtual_machine};
use network::public_ip_address;
use serial::{Serial, Turn};

/// Everything that the nouns share.
pub(crate) struct App {
    /// What survives.
    pub(crate) store: Store,
    /// What runs machines.
    pub(crate) engine: Arc<dyn Engine>,
    /// What they boot from.
    pub(crate) images: GuestImages,
    /// What carries their packets.
    pub(crate) cable: Cable,
    /// Which backends of load balancers are down.
    pub(crate) backend_health: BackendHealth,
    /// Who speaks for their guests.
    pub(crate) agents: Agents,
    /// What can be done to each type of resource.
    pub(crate) doors: Doors,
    /// Whose turn it is.
    pub(crate) serial: Serial,
    /// How long to wait.
    pub(crate) limits: Limits,
    /// Who can ask.
    pub(crate) directory: Directory,
    /// What they may do.
    pub(crate) access: Access,
    /// The application of `credentials.json`.
    pub(crate) founder: String,
    /// The secret of this host's managed identity.
    pub(crate) host_secret: String,
    /// The tenant's id.
    pub(crate) tenant: String,
    /// The subscription's id.
    pub(crate) subscription: String,
    /// This server's address, without a slash at the end.
    pub(crate) endpoint: String,
    /// Signs addresses that need no token.
    pub(crate) seal: Seal,
    /// Whether guests are simulated, because machines are.
    pub(crate) simulated: bool,
    /// The tenant certificate of simulated machines.
    pub(crate) shared_tenant: tokio::sync::OnceCell<Tenant>,
    /// In which ways this cloud behaves as Azure does.
    pub(crate) weather: weather::Kept,
}

/// Brings back what an earlier server left: packets first, then what it promised,
/// then the agents of machines that run.
pub(crate) async fn bring_back(app: &Arc<App>) -> Result<(), Problem> {
    public_ip_address::move_into_range(app).await?;
    if let Err(problem) = app.refresh_fabric().await {
        // The server is of use without packets: it can say what is wrong.
        tracing::error!(error = %problem.to_arm(), "the network is not as it should be");
    }
    if app.simulated {
        let everything = arm::ResourceId::of_subscription(&app.subscription)
            .map_err(|error| Problem::NotFound { message: error.to_string() })?;
        for vm in app.store.list(&everything, virtual_machine::KIND).await? {
            simulated_agent::boot(app, &vm.id).await?;
        }
    }
    app.resume().await
}

/// The lock of all network documents: they refer to each other, and a change to
/// one is judged by the others.
const NETWORK: &str = "network";

impl App {
    /// The weather that there is now.
    pub(crate) fn weather(&self) -> Weather {
        self.weather.now()
    }

    /// What this cloud is called.
    pub(crate) fn cloud_name(&self) -> &'static str {
        if self.weather().hide { "AzureCloud" } else { "regain" }
    }

    /// The turn to write a resource; refused if another writer does not end soon.
    async fn turn(&self, name: &str) -> Result<Turn, Problem> {
        let turn = self.serial.take(name, self.limits.queue).await;
        let last = name.rsplit('/').next().unwrap_or(name);
        turn.ok_or_else(|| {
            // Each provider has its own words for it.
            let (code, what) = if name.contains("/microsoft.compute/") {
                (
                    "Conflict",
                    "The request failed due to conflict with a concurrent request",
                )
            } else {
                (
                    "AnotherOperationInProgress",
                    "Another operation on this or a dependent resource is in progress",
                )
            };
            Problem::Conflict {
                code,
                message: format!(
                    "{what}: '{last}'. Wait until it has ended and try again."
                ),
            }
        })
    }

    /// The turn to write network documents. Each holds it for moments only.
    async fn network_turn(&self) -> Result<Turn, Problem> {
        self.turn(NETWORK).await
    }

    /// Whether `id` is in the subscription that there is.
    pub(crate) fn check_subscription(&self, id: &arm::ResourceId) -> Result<(), Problem> {
        if id.subscription().eq_ignore_ascii_case(&self.subscription) {
            return Ok(());
        }
        Err(Problem::SubscriptionNotFound { subscription: id.subscription().to_owned() })
    }
}
