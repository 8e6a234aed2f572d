//! What questions to Network Watcher have in common: a machine and its interface, and
//! how their fields are read.

use std::net::IpAddr;

use arm::ResourceId;
use serde_json::{Map, Value};

use super::super::network_document::same;
use crate::app::compute::power;
use crate::app::document::{items, reference};
use crate::app::{App, Problem};
use crate::store::Resource;

/// The machine that a question is about and the interface: the one named, or the
/// machine's first.
pub(super) async fn target(
    app: &App,
    body: &Map<String, Value>,
) -> Result<(Resource, Value), Problem> {
    let body = Value::Object(body.clone());
    let missing =
        || Problem::parameter("targetResourceId", "targetResourceId is missing.");
    let vm = reference(&body, "/targetResourceId")?.ok_or_else(missing)?;
    let vm = machine(app, &vm).await?;
    let all = interfaces(&vm)?;
    let nic = match reference(&body, "/targetNicResourceId")? {
        Some(nic) if all.iter().any(|one| same(one, &nic)) => nic,
        Some(nic) => {
            return Err(Problem::parameter(
                "targetNicResourceId",
                format!("Network interface {nic} is not attached to {}.", vm.id),
            ));
        }
        None => all.into_iter().next().ok_or_else(missing)?,
    };
    let nic = app.existing(&nic).await?.document;
    Ok((vm, nic))
}

/// A virtual machine, by id.
pub(super) async fn machine(app: &App, id: &ResourceId) -> Result<Resource, Problem> {
    if !id.is_type("Microsoft.Compute/virtualMachines") {
        return Err(Problem::parameter(
            "targetResourceId",
            format!("{id} is not a virtual machine."),
        ));
    }
    app.existing(id).await
}

/// A machine's interfaces, the primary one first.
pub(super) fn interfaces(vm: &Resource) -> Result<Vec<ResourceId>, Problem> {
    let mut all = Vec::new();
    for one in items(&vm.document, "/properties/networkProfile/networkInterfaces") {
        let Some(id) = reference(one, "/id")? else { continue };
        match one["properties"]["primary"] == true {
            true => all.insert(0, id),
            false => all.push(id),
        }
    }
    Ok(all)
}

/// Rules and routes are known where a machine has a host.
pub(super) async fn check_allocated(app: &App, vm: &Resource) -> Result<(), Problem> {
    let gone = app.store.guest(&vm.id).await?.is_none_or(|guest| guest.deallocated);
    if !gone || power::of(app, &vm.id).await? == Some(machine::Power::Running) {
        return Ok(());
    }
    Err(Problem::Conflict {
        code: "OperationNotAllowed",
        message: format!(
            "Network Watcher cannot answer while virtual machine {} is deallocated. Start it and \
             try again.",
            vm.id
        ),
    })
}

/// A text that must be there.
pub(super) fn word<'a>(
    body: &'a Map<String, Value>,
    field: &'static str,
) -> Result<&'a str, Problem> {
    body.get(field).and_then(Value::as_str).ok_or_else(|| {
        Problem::parameter(field, format!("Required parameter '{field}' is missing."))
    })
}

/// An IP address that must be there.
pub(super) fn address(
    body: &Map<String, Value>,
    field: &'static str,
) -> Result<IpAddr, Problem> {
    let text = word(body, field)?;
    text.parse()
        .map_err(|_| Problem::parameter(field, format!("'{text}' is not an IP address.")))
}

/// A port; `*` and absence are the port that no rule singles out.
pub(super) fn port(
    body: &Map<String, Value>,
    field: &'static str,
) -> Result<u16, Problem> {
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

/// `Inbound` or `Outbound`.
pub(super) fn direction(
    body: &Map<String, Value>,
) -> Result<network::Direction, Problem> {
    let word = word(body, "direction")?;
    match word.to_ascii_lowercase().as_str() {
        "inbound" => Ok(network::Direction::Inbound),
        "outbound" => Ok(network::Direction::Outbound),
        _ => Err(Problem::parameter(
            "direction",
            format!("'{word}' is not a direction: Inbound or Outbound."),
        )),
    }
}

/// `TCP` or `UDP`.
pub(super) fn protocol(body: &Map<String, Value>) -> Result<network::Protocol, Problem> {
    let word = word(body, "protocol")?;
    match word.to_ascii_lowercase().as_str() {
        "tcp" => Ok(network::Protocol::Tcp),
        "udp" => Ok(network::Protocol::Udp),
        _ => Err(Problem::parameter(
            "protocol",
            format!("'{word}' is not a protocol that can be verified: TCP or UDP."),
        )),
    }
}
