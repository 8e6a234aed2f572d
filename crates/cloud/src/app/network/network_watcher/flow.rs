//! Would this packet pass, and where would it go.

use std::net::IpAddr;
use std::sync::Arc;

use network::{Direction, Flow};
use serde_json::{Value, json};

use super::super::topology::{Scene, private};
use super::question::{address, check_allocated, direction, port, protocol, target};
use crate::app::document::items;
use crate::app::{Answer, App, Call, Problem};

/// `POST …/networkWatchers/{watcher}/ipFlowVerify`
pub(crate) async fn verify(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let body = call.object()?;
    let (vm, nic) = target(&app, body).await?;
    check_allocated(&app, &vm).await?;
    let direction = direction(body)?;
    let local = (address(body, "localIPAddress")?, port(body, "localPort")?);
    let remote = (address(body, "remoteIPAddress")?, port(body, "remotePort")?);
    check_own(&nic, local.0, "localIPAddress")?;
    let (source, destination) = match direction {
        Direction::Inbound => (remote, local),
        Direction::Outbound => (local, remote),
    };
    let flow = Flow {
        direction,
        protocol: protocol(body)?,
        source: source.0,
        source_port: source.1,
        destination: destination.0,
        destination_port: destination.1,
    };
    let scene = Scene::around(&app, &nic).await?;
    let nsgs = scene.enforced(&nic)?;
    let nsgs: Vec<_> = nsgs.iter().map(|(attachment, nsg)| (*attachment, nsg)).collect();
    let decision = network::decide(&nsgs, &flow, &scene.tags);
    let rule = decision.deciding().map(|decided| {
        let kind =
            if decided.rule.default { "defaultSecurityRules" } else { "securityRules" };
        format!("{kind}/{}", decided.rule.name)
    });
    Ok(Answer::Found(json!({
        "access": decision.access.to_string(),
        "ruleName": rule,
    })))
}

/// `POST …/networkWatchers/{watcher}/nextHop`
pub(crate) async fn next_hop(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let body = call.object()?;
    let (vm, nic) = target(&app, body).await?;
    check_allocated(&app, &vm).await?;
    let destination = address(body, "destinationIPAddress")?;
    let source = address(body, "sourceIPAddress")?;
    if nic["properties"]["enableIPForwarding"] != true {
        check_own(&nic, source, "sourceIPAddress")?;
    }
    let routes = Scene::around(&app, &nic).await?.routes(&nic)?;
    let route = routes.next_hop(destination);
    let mut told = json!({
        "nextHopType": route.map_or("None", |route| route.next_hop.kind()),
        "routeTableId": route.and_then(|route| route.table.as_deref()).unwrap_or("System Route"),
    });
    if let Some(appliance) = route.and_then(|route| route.next_hop.address()) {
        told["nextHopIpAddress"] = json!(appliance);
    }
    Ok(Answer::Found(told))
}

/// The machine's side of a flow is one of its interface's addresses.
fn check_own(nic: &Value, address: IpAddr, field: &'static str) -> Result<(), Problem> {
    let own: Vec<IpAddr> = items(nic, "/properties/ipConfigurations")
        .filter_map(private)
        .map(IpAddr::V4)
        .collect();
    if own.contains(&address) {
        return Ok(());
    }
    let own = own.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Problem::parameter(
        field,
        format!("{address} is not an address of {}, which has {own}.", nic["id"]),
    ))
}
