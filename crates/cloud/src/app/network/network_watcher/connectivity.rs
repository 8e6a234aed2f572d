//! Whether a machine reaches something: what the engine says of the way, and whether
//! connections from the machine's place in the network really come about.
//!
//! The way is a list of hops: the source, the appliances that routes send the packet
//! by, the destination. Each hop has the issues that are found at it. Then connections
//! are opened from the machine's own network namespace, so that they meet the same
//! routes, rules and guests as anything else that the machine sends.

use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use machine::Attempt;
use network::route::{NextHop, Source};
use network::{Access, Direction, Flow, Protocol};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::fabric::blocking;
use super::super::topology::{Scene, private};
use super::diagnostic::name_of;
use super::question::{interfaces, machine};
use crate::app::compute::power;
use crate::app::compute::virtual_machine::machine_id;
use crate::app::document::{items, reference, text};
use crate::app::journal::Job;
use crate::app::work::Work;
use crate::app::{Answer, App, Call, Problem};

/// How many connections are tried.
const PROBES: usize = 10;
/// How long each may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// More appliances in a row are a loop.
const HOPS: usize = 8;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    /// The machine that connects.
    source: arm::ResourceId,
    /// An address or a name, as it was given.
    address: Option<String>,
    /// Or the resource that is to be reached.
    resource: Option<arm::ResourceId>,
    /// The port.
    port: u16,
}

/// `POST …/networkWatchers/{watcher}/connectivityCheck`
pub(crate) async fn post(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let question = read(call.object()?)?;
    let vm = machine(&app, &question.source).await?;
    power::check_running(&app, &vm.id, "Connectivity cannot be checked").await?;
    let job = Job::new(
        "networkWatchers/connectivityCheck",
        &call.id,
        Work::Connect { question },
    );
    Ok(app.submit(job).await?.answered())
}

fn read(body: &Map<String, Value>) -> Result<Question, Problem> {
    let body = Value::Object(body.clone());
    let source = reference(&body, "/source/resourceId")?.ok_or_else(|| {
        Problem::parameter("source.resourceId", "source.resourceId is missing.")
    })?;
    let usual = match text(&body, "/protocol")
        .unwrap_or("Tcp")
        .to_ascii_lowercase()
        .as_str()
    {
        "tcp" => None,
        "http" => Some(80),
        "https" => Some(443),
        other => {
            return Err(Problem::parameter(
                "protocol",
                format!(
                    "This cloud checks Tcp, and the ports of Http and Https; not {other}."
                ),
            ));
        }
    };
    let port = match &body["destination"]["port"] {
        Value::Null => usual,
        given => {
            given.as_u64().and_then(|port| u16::try_from(port).ok()).filter(|p| *p > 0)
        }
    };
    let address = text(&body, "/destination/address").map(str::to_owned);
    let resource = reference(&body, "/destination/resourceId")?;
    if address.is_some() == resource.is_some() {
        return Err(Problem::parameter(
            "destination",
            "Give either destination.address or destination.resourceId.",
        ));
    }
    Ok(Question {
        source,
        address,
        resource,
        port: port.ok_or_else(|| {
            Problem::parameter("destination.port", "A port from 1 to 65535 is needed.")
        })?,
    })
}

/// One hop of the way.
struct Hop {
    kind: &'static str,
    address: Option<IpAddr>,
    resource: Option<String>,
    issues: Vec<Value>,
}

/// Answers the question.
pub(in crate::app) async fn check(
    app: &Arc<App>,
    question: &Question,
) -> Result<Value, Problem> {
    let vm = machine(app, &question.source).await?;
    let nic = interfaces(&vm)?.into_iter().next().ok_or_else(|| {
        Problem::parameter("source.resourceId", format!("{} has no interface.", vm.id))
    })?;
    let nic = app.existing(&nic).await?.document;
    let scene = Scene::around(app, &nic).await?;
    let mut hops = vec![Hop {
        kind: "Source",
        address: primary(&nic).map(IpAddr::V4),
        resource: text(&nic, "/properties/ipConfigurations/0/id").map(str::to_owned),
        issues: Vec::new(),
    }];
    let destination = destination(app, &scene, question).await?;
    let mut latencies = Vec::new();
    let mut sent = PROBES;
    match destination {
        None => {
            // There is no name service in this cloud that would know it.
            hops[0].issues.push(issue("Local", "DnsResolution", Vec::new()));
        }
        Some(address) => {
            follow(&scene, &nic, address, question.port, &mut hops)?;
            let is_clear = hops.iter().all(|hop| hop.issues.is_empty());
            match try_out(app, &machine_id(&vm.document)?, address, question.port).await?
            {
                Some(tried) => {
                    latencies = tried
                        .iter()
                        .filter_map(|one| match one {
                            Attempt::Connected(latency) => Some(*latency),
                            Attempt::Refused | Attempt::Unanswered => None,
                        })
                        .collect();
                    if latencies.is_empty() && is_clear {
                        let refused = tried.contains(&Attempt::Refused);
                        blame_the_end(app, &scene, address, refused, &mut hops).await?;
                    }
                }
                // Machines without packets: what the engine says is all there is.
                None if is_clear => latencies = vec![Duration::ZERO; sent],
                None => {}
            }
        }
    }
    if hops[0].issues.iter().any(|issue| issue["type"] == "DnsResolution") {
        sent = 0;
    }
    Ok(told(&hops, sent, &latencies))
}

/// Where the packets are to go; none if a name leads nowhere.
async fn destination(
    app: &App,
    scene: &Scene,
    question: &Question,
) -> Result<Option<IpAddr>, Problem> {
    let Some(resource) = &question.resource else {
        return Ok(question.address.as_deref().and_then(|text| text.parse().ok()));
    };
    let found = app.existing(resource).await?;
    let nic = if resource.is_type("Microsoft.Network/networkInterfaces") {
        found.document
    } else if resource.is_type("Microsoft.Compute/virtualMachines") {
        match interfaces(&found)?.into_iter().next() {
            Some(nic) => app.existing(&nic).await?.document,
            None => return Ok(None),
        }
    } else {
        return Err(Problem::parameter(
            "destination.resourceId",
            format!("{resource} is neither a virtual machine nor a network interface."),
        ));
    };
    let near = Scene::around(app, &nic).await?;
    if near.key == scene.key {
        return Ok(primary(&nic).map(IpAddr::V4));
    }
    // From another virtual network a machine is reached at its public address.
    let public = near.public(&nic["properties"]["ipConfigurations"][0])?;
    Ok(public.map(IpAddr::V4))
}

/// Follows the way of a packet and notes what stands in it.
fn follow(
    scene: &Scene,
    nic: &Value,
    destination: IpAddr,
    port: u16,
    hops: &mut Vec<Hop>,
) -> Result<(), Problem> {
    let Some(source) = primary(nic) else { return Ok(()) };
    let flow = |direction| Flow {
        direction,
        protocol: Protocol::Tcp,
        source: source.into(),
        source_port: 0,
        destination,
        destination_port: port,
    };
    let mut at = nic;
    loop {
        let last = hops.len() - 1;
        if let Some(rule) = denied(scene, at, &flow(Direction::Outbound))? {
            hops[last].issues.push(by_rule("Outbound", rule));
            break;
        }
        let routes = scene.routes(at)?;
        let route = routes.next_hop(destination);
        match route.map(|route| route.next_hop) {
            Some(NextHop::VirtualAppliance(IpAddr::V4(appliance))) => {
                let there = interface_at(scene, appliance);
                let forwards = there
                    .is_some_and(|nic| nic["properties"]["enableIPForwarding"] == true);
                hops.push(Hop {
                    kind: "VirtualAppliance",
                    address: Some(appliance.into()),
                    resource: there.and_then(configuration_id),
                    issues: Vec::new(),
                });
                let Some(there) = there.filter(|_| forwards && hops.len() < HOPS) else {
                    let last = hops.len() - 1;
                    hops[last].issues.push(by_route());
                    break;
                };
                if let Some(rule) = denied(scene, there, &flow(Direction::Inbound))? {
                    let last = hops.len() - 1;
                    hops[last].issues.push(by_rule("Inbound", rule));
                    break;
                }
                at = there;
                continue;
            }
            None | Some(NextHop::None | NextHop::VirtualNetworkGateway) => {
                let by_user = route.is_some_and(|route| route.source == Source::User);
                hops[last].issues.push(if by_user {
                    by_route()
                } else {
                    issue("Local", "Unknown", Vec::new())
                });
            }
            _ => {}
        }
        break;
    }
    let there = match destination {
        IpAddr::V4(address) => interface_at(scene, address),
        IpAddr::V6(_) => None,
    };
    let mut end = Hop {
        kind: if there.is_some() { "VnetLocal" } else { "Internet" },
        address: Some(destination),
        resource: there.and_then(configuration_id),
        issues: Vec::new(),
    };
    if let Some(there) = there
        && let Some(rule) = denied(scene, there, &flow(Direction::Inbound))?
    {
        end.issues.push(by_rule("Inbound", rule));
    }
    hops.push(end);
    Ok(())
}

/// The rule that denies a flow at an interface.
fn denied(scene: &Scene, nic: &Value, flow: &Flow) -> Result<Option<String>, Problem> {
    let nsgs = scene.enforced(nic)?;
    let nsgs: Vec<_> = nsgs.iter().map(|(attachment, nsg)| (*attachment, nsg)).collect();
    let decision = network::decide(&nsgs, flow, &scene.tags);
    let rule = decision.deciding().map(|decided| name_of(decided.rule));
    Ok(rule.filter(|_| decision.access == Access::Deny))
}

/// Opens connections from the machine's own place; none where machines have none.
async fn try_out(
    app: &App,
    machine: &machine::MachineId,
    address: IpAddr,
    port: u16,
) -> Result<Option<Vec<Attempt>>, Problem> {
    let Some(fabric) = app.cable.fabric() else { return Ok(None) };
    // Loopback would be the machine itself, and nothing here speaks IPv6.
    let IpAddr::V4(address) = address else { return Ok(Some(Vec::new())) };
    if address.is_loopback() {
        return Ok(Some(Vec::new()));
    }
    let machine = machine.clone();
    let target = SocketAddrV4::new(address, port);
    blocking("connect from the virtual machine", move || {
        fabric.connect(&machine, target, PROBES, PATIENCE).map(Some)
    })
    .await
}

/// Why nothing was reached although nothing in the network forbids it.
async fn blame_the_end(
    app: &App,
    scene: &Scene,
    destination: IpAddr,
    refused: bool,
    hops: &mut [Hop],
) -> Result<(), Problem> {
    let Some(last) = hops.last_mut() else { return Ok(()) };
    if refused {
        let why = "The connection was refused: nothing listens on this port.".to_owned();
        last.issues.push(issue("Inbound", "Unknown", vec![("Reason", why)]));
        return Ok(());
    }
    let there = match destination {
        IpAddr::V4(address) => interface_at(scene, address),
        IpAddr::V6(_) => None,
    };
    let vm = match there {
        Some(nic) => reference(nic, "/properties/virtualMachine/id")?,
        None => None,
    };
    let runs = match &vm {
        Some(vm) => power::of(app, vm).await? == Some(machine::Power::Running),
        None => false,
    };
    last.issues.push(if runs {
        issue("Inbound", "GuestFirewall", Vec::new())
    } else {
        let why = if vm.is_some() {
            "The virtual machine is not running."
        } else {
            "Nothing of this cloud has this address."
        };
        issue("Inbound", "Platform", vec![("Reason", why.to_owned())])
    });
    Ok(())
}

fn told(hops: &[Hop], sent: usize, latencies: &[Duration]) -> Value {
    let ids: Vec<String> = hops.iter().map(|_| Uuid::new_v4().to_string()).collect();
    let shown: Vec<Value> = hops
        .iter()
        .enumerate()
        .map(|(at, hop)| {
            json!({
                "type": hop.kind,
                "id": ids[at],
                "address": hop.address,
                "resourceId": hop.resource,
                "nextHopIds": ids.get(at + 1).into_iter().collect::<Vec<_>>(),
                "previousHopIds": ids[..at].last().into_iter().collect::<Vec<_>>(),
                "issues": hop.issues,
            })
        })
        .collect();
    let status = match latencies.len() {
        0 => "Unreachable",
        some if some < sent => "Degraded",
        _ => "Reachable",
    };
    let whole =
        |latency: &Duration| u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    let sum: u64 = latencies.iter().map(whole).sum();
    let count = u64::try_from(latencies.len()).unwrap_or(u64::MAX);
    json!({
        "hops": shown,
        "connectionStatus": status,
        "avgLatencyInMs": sum.checked_div(count),
        "minLatencyInMs": latencies.iter().map(whole).min(),
        "maxLatencyInMs": latencies.iter().map(whole).max(),
        "probesSent": sent,
        "probesFailed": sent - latencies.len().min(sent),
    })
}

fn issue(origin: &str, kind: &str, context: Vec<(&str, String)>) -> Value {
    let context: Vec<Value> = context
        .into_iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect();
    json!({ "origin": origin, "severity": "Error", "type": kind, "context": context })
}

fn by_rule(origin: &str, rule: String) -> Value {
    issue(origin, "NetworkSecurityRule", vec![("RuleName", rule)])
}

fn by_route() -> Value {
    issue("Local", "UserDefinedRoute", vec![("RouteType", "User".to_owned())])
}

fn primary(nic: &Value) -> Option<Ipv4Addr> {
    private(nic.pointer("/properties/ipConfigurations/0")?)
}

/// The interface of the virtual network that has an address.
fn interface_at(scene: &Scene, address: Ipv4Addr) -> Option<&Value> {
    scene.nics().find(|nic| {
        items(nic, "/properties/ipConfigurations")
            .any(|one| private(one) == Some(address))
    })
}

fn configuration_id(nic: &Value) -> Option<String> {
    text(nic, "/properties/ipConfigurations/0/id").map(str::to_owned)
}
