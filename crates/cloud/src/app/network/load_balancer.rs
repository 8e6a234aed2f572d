//! Load balancers: what each part of their document must be. Parts refer to each
//! other by id; interfaces refer to pools and NAT rules, and show in both.
//!
//! Frontends and rules have files of their own, as have the ports that the members of
//! a pool get from a NAT rule's range.

mod frontend;
mod nat_ports;
mod rule;

use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Value, json};

use super::usage::in_use;
use crate::app::child::{child_of, parent_of};
use crate::app::document::is_named;
use crate::app::document::{drop_property, items, reference, text};
use crate::app::{Answer, App, Call, Problem, document};
use crate::store::{Resource, key_of};

pub(super) use nat_ports::{PORTS, allot_to, ports_of, range};

/// The full type in lower case.
pub(super) const KIND: &str = "microsoft.network/loadbalancers";
pub(super) const FRONTENDS: &str = "frontendIPConfigurations";
pub(super) const POOLS: &str = "backendAddressPools";
pub(super) const NAT_RULES: &str = "inboundNatRules";
pub(super) const RULES: &str = "loadBalancingRules";
pub(super) const PROBES: &str = "probes";
pub(super) const OUTBOUND: &str = "outboundRules";

/// Every collection, and what Azure derives in its parts.
const PARTS: [(&str, &[&str]); 6] = [
    (
        FRONTENDS,
        &["inboundNatRules", "inboundNatPools", "loadBalancingRules", "outboundRules"],
    ),
    (
        POOLS,
        &[
            "backendIPConfigurations",
            "loadBalancerBackendAddresses",
            "loadBalancingRules",
            "inboundNatRules",
            "outboundRule",
            "outboundRules",
        ],
    ),
    (PROBES, &["loadBalancingRules"]),
    (NAT_RULES, &["backendIPConfiguration"]),
    (RULES, &[]),
    (OUTBOUND, &[]),
];

/// A load balancer all of whose parts fit together, and from which nothing has gone
/// that interfaces refer to.
pub(super) async fn judge(
    app: &App,
    before: Option<&Resource>,
    draft: &mut Resource,
) -> Result<(), Problem> {
    sku(before, draft)?;
    for (collection, derived) in PARTS {
        let parts = normal(draft, collection, derived)?;
        draft.document["properties"][collection] = Value::Array(parts);
    }
    drop_property(&mut draft.document, "inboundNatPools");
    frontend::judge(app, before, draft).await?;
    for collection in [PROBES, NAT_RULES, RULES] {
        let mut parts = taken_out(draft, collection);
        for part in &mut parts {
            match collection {
                PROBES => rule::probe(&draft.id, part)?,
                NAT_RULES => rule::nat_rule(draft, part)?,
                _ => rule::balancing_rule(draft, part)?,
            }
        }
        draft.document["properties"][collection] = Value::Array(parts);
    }
    rule::check_ports(draft)?;
    if let Some(before) = before {
        check_departures(app, before, draft).await?;
        draft.document[PORTS] = before.document[PORTS].clone();
    }
    nat_ports::allot_all(app, draft).await
}

/// Adds the back references, and hides what is the platform's own.
pub(super) async fn dress(
    app: &App,
    id: &ResourceId,
    document: &mut Value,
) -> Result<(), Problem> {
    if let Some(fields) = document.as_object_mut() {
        fields.remove(PORTS);
    }
    // Rules show in the parts that they name.
    let mut shows: Vec<(String, &str, Value)> = Vec::new();
    for (collection, pointers) in [
        (NAT_RULES, ["frontendIPConfiguration", "backendAddressPool", ""]),
        (RULES, ["frontendIPConfiguration", "backendAddressPool", "probe"]),
        (OUTBOUND, ["", "backendAddressPool", ""]),
    ] {
        for rule in items(document, &format!("/properties/{collection}")) {
            for pointer in pointers {
                let Some(part) = text(rule, &format!("/properties/{pointer}/id")) else {
                    continue;
                };
                shows.push((
                    part.to_ascii_lowercase(),
                    collection,
                    json!({ "id": rule["id"] }),
                ));
            }
        }
    }
    for link in app.store.links_to(id).await? {
        let by = json!({ "id": link.holder });
        shows.push((link.target, "backendIPConfigurations", by));
    }
    for (collection, _) in PARTS {
        let Some(parts) = document["properties"][collection].as_array_mut() else {
            continue;
        };
        for part in parts {
            let key = text(part, "/id").unwrap_or_default().to_ascii_lowercase();
            for (_, field, by) in shows.iter().filter(|(target, ..)| *target == key) {
                if collection == NAT_RULES {
                    part["properties"]["backendIPConfiguration"] = by.clone();
                    continue;
                }
                let list = &mut part["properties"][*field];
                match list.as_array_mut() {
                    Some(list) => list.push(by.clone()),
                    None => *list = json!([by]),
                }
            }
        }
    }
    Ok(())
}

/// `POST …/backendAddressPools/{pool}/queryInboundNatRulePortMapping`: the frontend
/// ports that lead to one member.
pub(crate) async fn ports(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let body = Value::Object(call.object()?.clone());
    let pool = &call.id;
    let balancer = app.existing(&parent_of(pool)?).await?;
    if part(&balancer.document, pool).is_none() {
        return Err(Problem::ResourceNotFound { id: pool.clone() });
    }
    let member = match reference(&body, "/ipConfiguration/id")? {
        Some(id) => Some(key_of(&id)),
        None => {
            let wanted = text(&body, "/ipAddress").ok_or_else(|| {
                Problem::parameter("ipAddress", "Give ipConfiguration.id or ipAddress.")
            })?;
            member_at(&app, pool, wanted).await?
        }
    };
    let mut found = Vec::new();
    for rule in items(&balancer.document, &format!("/properties/{NAT_RULES}")) {
        let of_pool = reference(rule, "/properties/backendAddressPool/id")?;
        if of_pool.as_ref() != Some(pool) {
            continue;
        }
        let name = text(rule, "/name").unwrap_or_default();
        let ports = ports_of(&balancer.document, name);
        if let Some(port) = member.as_ref().and_then(|member| ports.get(member)) {
            found.push(json!({
                "inboundNatRuleName": name,
                "protocol": rule["properties"]["protocol"],
                "frontendPort": port,
                "backendPort": rule["properties"]["backendPort"],
            }));
        }
    }
    Ok(Answer::Found(json!({ "inboundNatRulePortMappings": found })))
}

/// The member of a pool with this private address.
async fn member_at(
    app: &App,
    pool: &ResourceId,
    address: &str,
) -> Result<Option<String>, Problem> {
    for link in app.store.links_to(pool).await? {
        let nic = app.existing(&link.source).await?;
        let here = items(&nic.document, "/properties/ipConfigurations")
            .find(|one| text(one, "/id").is_some_and(|id| id == link.holder.as_str()));
        if here.and_then(|one| text(one, "/properties/privateIPAddress")) == Some(address)
        {
            return Ok(Some(key_of(&link.holder)));
        }
    }
    Ok(None)
}

/// `GET …/loadBalancers/{balancer}/networkInterfaces`
pub(crate) async fn interfaces(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let balancer = app.existing(&call.id).await?;
    let links = app.store.links_to(&balancer.id).await?;
    let keys = links.iter().map(|link| key_of(&link.source)).collect();
    let mut all = Vec::new();
    for nic in app.store.get_all(&keys).await? {
        all.push(app.dressed(&nic).await?);
    }
    Ok(Answer::Found(json!({ "value": all })))
}

/// The part of a load balancer's document that an id names.
pub(super) fn part<'a>(balancer: &'a Value, id: &ResourceId) -> Option<&'a Value> {
    let kind = id.resource_type();
    let collection = kind.rsplit('/').next().unwrap_or_default();
    let (collection, _) =
        PARTS.iter().find(|(name, _)| name.eq_ignore_ascii_case(collection))?;
    items(balancer, &format!("/properties/{collection}"))
        .find(|part| is_named(part, id.name()))
}

/// Whether a load balancer has probes.
pub(super) fn has_probes(balancer: &Value) -> bool {
    items(balancer, &format!("/properties/{PROBES}")).next().is_some()
}

/// Whether a load balancer is of the SKU that is closed until an NSG opens it.
pub(super) fn is_standard(balancer: &Value) -> bool {
    text(balancer, "/sku/name").is_some_and(|sku| sku.eq_ignore_ascii_case("Standard"))
}

/// Standard unless it says otherwise: Basic was retired, but documents of it exist.
fn sku(before: Option<&Resource>, draft: &mut Resource) -> Result<(), Problem> {
    let name = text(&draft.document, "/sku/name").unwrap_or("Standard");
    let known =
        ["Basic", "Standard"].into_iter().find(|sku| sku.eq_ignore_ascii_case(name));
    let Some(known) = known else {
        return Err(Problem::Invalid {
            code: "UnsupportedSku",
            message: format!(
                "'{name}' is no SKU of a load balancer in this cloud: Basic or Standard."
            ),
            target: Some("sku.name"),
        });
    };
    if let Some(before) = before
        && text(&before.document, "/sku/name") != Some(known)
    {
        return Err(Problem::Invalid {
            code: "LoadBalancerSkuCannotBeUpdated",
            message: format!(
                "The SKU of load balancer {} cannot change after it was created.",
                draft.id
            ),
            target: Some("sku.name"),
        });
    }
    draft.document["sku"] = json!({ "name": known, "tier": "Regional" });
    Ok(())
}

/// The parts of a collection with ids and without what is derived.
fn normal(
    draft: &Resource,
    collection: &'static str,
    derived: &[&str],
) -> Result<Vec<Value>, Problem> {
    let mut parts: Vec<Value> = Vec::new();
    for part in items(&draft.document, &format!("/properties/{collection}")) {
        let name = text(part, "/name").unwrap_or_default();
        document::check_name(name)?;
        if parts.iter().any(|other| is_named(other, name)) {
            return Err(Problem::Invalid {
                code: "InvalidRequestFormat",
                message: format!(
                    "Cannot parse the request: two of {collection} have the name {name}."
                ),
                target: Some(collection),
            });
        }
        let mut given = part["properties"].as_object().cloned().unwrap_or_default();
        given.retain(|field, value| {
            !value.is_null() && !derived.contains(&field.as_str())
        });
        parts.push(child_of(&draft.id, collection, name, given));
    }
    Ok(parts)
}

fn taken_out(draft: &Resource, collection: &str) -> Vec<Value> {
    items(&draft.document, &format!("/properties/{collection}")).cloned().collect()
}

/// Pools and NAT rules that interfaces refer to cannot go.
async fn check_departures(
    app: &App,
    before: &Resource,
    draft: &Resource,
) -> Result<(), Problem> {
    for link in app.store.links_to(&before.id).await? {
        let Ok(target) = ResourceId::parse(&link.target) else { continue };
        if part(&draft.document, &target).is_none() {
            return Err(in_use(&target, &link));
        }
    }
    Ok(())
}
