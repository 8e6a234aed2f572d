//! Which rules of which NSGs decide about a whole set of flows, and what each rule
//! has to do with it.

use std::sync::Arc;

use arm::ResourceId;
use network::{Access, Attachment, Comparison, Diagnosis, Ports, Profile, Rule};
use serde_json::{Map, Value, json};

use super::super::effective::effective_rule;
use super::super::network_security_group;
use super::super::topology::{Scene, subnet_of};
use super::question::{
    check_allocated, direction, interfaces, machine, protocol, target, word,
};
use crate::app::document::{reference, text};
use crate::app::{Answer, App, Call, Problem};

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verbosity {
    /// Which rule of each NSG matched.
    Minimum,
    /// And how that rule compares.
    Normal,
    /// And how every rule before it compares.
    Full,
}

/// `POST …/networkWatchers/{watcher}/networkConfigurationDiagnostic`
pub(crate) async fn diagnose(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let body = call.object()?;
    let nic = of_target(&app, body).await?;
    let verbosity = match body.get("verbosityLevel").and_then(Value::as_str) {
        None => Verbosity::Normal,
        Some(level) => match level.to_ascii_lowercase().as_str() {
            "minimum" => Verbosity::Minimum,
            "normal" => Verbosity::Normal,
            "full" => Verbosity::Full,
            _ => {
                return Err(Problem::parameter(
                    "verbosityLevel",
                    format!("'{level}' is not one of Minimum, Normal, Full."),
                ));
            }
        },
    };
    let profiles = match body.get("profiles").and_then(Value::as_array) {
        Some(profiles) if !profiles.is_empty() => profiles,
        _ => {
            return Err(Problem::parameter(
                "profiles",
                "At least one profile is needed.",
            ));
        }
    };
    let scene = Scene::around(&app, &nic).await?;
    let nsgs = scene.enforced(&nic)?;
    let nsgs: Vec<_> = nsgs.iter().map(|(attachment, nsg)| (*attachment, nsg)).collect();
    let subnet = subnet_of(&nic)?;
    let mut results = Vec::new();
    for given in profiles {
        let given = given
            .as_object()
            .ok_or_else(|| Problem::parameter("profiles", "A profile is an object."))?;
        let profile = read(given)?;
        let all = network::diagnose(&nsgs, &profile, &scene.tags);
        let is_denied = |one: &Diagnosis<'_>| {
            one.matched().is_some_and(|rule| rule.access == Access::Deny)
        };
        let access = if all.iter().any(is_denied) { "Deny" } else { "Allow" };
        let evaluated: Vec<Value> = all
            .iter()
            .map(|one| {
                let applied_to = match one.attachment {
                    Attachment::Subnet => json!(subnet),
                    Attachment::NetworkInterface => nic["id"].clone(),
                };
                shown(one, &applied_to, verbosity)
            })
            .collect();
        results.push(json!({
            "profile": given,
            "networkSecurityGroupResult": {
                "securityRuleAccessResult": access,
                "evaluatedNetworkSecurityGroups": evaluated,
            },
        }));
    }
    Ok(Answer::Found(json!({ "results": results })))
}

/// A machine's first interface, or the interface that is named itself.
async fn of_target(app: &App, body: &Map<String, Value>) -> Result<Value, Problem> {
    let named = reference(&Value::Object(body.clone()), "/targetResourceId")?;
    if let Some(nic) =
        named.filter(|id| id.is_type("Microsoft.Network/networkInterfaces"))
    {
        return Ok(app.existing(&nic).await?.document);
    }
    let (vm, nic) = target(app, body).await?;
    check_allocated(app, &vm).await?;
    Ok(nic)
}

fn read(given: &Map<String, Value>) -> Result<Profile, Problem> {
    let side = |field: &'static str| {
        let text = word(given, field)?;
        network::parse_addresses(text).ok_or_else(|| {
            Problem::parameter(
                field,
                format!(
                    "'{text}' is not '*', an IP address, a CIDR block or a service tag."
                ),
            )
        })
    };
    let ports = word(given, "destinationPort")?;
    Ok(Profile {
        direction: direction(given)?,
        protocol: protocol(given)?,
        source: side("source")?,
        destination: side("destination")?,
        destination_ports: Ports::parse(ports).ok_or_else(|| {
            Problem::parameter(
                "destinationPort",
                format!("'{ports}' is not '*', a port or a range of ports."),
            )
        })?,
    })
}

fn shown(one: &Diagnosis<'_>, applied_to: &Value, verbosity: Verbosity) -> Value {
    let matched = one.matched();
    let mut shown = json!({
        "networkSecurityGroupId": one.nsg.id,
        "appliedTo": applied_to,
        "matchedRule": matched.map(|rule| json!({
            "ruleName": name_of(rule),
            "action": rule.access.to_string(),
        })),
    });
    let compared = match verbosity {
        Verbosity::Minimum => return shown,
        Verbosity::Normal => one.compared.last().into_iter().collect::<Vec<_>>(),
        Verbosity::Full => one.compared.iter().collect(),
    };
    shown["rulesEvaluationResult"] =
        compared.into_iter().map(comparison).collect::<Vec<_>>().into();
    shown
}

fn comparison(one: &Comparison<'_>) -> Value {
    json!({
        "name": name_of(one.rule),
        "protocolMatched": one.protocol,
        "sourceMatched": one.source,
        "sourcePortMatched": one.source_port,
        "destinationMatched": one.destination,
        "destinationPortMatched": one.destination_port,
    })
}

/// A rule's name as diagnostics print it.
pub(super) fn name_of(rule: &Rule) -> String {
    let kind = if rule.default { "DefaultRule" } else { "UserRule" };
    format!("{kind}_{}", rule.name)
}

/// `POST …/networkWatchers/{watcher}/securityGroupView`: the rules at each of a
/// machine's interfaces.
pub(crate) async fn view(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let body = Value::Object(call.object()?.clone());
    let vm = reference(&body, "/targetResourceId")?.ok_or_else(|| {
        Problem::parameter("targetResourceId", "targetResourceId is missing.")
    })?;
    let vm = machine(&app, &vm).await?;
    check_allocated(&app, &vm).await?;
    let mut shown = Vec::new();
    for nic in interfaces(&vm)? {
        let nic = app.existing(&nic).await?.document;
        let scene = Scene::around(&app, &nic).await?;
        let nsgs = scene.nsgs(&nic)?;
        let association = |wanted: Attachment, id: Value| {
            let nsg = nsgs.iter().find(|(attachment, _)| *attachment == wanted)?;
            let id_of_nsg = ResourceId::parse(&nsg.1.id).ok()?;
            let rules = &scene.document(&id_of_nsg)?["properties"]["securityRules"];
            Some(json!({ "id": id, "securityRules": rules }))
        };
        let effective: Vec<Value> = nsgs
            .iter()
            .flat_map(|(_, nsg)| {
                [network::Direction::Inbound, network::Direction::Outbound]
                    .into_iter()
                    .flat_map(|direction| nsg.rules(direction))
            })
            .map(|rule| effective_rule(rule, &scene.tags))
            .collect();
        let defaults = nsgs.first().and_then(|(_, nsg)| ResourceId::parse(&nsg.id).ok());
        shown.push(json!({
            "id": text(&nic, "/id"),
            "securityRuleAssociations": {
                "networkInterfaceAssociation":
                    association(Attachment::NetworkInterface, nic["id"].clone()),
                "subnetAssociation":
                    association(Attachment::Subnet, json!(subnet_of(&nic)?)),
                "defaultSecurityRules":
                    defaults.map(|nsg| network_security_group::default_rules(&nsg)),
                "effectiveSecurityRules": effective,
            },
        }));
    }
    Ok(Answer::Found(json!({ "networkInterfaces": shown })))
}
