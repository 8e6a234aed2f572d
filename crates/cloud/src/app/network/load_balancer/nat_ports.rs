//! Which member of a pool has which frontend port of a NAT rule's range.
//!
//! It is decided when the member joins, or when the rule is made, and stays as long as
//! the member does. The load balancer's document keeps it under [`PORTS`], which is
//! never shown.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use arm::ResourceId;
use serde_json::{Map, Value, json};

use super::NAT_RULES;
use crate::app::document::{items, reference, text};
use crate::app::{App, Problem};
use crate::store::{Resource, key_of};

/// Where a load balancer's document keeps them, by rule.
pub(in crate::app) const PORTS: &str = "natPorts";

/// Gives the members of all pools their ports.
pub(super) async fn allot_all(app: &App, draft: &mut Resource) -> Result<(), Problem> {
    let mut members = BTreeMap::new();
    for pool in pools_with_ranges(&draft.document) {
        members.insert(key_of(&pool), members_of(app, &pool).await?);
    }
    allot(draft, &members)
}

/// Which member has which frontend port of a NAT rule for a pool.
pub(in crate::app) fn ports_of(balancer: &Value, rule: &str) -> BTreeMap<String, u16> {
    let ports = balancer[PORTS][rule.to_ascii_lowercase()].as_object();
    ports
        .into_iter()
        .flatten()
        .filter_map(|(member, port)| {
            Some((member.clone(), u16::try_from(port.as_u64()?).ok()?))
        })
        .collect()
}

/// Gives an interface that joins pools its ports, and the load balancers that changed
/// by it.
pub(in crate::app) async fn allot_to(
    app: &App,
    nic: &Resource,
) -> Result<Vec<Resource>, Problem> {
    let mut joined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut balancers = BTreeSet::new();
    for configuration in items(&nic.document, "/properties/ipConfigurations") {
        let member = text(configuration, "/id").unwrap_or_default().to_ascii_lowercase();
        for pool in items(configuration, "/properties/loadBalancerBackendAddressPools") {
            let Some(pool) = reference(pool, "/id")? else { continue };
            joined.entry(key_of(&pool)).or_default().push(member.clone());
            balancers.extend(pool.parent());
        }
    }
    let mut changed = Vec::new();
    for balancer in balancers {
        let before = app.existing(&balancer).await?;
        let mut after = before.clone();
        let mut members = BTreeMap::new();
        for pool in pools_with_ranges(&before.document) {
            let mut all = members_of(app, &pool).await?;
            all.retain(|member| !member.starts_with(&format!("{}/", key_of(&nic.id))));
            all.extend(joined.get(&key_of(&pool)).into_iter().flatten().cloned());
            members.insert(key_of(&pool), all);
        }
        allot(&mut after, &members)?;
        if after.document != before.document {
            changed.push(after);
        }
    }
    Ok(changed)
}

/// The IP configurations in a pool, by key.
async fn members_of(app: &App, pool: &ResourceId) -> Result<Vec<String>, Problem> {
    let links = app.store.links_to(pool).await?;
    Ok(links.iter().map(|link| key_of(&link.holder)).collect())
}

/// The pools whose members have ports of their own.
fn pools_with_ranges(balancer: &Value) -> BTreeSet<ResourceId> {
    items(balancer, &format!("/properties/{NAT_RULES}"))
        .filter(|rule| range(rule).is_some())
        .filter_map(|rule| reference(rule, "/properties/backendAddressPool/id").ok()?)
        .collect()
}

/// Gives every member of every pool one port of each range.
fn allot(
    draft: &mut Resource,
    members: &BTreeMap<String, Vec<String>>,
) -> Result<(), Problem> {
    let mut ports = Map::new();
    for rule in items(&draft.document, &format!("/properties/{NAT_RULES}")) {
        let (Some(range), Some(pool)) =
            (range(rule), reference(rule, "/properties/backendAddressPool/id")?)
        else {
            continue;
        };
        let name = text(rule, "/name").unwrap_or_default();
        let of_pool = members.get(&key_of(&pool)).map(Vec::as_slice).unwrap_or_default();
        let before = ports_of(&draft.document, name);
        let given = network::allot(&range, of_pool, &before).ok_or_else(|| {
            Problem::Invalid {
                code: "InboundNatRuleFrontendPortRangeTooSmall",
                message: format!(
                    "Inbound NAT rule {name} of {} has the frontend ports {} to {}, fewer than \
                     the {} members of {pool}. Widen the range first.",
                    draft.id,
                    range.start(),
                    range.end(),
                    of_pool.len()
                ),
                target: Some("frontendPortRangeEnd"),
            }
        })?;
        ports.insert(name.to_ascii_lowercase(), json!(given));
    }
    match (ports.is_empty(), draft.document.as_object_mut()) {
        (true, Some(document)) => {
            document.remove(PORTS);
        }
        _ => draft.document[PORTS] = Value::Object(ports),
    }
    Ok(())
}

/// The range of a NAT rule for a pool.
pub(in crate::app) fn range(rule: &Value) -> Option<RangeInclusive<u16>> {
    let port = |field: &str| {
        u16::try_from(rule["properties"][field].as_u64()?).ok().filter(|port| *port > 0)
    };
    Some(port("frontendPortRangeStart")?..=port("frontendPortRangeEnd")?)
}
