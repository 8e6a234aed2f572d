//! What load balancers translate in a virtual network, from their documents and from
//! who is in their pools.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Mutex, PoisonError};

use network::{Affinity, Translation, Via};
use serde_json::Value;

use super::load_balancer::{self, FRONTENDS, NAT_RULES, RULES};
use super::topology::{Scene, private};
use crate::app::Problem;
use crate::app::document::{items, text};

/// Which backends do not answer their probes. It is found out anew by each server.
#[derive(Debug, Default)]
pub(crate) struct BackendHealth(Mutex<BTreeSet<(String, SocketAddrV4)>>);

impl BackendHealth {
    fn is_down(&self, vnet: &str, target: SocketAddrV4) -> bool {
        let down = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        down.contains(&(vnet.to_owned(), target))
    }

    /// Notes what a probe of `target` found; says whether that is news.
    pub(super) fn note(&self, vnet: &str, target: SocketAddrV4, is_up: bool) -> bool {
        let mut down = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = (vnet.to_owned(), target);
        if is_up { down.remove(&entry) } else { down.insert(entry) }
    }
}

/// A backend that is to be probed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Probed {
    /// The port that the probe tries.
    pub(super) target: SocketAddrV4,
    /// How many seconds lie between two tries.
    pub(super) interval: u64,
}

/// Who is behind the load balancers.
#[derive(Default)]
struct Backends<'a> {
    /// The members of a pool: their key and address.
    pools: BTreeMap<String, Vec<(String, Ipv4Addr)>>,
    /// The one behind a NAT rule.
    rules: BTreeMap<String, Ipv4Addr>,
    /// The balancers.
    balancers: Vec<&'a Value>,
}

impl Scene {
    fn backends(&self) -> Backends<'_> {
        let mut backends = Backends {
            balancers: self
                .documents
                .values()
                .filter(|one| one.id.is_type("Microsoft.Network/loadBalancers"))
                .map(|one| &one.document)
                .collect(),
            ..Backends::default()
        };
        for one in self.nics().flat_map(|nic| items(nic, "/properties/ipConfigurations"))
        {
            let Some(address) = private(one) else { continue };
            let member = text(one, "/id").unwrap_or_default().to_ascii_lowercase();
            for pool in items(one, "/properties/loadBalancerBackendAddressPools") {
                let pool = text(pool, "/id").unwrap_or_default().to_ascii_lowercase();
                backends.pools.entry(pool).or_default().push((member.clone(), address));
            }
            for rule in items(one, "/properties/loadBalancerInboundNatRules") {
                let rule = text(rule, "/id").unwrap_or_default().to_ascii_lowercase();
                backends.rules.insert(rule, address);
            }
        }
        backends
    }

    /// Every port of every frontend whose backends are in this virtual network.
    pub(super) fn translations(
        &self,
        health: &BackendHealth,
    ) -> Result<Vec<Translation>, Problem> {
        let backends = self.backends();
        let mut all = Vec::new();
        for balancer in &backends.balancers {
            let frontends = self.frontends(balancer)?;
            let frontend_of = |rule: &Value| {
                let id = text(rule, "/properties/frontendIPConfiguration/id")?;
                frontends.get(&id.to_ascii_lowercase()).copied()
            };
            for rule in items(balancer, &format!("/properties/{NAT_RULES}")) {
                let Some(frontend) = frontend_of(rule) else { continue };
                self.nat_rule(balancer, rule, frontend, &backends, &mut all);
            }
            for rule in items(balancer, &format!("/properties/{RULES}")) {
                let Some(frontend) = frontend_of(rule) else { continue };
                let (Some(port), Some(to)) =
                    (port(rule, "frontendPort"), port(rule, "backendPort"))
                else {
                    continue;
                };
                let probe = probe_of(balancer, rule);
                let targets: Vec<SocketAddrV4> = members(rule, &backends)
                    .filter(|(_, address)| {
                        probe.as_ref().is_none_or(|(port, _)| {
                            let tried = SocketAddrV4::new(*address, *port);
                            !health.is_down(&self.key, tried)
                        })
                    })
                    .map(|(_, address)| SocketAddrV4::new(*address, to))
                    .collect();
                let affinity = match text(rule, "/properties/loadDistribution") {
                    Some("SourceIP" | "SourceIPProtocol") => Affinity::Client,
                    _ => Affinity::FiveTuple,
                };
                for protocol in protocols(rule) {
                    all.push(Translation {
                        via: Via::LoadBalancingRule,
                        rule: text(rule, "/id").unwrap_or_default().to_owned(),
                        frontend,
                        protocol: *protocol,
                        port,
                        targets: targets.clone(),
                        affinity,
                    });
                }
            }
        }
        Ok(all)
    }

    /// Every backend that a probe of a load balancing rule tries.
    pub(super) fn probed(&self) -> BTreeSet<Probed> {
        let backends = self.backends();
        let mut probed = BTreeSet::new();
        for balancer in &backends.balancers {
            for rule in items(balancer, &format!("/properties/{RULES}")) {
                let Some((port, interval)) = probe_of(balancer, rule) else { continue };
                probed.extend(members(rule, &backends).map(|(_, address)| Probed {
                    target: SocketAddrV4::new(*address, port),
                    interval,
                }));
            }
        }
        probed
    }

    fn nat_rule(
        &self,
        balancer: &Value,
        rule: &Value,
        frontend: Ipv4Addr,
        backends: &Backends<'_>,
        all: &mut Vec<Translation>,
    ) {
        let Some(to) = port(rule, "backendPort") else { return };
        let id = text(rule, "/id").unwrap_or_default();
        let mut add = |via, port, targets: Vec<Ipv4Addr>| {
            for protocol in protocols(rule) {
                all.push(Translation {
                    via,
                    rule: id.to_owned(),
                    frontend,
                    protocol: *protocol,
                    port,
                    targets: targets
                        .iter()
                        .map(|address| SocketAddrV4::new(*address, to))
                        .collect(),
                    affinity: Affinity::default(),
                });
            }
        };
        if load_balancer::range(rule).is_some() {
            let name = text(rule, "/name").unwrap_or_default();
            let ports = load_balancer::ports_of(balancer, name);
            for (member, address) in members(rule, backends) {
                if let Some(port) = ports.get(member) {
                    add(Via::InboundNatRange, *port, vec![*address]);
                }
            }
        } else if let Some(port) = port(rule, "frontendPort") {
            let backend = backends.rules.get(&id.to_ascii_lowercase()).copied();
            add(Via::InboundNatRule, port, backend.into_iter().collect());
        }
    }

    /// The addresses of a load balancer's frontends, by key.
    fn frontends(&self, balancer: &Value) -> Result<BTreeMap<String, Ipv4Addr>, Problem> {
        let here = format!("{}/", self.key);
        let mut found = BTreeMap::new();
        for one in items(balancer, &format!("/properties/{FRONTENDS}")) {
            let inside = text(one, "/properties/subnet/id")
                .is_some_and(|id| id.to_ascii_lowercase().starts_with(&here));
            let address = if inside { private(one) } else { self.public(one)? };
            let key = text(one, "/id").unwrap_or_default().to_ascii_lowercase();
            found.extend(address.map(|address| (key, address)));
        }
        Ok(found)
    }
}

fn members<'a>(
    rule: &Value,
    backends: &'a Backends<'_>,
) -> impl Iterator<Item = &'a (String, Ipv4Addr)> {
    let pool = text(rule, "/properties/backendAddressPool/id").unwrap_or_default();
    backends.pools.get(&pool.to_ascii_lowercase()).into_iter().flatten()
}

/// The port and the interval of a rule's probe. One for Http tries the port only: the
/// answer's status is not asked for.
fn probe_of(balancer: &Value, rule: &Value) -> Option<(u16, u64)> {
    let id = arm::ResourceId::parse(text(rule, "/properties/probe/id")?).ok()?;
    let probe = load_balancer::part(balancer, &id)?;
    let interval = probe["properties"]["intervalInSeconds"].as_u64().unwrap_or(15);
    Some((port(probe, "port")?, interval.max(5)))
}

fn port(part: &Value, field: &str) -> Option<u16> {
    u16::try_from(part["properties"][field].as_u64()?).ok().filter(|port| *port > 0)
}

/// The numbers of a rule's protocols.
fn protocols(rule: &Value) -> &'static [u8] {
    match text(rule, "/properties/protocol") {
        Some("Tcp") => &[6],
        Some("Udp") => &[17],
        _ => &[6, 17],
    }
}
