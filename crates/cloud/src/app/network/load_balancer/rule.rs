//! Probes and rules of a load balancer.

use std::ops::RangeInclusive;

use arm::ResourceId;
use serde_json::{Value, json};

use super::{NAT_RULES, RULES, range};
use crate::app::Problem;
use crate::app::document::{items, reference, text};
use crate::store::Resource;

/// A health probe: Tcp, or Http with a path.
pub(super) fn probe(balancer: &ResourceId, part: &mut Value) -> Result<(), Problem> {
    spelled(part, "protocol", &["Tcp", "Http", "Https"])?;
    port(balancer, part, "port", 1)?;
    let properties = &mut part["properties"];
    for (field, usual) in
        [("intervalInSeconds", 15), ("numberOfProbes", 2), ("probeThreshold", 1)]
    {
        if !properties[field].is_u64() {
            properties[field] = json!(usual);
        }
    }
    let is_tcp = properties["protocol"] == "Tcp";
    let path = properties["requestPath"].as_str().unwrap_or_default();
    if is_tcp != path.is_empty() {
        return Err(Problem::Invalid {
            code: "InvalidProbeRequestPath",
            message: format!(
                "A probe of {balancer} has a requestPath if, and only if, its protocol is Http or \
                 Https."
            ),
            target: Some("requestPath"),
        });
    }
    Ok(())
}

/// An inbound NAT rule: for one port, or for a range of them and a pool.
pub(super) fn nat_rule(draft: &Resource, part: &mut Value) -> Result<(), Problem> {
    spelled(part, "protocol", &["Tcp", "Udp", "All"])?;
    within(draft, part, "frontendIPConfiguration", true)?;
    within(draft, part, "backendAddressPool", false)?;
    port(&draft.id, part, "backendPort", 1)?;
    let pooled = !part["properties"]["backendAddressPool"].is_null();
    if pooled {
        port(&draft.id, part, "frontendPortRangeStart", 1)?;
        port(&draft.id, part, "frontendPortRangeEnd", 1)?;
        if range(part).is_none_or(|range| range.is_empty()) {
            return Err(invalid_port(
                &draft.id,
                "frontendPortRangeEnd",
                &json!("below the start"),
            ));
        }
    } else {
        port(&draft.id, part, "frontendPort", 1)?;
    }
    defaults(part);
    Ok(())
}

/// A load balancing rule.
pub(super) fn balancing_rule(draft: &Resource, part: &mut Value) -> Result<(), Problem> {
    spelled(part, "protocol", &["Tcp", "Udp", "All"])?;
    within(draft, part, "frontendIPConfiguration", true)?;
    if part["properties"]["backendAddressPool"].is_null() {
        // Newer clients send a list with one pool.
        let first = part["properties"]["backendAddressPools"][0].clone();
        if !first.is_null() {
            part["properties"]["backendAddressPool"] = first;
        }
    }
    within(draft, part, "backendAddressPool", false)?;
    within(draft, part, "probe", false)?;
    if part["properties"]["protocol"] == "All" {
        return Err(Problem::parameter(
            "protocol",
            "This cloud balances single ports of Tcp or Udp; it has no high availability ports.",
        ));
    }
    port(&draft.id, part, "frontendPort", 1)?;
    port(&draft.id, part, "backendPort", 1)?;
    let given = part["properties"]["loadDistribution"].as_str().unwrap_or("Default");
    let known = ["Default", "SourceIP", "SourceIPProtocol"];
    let Some(known) = known.into_iter().find(|one| one.eq_ignore_ascii_case(given))
    else {
        return Err(Problem::parameter(
            "loadDistribution",
            format!("'{given}' is not one of {}.", known.join(", ")),
        ));
    };
    part["properties"]["loadDistribution"] = json!(known);
    if !part["properties"]["disableOutboundSnat"].is_boolean() {
        part["properties"]["disableOutboundSnat"] = json!(false);
    }
    defaults(part);
    if !part["properties"]["backendAddressPool"].is_null() {
        part["properties"]["backendAddressPools"] =
            json!([part["properties"]["backendAddressPool"]]);
    }
    Ok(())
}

fn defaults(part: &mut Value) {
    let properties = &mut part["properties"];
    if !properties["idleTimeoutInMinutes"].is_u64() {
        properties["idleTimeoutInMinutes"] = json!(4);
    }
    for switch in ["enableFloatingIP", "enableTcpReset"] {
        if !properties[switch].is_boolean() {
            properties[switch] = json!(false);
        }
    }
}

/// A word in Azure's spelling, or a refusal that names the choices.
fn spelled(part: &mut Value, field: &'static str, words: &[&str]) -> Result<(), Problem> {
    let given = part["properties"][field].as_str().unwrap_or_default();
    let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(given)) else {
        return Err(Problem::parameter(
            field,
            format!("'{given}' is not one of {}.", words.join(", ")),
        ));
    };
    part["properties"][field] = json!(word);
    Ok(())
}

/// A reference to another part of the same load balancer.
fn within(
    draft: &Resource,
    part: &mut Value,
    field: &'static str,
    needed: bool,
) -> Result<(), Problem> {
    let Some(to) = reference(part, &format!("/properties/{field}/id"))? else {
        if !needed {
            return Ok(());
        }
        let name = text(part, "/name").unwrap_or_default();
        return Err(Problem::parameter(
            field,
            format!("{name} of load balancer {} needs a {field}.", draft.id),
        ));
    };
    let here = to.parent().is_some_and(|parent| parent == draft.id);
    let found = here.then(|| super::part(&draft.document, &to)).flatten();
    let Some(found) = found else {
        return Err(Problem::InvalidReference {
            to: to.to_string(),
            from: draft.id.clone(),
        });
    };
    part["properties"][field] = json!({ "id": found["id"] });
    Ok(())
}

fn port(
    balancer: &ResourceId,
    part: &Value,
    field: &'static str,
    least: u64,
) -> Result<(), Problem> {
    let value = &part["properties"][field];
    match value.as_u64() {
        Some(port) if (least..=65535).contains(&port) => Ok(()),
        _ => Err(invalid_port(balancer, field, value)),
    }
}

fn invalid_port(balancer: &ResourceId, field: &'static str, value: &Value) -> Problem {
    Problem::Invalid {
        code: "InvalidPort",
        message: format!(
            "{field} of a rule of load balancer {balancer} must be a port from 1 to 65535: {value}."
        ),
        target: Some(field),
    }
}

/// No two rules take the same port of a frontend.
pub(super) fn check_ports(draft: &Resource) -> Result<(), Problem> {
    let mut seen: Vec<(String, String, RangeInclusive<u16>, String)> = Vec::new();
    for collection in [NAT_RULES, RULES] {
        for rule in items(&draft.document, &format!("/properties/{collection}")) {
            let field =
                |name: &str| rule["properties"][name].as_u64().unwrap_or_default();
            let one = u16::try_from(field("frontendPort")).unwrap_or_default();
            let ports = range(rule).filter(|_| one == 0).unwrap_or(one..=one);
            let frontend = text(rule, "/properties/frontendIPConfiguration/id")
                .unwrap_or_default()
                .to_ascii_lowercase();
            let protocol =
                text(rule, "/properties/protocol").unwrap_or_default().to_owned();
            let id = text(rule, "/id").unwrap_or_default().to_owned();
            let clash = seen.iter().find(|(frontend2, protocol2, ports2, _)| {
                *frontend2 == frontend
                    && (*protocol2 == protocol || protocol2 == "All" || protocol == "All")
                    && ports2.start() <= ports.end()
                    && ports.start() <= ports2.end()
            });
            if let Some((.., other)) = clash {
                return Err(Problem::Invalid {
                    code: "RulesUseSameFrontendPortProtocolAndFrontendIPConfig",
                    message: format!(
                        "Load balancer rules {other} and {id} use the same frontend port, protocol \
                         and frontend IP configuration."
                    ),
                    target: None,
                });
            }
            seen.push((frontend, protocol, ports, id));
        }
    }
    Ok(())
}
