//! Public addresses: each is one of the fabric's, for as long as the resource lives.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use arm::ResourceId;
use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::document::{self, properties, text};
use super::network_document;
use super::{Answer, App, Call, Problem};

const KIND: &str = "microsoft.network/publicipaddresses";

/// `GET …/publicIPAddresses`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::list(&app, &call.id, KIND).await
}

/// `GET …/publicIPAddresses/{address}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::get(&app, &call.id).await
}

/// `PATCH …/publicIPAddresses/{address}`
pub(crate) async fn tag(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::tag(app, call).await
}

/// `DELETE …/publicIPAddresses/{address}`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::delete(app, call, "publicIPAddresses/delete").await
}

/// `PUT …/publicIPAddresses/{address}`: Azure allots a dynamic address when it is
/// first used; here every address is allotted at once.
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let before = app.before_put(&call).await?;
    let mut given = properties(call.object()?)?;
    given.remove("ipConfiguration");
    given.entry("publicIPAllocationMethod").or_insert_with(|| json!("Static"));
    given.entry("publicIPAddressVersion").or_insert_with(|| json!("IPv4"));
    given.entry("idleTimeoutInMinutes").or_insert_with(|| json!(4));
    if given["publicIPAddressVersion"] != "IPv4" {
        return Err(Problem::parameter(
            "publicIPAddressVersion",
            "This cloud has public addresses of version IPv4 only.",
        ));
    }
    let address =
        match before.as_ref().and_then(|b| text(&b.document, "/properties/ipAddress")) {
            Some(address) => address.to_owned(),
            None => allot(&app).await?.to_string(),
        };
    given.insert("ipAddress".to_owned(), json!(address));
    let mut resource = document::framed(&call, before.as_ref(), given)?;
    if resource.document.get("sku").is_none() {
        resource.document["sku"] = json!({ "name": "Standard", "tier": "Regional" });
    }
    let name = "publicIPAddresses/write";
    let (progress, body) =
        network_document::write(&app, name, resource, None, turn).await?;
    Ok(progress.written(body, before.is_none()))
}

/// The first address that nobody has.
async fn allot(app: &App) -> Result<Ipv4Addr, Problem> {
    let taken = taken(app).await?.into_iter().map(|(_, address)| address).collect();
    first_free(app.cable.range(), &taken).ok_or_else(|| Problem::Conflict {
        code: "PublicIPCountLimitReached",
        message: format!(
            "Every public address of this cloud ({}) is in use. Delete one and try again.",
            app.cable.range()
        ),
    })
}

/// The network address and three more stay free, as in every Azure subnet.
fn first_free(range: Ipv4Net, taken: &HashSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    range.hosts().skip(3).find(|address| !taken.contains(address))
}

async fn taken(app: &App) -> Result<Vec<(ResourceId, Ipv4Addr)>, Problem> {
    let everything = ResourceId::of_subscription(&app.subscription)
        .map_err(|error| Problem::NotFound { message: error.to_string() })?;
    let all = app.store.list(&everything, KIND).await?;
    Ok(all
        .iter()
        .filter_map(|resource| {
            let address =
                text(&resource.document, "/properties/ipAddress")?.parse().ok()?;
            Some((resource.id.clone(), address))
        })
        .collect())
}

/// Moves addresses into the fabric's range: it changes when the host was rebooted
/// and another lab came up first. The last two octets stay as far as they can.
pub(crate) async fn move_into_range(app: &App) -> Result<(), Problem> {
    let range = app.cable.range();
    for (id, address) in taken(app).await? {
        if range.contains(&address) {
            continue;
        }
        let mut resource = app.existing(&id).await?;
        let offset = u32::from(address) & u32::from(range.hostmask());
        let moved = Ipv4Addr::from(u32::from(range.network()) | offset);
        tracing::warn!(%id, %address, %moved, "the public address had to change");
        resource.document["properties"]["ipAddress"] = Value::String(moved.to_string());
        app.store.put(&resource).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_allotted_from_the_fourth_on_and_reused() {
        let range: Ipv4Net = "127.64.4.0/22".parse().unwrap();
        let mut taken = HashSet::new();
        let first = first_free(range, &taken).unwrap();
        assert_eq!(first, Ipv4Addr::new(127, 64, 4, 4));
        taken.insert(first);
        assert_eq!(first_free(range, &taken), Some(Ipv4Addr::new(127, 64, 4, 5)));
        taken.clear();
        assert_eq!(first_free(range, &taken), Some(first));
    }
}
