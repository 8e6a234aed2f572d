//! Network Watcher: would this packet pass, and where would it go. The answers come
//! from the engine whose rules the fabric enforces.

use std::net::IpAddr;
use std::sync::Arc;

use arm::ResourceId;
use network::{Access, Direction, Flow, Protocol};
use serde_json::{Map, Value, json};

use super::document::{listed, reference};
use super::{Answer, App, Call, Problem, effective};

/// `GET …/networkWatchers`: there is one wherever somebody looks.
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let vms = app.store.list(&call.id, super::virtual_machine::KIND).await?;
    let mut locations: Vec<String> = vms
        .iter()
        .filter_map(|vm| vm.document["location"].as_str().map(str::to_owned))
        .collect();
    locations.push("local".to_owned());
    locations.sort();
    locations.dedup();
    let watchers = locations
        .iter()
        .map(|location| {
            json!({
                "id": format!(
                    "/subscriptions/{}/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/\
                     networkWatchers/NetworkWatcher_{location}",
                    app.subscription
                ),
                "name": format!("NetworkWatcher_{location}"),
                "type": "Microsoft.Network/networkWatchers",
                "location": location,
                "properties": { "provisioningState": "Succeeded", "runningOperationIds": [] },
            })
        });
    Ok(Answer::Found(listed(watchers)))
}

/// `POST …/networkWatchers/{watcher}/ipFlowVerify`
pub(crate) async fn ip_flow_verify(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let body = call.object()?;
    let nic = interface(&app, body).await?;
    let inbound = word(body, "direction")?.eq_ignore_ascii_case("inbound");
    let local = (address(body, "localIPAddress")?, port(body, "localPort")?);
    let remote = (address(body, "remoteIPAddress")?, port(body, "remotePort")?);
    let (source, destination) = if inbound { (remote, local) } else { (local, remote) };
    let flow = Flow {
        direction: if inbound { Direction::Inbound } else { Direction::Outbound },
        protocol: match word(body, "protocol")?.to_ascii_lowercase().as_str() {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            other => {
                return Err(Problem::parameter(
                    "protocol",
                    format!(
                        "'{other}' is not a protocol that can be verified: TCP or UDP."
                    ),
                ));
            }
        },
        source: source.0,
        source_port: source.1,
        destination: destination.0,
        destination_port: destination.1,
    };
    let (nsgs, tags, _) = app.governing(&nic).await?;
    let nsgs: Vec<_> = nsgs.iter().map(|(attachment, nsg)| (*attachment, nsg)).collect();
    let decision = network::decide(&nsgs, &flow, &tags);
    let rule = decision.deciding().map(|decided| {
        let kind =
            if decided.rule.default { "defaultSecurityRules" } else { "securityRules" };
        format!("{kind}/{}", decided.rule.name)
    });
    Ok(Answer::Found(json!({
        "access": match decision.access {
            Access::Allow => "Allow",
            Access::Deny => "Deny",
        },
        "ruleName": rule,
    })))
}

/// `POST …/networkWatchers/{watcher}/nextHop`
pub(crate) async fn next_hop(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let body = call.object()?;
    let nic = interface(&app, body).await?;
    let routes = effective::routes_of(&app, &nic).await?;
    let destination = address(body, "destinationIPAddress")?;
    let route = routes.next_hop(destination);
    Ok(Answer::Found(json!({
        "nextHopType": route.map_or("None", |route| route.next_hop.kind()),
        "nextHopIpAddress": route.and_then(|route| route.next_hop.address()),
        "routeTableId": route.map(|route| {
            route.table.clone().unwrap_or_else(|| "System Route".to_owned())
        }),
    })))
}

/// The interface that a question is about: the one named, or the machine's.
async fn interface(app: &App, body: &Map<String, Value>) -> Result<Value, Problem> {
    let body = Value::Object(body.clone());
    if let Some(nic) = reference(&body, "/targetNicResourceId")? {
        return Ok(app.existing(&nic).await?.document);
    }
    let missing =
        || Problem::parameter("targetResourceId", "targetResourceId is missing.");
    let vm: ResourceId = reference(&body, "/targetResourceId")?.ok_or_else(missing)?;
    let vm = app.existing(&vm).await?.document;
    let nic = reference(&vm, "/properties/networkProfile/networkInterfaces/0/id")?;
    Ok(app.existing(&nic.ok_or_else(missing)?).await?.document)
}

fn word<'a>(
    body: &'a Map<String, Value>,
    field: &'static str,
) -> Result<&'a str, Problem> {
    body.get(field).and_then(Value::as_str).ok_or_else(|| {
        Problem::parameter(field, format!("Required parameter '{field}' is missing."))
    })
}

fn address(body: &Map<String, Value>, field: &'static str) -> Result<IpAddr, Problem> {
    let text = word(body, field)?;
    text.parse()
        .map_err(|_| Problem::parameter(field, format!("'{text}' is not an IP address.")))
}

/// A port; `*` and absence are the port that no rule singles out.
fn port(body: &Map<String, Value>, field: &'static str) -> Result<u16, Problem> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(0),
        Some(Value::String(text)) if text == "*" => Ok(0),
        Some(value) => value
            .as_u64()
            .or_else(|| value.as_str()?.parse().ok())
            .and_then(|port| u16::try_from(port).ok())
            .ok_or_else(|| Problem::parameter(field, format!("{value} is not a port."))),
    }
}
