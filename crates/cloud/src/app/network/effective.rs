//! What is in force at an interface: rules of all NSGs, and routes.

use std::sync::Arc;

use network::route::{EffectiveRoute, Source, State};
use network::{Attachment, Direction, Rule};
use serde_json::{Value, json};

use super::topology::Scene;
use crate::app::compute::power;
use crate::app::document::{reference, text};
use crate::app::{Answer, App, Call, Problem};
use machine::Power;

/// `POST …/networkInterfaces/{nic}/effectiveNetworkSecurityGroups`
pub(crate) async fn security_groups(
    app: Arc<App>,
    call: Call,
) -> Result<Answer, Problem> {
    let nic = app.existing(&call.id).await?;
    check_in_use(&app, &nic.document).await?;
    let scene = Scene::around(&app, &nic.document).await?;
    let nsgs = scene.nsgs(&nic.document)?;
    let subnet =
        text(&nic.document, "/properties/ipConfigurations/0/properties/subnet/id");
    let shown = nsgs
        .iter()
        .map(|(attachment, nsg)| {
            let association = match attachment {
                Attachment::Subnet => json!({ "subnet": { "id": subnet } }),
                Attachment::NetworkInterface => {
                    json!({ "networkInterface": { "id": nic.id } })
                }
            };
            let rules: Vec<Value> = [Direction::Inbound, Direction::Outbound]
                .into_iter()
                .flat_map(|direction| nsg.rules(direction))
                .map(|rule| effective_rule(rule, &scene.tags))
                .collect();
            json!({
                "networkSecurityGroup": { "id": nsg.id },
                "association": association,
                "effectiveSecurityRules": rules,
            })
        })
        .collect::<Vec<_>>();
    Ok(Answer::Found(json!({ "value": shown })))
}

/// `POST …/networkInterfaces/{nic}/effectiveRouteTable`
pub(crate) async fn route_table(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let nic = app.existing(&call.id).await?;
    check_in_use(&app, &nic.document).await?;
    let routes = Scene::around(&app, &nic.document).await?.routes(&nic.document)?;
    let shown: Vec<Value> = routes.effective().iter().map(shown_route).collect();
    Ok(Answer::Found(json!({ "value": shown })))
}

/// A rule as the effective view has it: `*` written out, tags expanded.
pub(super) fn effective_rule(rule: &Rule, tags: &network::Tags) -> Value {
    let kind = if rule.default { "defaultSecurityRules" } else { "securityRules" };
    let mut shown = rule.to_arm();
    shown["name"] = json!(format!("{kind}/{}", rule.name));
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("description");
    }
    if shown["protocol"] == "*" {
        shown["protocol"] = json!("All");
    }
    for (side, endpoint) in [("source", &rule.source), ("destination", &rule.destination)]
    {
        for field in ["PortRange", "AddressPrefix"] {
            let (one, all) =
                (format!("{side}{field}"), format!("{side}{field}{}", plural(field)));
            let text = shown[&one].as_str().map(|text| written_out(field, text));
            if let Some(text) = text {
                shown[&one] = json!(text);
                shown[&all] = json!([text]);
            }
        }
        if let Some(expanded) = endpoint.addresses.resolve(tags)
            && matches!(endpoint.addresses, network::Addresses::Tag(_))
        {
            let expanded: Vec<String> =
                expanded.iter().map(ToString::to_string).collect();
            let (from, to) = side.split_at(1);
            let field = format!("expanded{}{to}AddressPrefix", from.to_ascii_uppercase());
            shown[&field] = json!(expanded);
        }
    }
    shown
}

fn plural(field: &str) -> &'static str {
    if field == "PortRange" { "s" } else { "es" }
}

fn written_out(field: &str, text: &str) -> String {
    match (field, text) {
        ("PortRange", "*") => "0-65535".to_owned(),
        ("PortRange", one) if !one.contains('-') => format!("{one}-{one}"),
        ("AddressPrefix", "*") => "0.0.0.0/0".to_owned(),
        ("AddressPrefix", one) if one.parse::<std::net::Ipv4Addr>().is_ok() => {
            format!("{one}/32")
        }
        (_, other) => other.to_owned(),
    }
}

fn shown_route(effective: &EffectiveRoute) -> Value {
    let route = &effective.route;
    let mut shown = json!({
        "disableBgpRoutePropagation": false,
        "source": match route.source {
            Source::System => "Default",
            Source::Gateway => "VirtualNetworkGateway",
            Source::User => "User",
        },
        "state": match effective.state {
            State::Active => "Active",
            State::Invalid => "Invalid",
        },
        "addressPrefix": [route.prefix.to_string()],
        "nextHopType": route.next_hop.kind(),
        "nextHopIpAddress": route.next_hop.address().into_iter().collect::<Vec<_>>(),
    });
    // Azure's own routes have no name.
    if let Some(name) = &route.name {
        shown["name"] = json!(name);
    }
    shown
}

/// Azure knows what is in force only where a machine runs.
async fn check_in_use(app: &App, nic: &Value) -> Result<(), Problem> {
    let vm = reference(nic, "/properties/virtualMachine/id")?;
    let running = match &vm {
        Some(vm) => power::of(app, vm).await? == Some(Power::Running),
        None => false,
    };
    if running {
        return Ok(());
    }
    Err(Problem::Invalid {
        code: "NetworkInterfaceNotAttachedToRunningVirtualMachine",
        message: format!(
            "Effective rules and routes of {} exist only while it is attached to a running \
             virtual machine. Start it and try again.",
            nic["id"].as_str().unwrap_or_default()
        ),
        target: None,
    })
}
