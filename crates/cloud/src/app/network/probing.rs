//! Health probes: every backend of a load balancing rule is tried at its probe's
//! interval, from Azure's probe address and through its NSGs. One that does not answer
//! gets no new connections until it answers again.
//!
//! A probe for Http tries the port only: what the page says is not asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Weak;
use std::time::{Duration, Instant};

use arm::ResourceId;

use super::fabric::blocking;
use super::load_balancer;
use super::topology::{Scene, reach};
use super::translation::Probed;
use crate::app::{App, Problem};

/// How often it is looked whether a probe is due.
const TICK: Duration = Duration::from_secs(1);
/// How often load balancers are looked for.
const LOOK: Duration = Duration::from_secs(5);

/// What is probed in which virtual network, and when it was last.
type Rounds = BTreeMap<(String, Probed), Option<Instant>>;

/// Probes until the app is gone.
pub(crate) async fn probe_backends(app: Weak<App>) {
    let mut rounds = Rounds::new();
    let mut looked: Option<Instant> = None;
    loop {
        tokio::time::sleep(TICK).await;
        let Some(app) = app.upgrade() else { return };
        if app.cable.fabric().is_none() {
            return;
        }
        if looked.is_none_or(|at| at.elapsed() >= LOOK) {
            looked = Some(Instant::now());
            match find(&app).await {
                Ok(found) => {
                    rounds = found
                        .into_iter()
                        .map(|one| {
                            let last = rounds.get(&one).copied().flatten();
                            (one, last)
                        })
                        .collect();
                }
                Err(problem) => {
                    tracing::warn!(error = %problem.to_arm(), "cannot look for probes");
                }
            }
        }
        if let Err(problem) = go_round(&app, &mut rounds).await {
            tracing::warn!(error = %problem.to_arm(), "cannot probe backends");
        }
    }
}

/// Everything that is to be probed.
async fn find(app: &App) -> Result<Vec<(String, Probed)>, Problem> {
    let everything = ResourceId::of_subscription(&app.subscription)
        .map_err(|error| Problem::NotFound { message: error.to_string() })?;
    let mut networks = BTreeSet::new();
    for balancer in app.store.list(&everything, load_balancer::KIND).await? {
        if load_balancer::has_probes(&balancer.document) {
            networks.extend(reach(app, &balancer).await?);
        }
    }
    let mut found = Vec::new();
    for network in networks {
        if let Some(scene) = Scene::of(app, &network).await? {
            found.extend(scene.probed().into_iter().map(|one| (network.clone(), one)));
        }
    }
    Ok(found)
}

/// Tries what is due, and lets packets follow what changed.
async fn go_round(app: &App, rounds: &mut Rounds) -> Result<(), Problem> {
    let Some(fabric) = app.cable.fabric() else { return Ok(()) };
    let mut tries = Vec::new();
    for ((network, probed), last) in rounds.iter_mut() {
        let interval = Duration::from_secs(probed.interval);
        if last.is_some_and(|at| at.elapsed() < interval) {
            continue;
        }
        *last = Some(Instant::now());
        let (fabric, network, target) = (fabric.clone(), network.clone(), probed.target);
        tries.push(tokio::spawn(async move {
            let vnet = network.clone();
            let up =
                blocking("probe a backend", move || fabric.probe(&vnet, target)).await;
            (network, target, up)
        }));
    }
    let mut changed = BTreeSet::new();
    for one in tries {
        let Ok((network, target, Ok(is_up))) = one.await else { continue };
        if app.backend_health.note(&network, target, is_up) {
            tracing::info!(%target, is_up, "a backend's health changed");
            changed.insert(network);
        }
    }
    app.refresh_networks(changed).await
}
