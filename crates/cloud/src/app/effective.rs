//! What is in force at an interface: rules of all NSGs, and routes.

use std::sync::Arc;

use network::route::{EffectiveRoute, Route, Routes, Source, State, Surroundings};
use network::{Attachment, Direction, Rule};
use serde_json::{Value, json};

use super::document::{items, reference, text};
use super::virtual_network::subnet;
use super::{Answer, App, Call, Problem, power};
use machine::Power;

/// `POST …/networkInterfaces/{nic}/effectiveNetworkSecurityGroups`
pub(crate) async fn security_groups(
    app: Arc<App>,
    call: Call,
) -> Result<Answer, Problem> {
    let nic = app.existing(&call.id).await?;
    check_in_use(&app, &nic.document).await?;
    let (nsgs, tags, _) = app.governing(&nic.document).await?;
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
                .map(|rule| effective_rule(rule, &tags))
                .collect();
            json!({
                "networkSecurityGroup": { "id": nsg.id },
                "association": association,
                "effectiveSecurityRules": rules,
            })
        })
        .collect::<Vec<_>>();
    Ok(Answer::Found(json!({ "value": shown, "nextLink": null })))
}

/// `POST …/networkInterfaces/{nic}/effectiveRouteTable`
pub(crate) async fn route_table(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let nic = app.existing(&call.id).await?;
    check_in_use(&app, &nic.document).await?;
    let routes = routes_of(&app, &nic.document).await?;
    let shown: Vec<Value> = routes.effective().iter().map(shown_route).collect();
    Ok(Answer::Found(json!({ "value": shown, "nextLink": null })))
}

/// The routes of an interface's subnet.
pub(super) async fn routes_of(app: &Arc<App>, nic: &Value) -> Result<Routes, Problem> {
    let (_, _, network) = app.governing(nic).await?;
    let surroundings = Surroundings {
        address_space: items(&network, "/properties/addressSpace/addressPrefixes")
            .filter_map(|prefix| prefix.as_str()?.parse().ok())
            .collect(),
        ..Surroundings::default()
    };
    let mut routes = surroundings.system_routes();
    let on = reference(nic, "/properties/ipConfigurations/0/properties/subnet/id")?
        .and_then(|id| subnet(&network, &id).cloned());
    let table = match on {
        Some(subnet) => reference(&Value::Object(subnet), "/properties/routeTable/id")?,
        None => None,
    };
    if let Some(table) = table
        && let Some(resource) = app.store.get(&table).await?
    {
        for route in items(&resource.document, "/properties/routes") {
            let name = text(route, "/name").unwrap_or_default();
            let route = Route::from_arm(table.as_str(), name, &route["properties"])
                .map_err(|error| Problem::Internal {
                    doing: "read a route",
                    why: error.to_string(),
                })?;
            routes.push(route);
        }
    }
    Ok(Routes::new(routes))
}

/// A rule as the effective view has it: `*` written out, tags expanded.
fn effective_rule(rule: &Rule, tags: &network::Tags) -> Value {
    let kind = if rule.default { "defaultSecurityRules" } else { "securityRules" };
    let mut shown = rule.to_arm();
    shown["name"] = json!(format!("{kind}/{}", rule.name));
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
    json!({
        "name": route.name,
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
    })
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
