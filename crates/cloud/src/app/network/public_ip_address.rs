//! Public addresses: each is one of the fabric's, for as long as the resource lives.

use std::net::Ipv4Addr;

use arm::ResourceId;
use serde_json::{Value, json};

use super::lease;
use crate::app::document::{drop_property, reference, text};
use crate::app::{App, Problem};
use crate::store::Resource;

/// The full type in lower case.
pub(super) const KIND: &str = "microsoft.network/publicipaddresses";

/// An address with its number. Azure allots a dynamic one when it is first used;
/// here every one is allotted at once.
pub(super) async fn judge(
    app: &App,
    before: Option<&Resource>,
    draft: &mut Resource,
) -> Result<(), Problem> {
    drop_property(&mut draft.document, "ipConfiguration");
    let number = match before.and_then(|b| text(&b.document, "/properties/ipAddress")) {
        Some(number) => number.to_owned(),
        None => allot(app).await?.to_string(),
    };
    sku(draft)?;
    let given = &mut draft.document["properties"];
    for (field, usual) in [
        ("publicIPAllocationMethod", json!("Static")),
        ("publicIPAddressVersion", json!("IPv4")),
        ("idleTimeoutInMinutes", json!(4)),
    ] {
        if given[field].is_null() {
            given[field] = usual;
        }
    }
    if given["publicIPAddressVersion"] != "IPv4" {
        return Err(Problem::parameter(
            "publicIPAddressVersion",
            "This cloud has public addresses of version IPv4 only.",
        ));
    }
    given["ipAddress"] = json!(number);
    Ok(())
}

/// Basic or Standard; Standard unless it says otherwise.
fn sku(draft: &mut Resource) -> Result<(), Problem> {
    let name = text(&draft.document, "/sku/name").unwrap_or("Standard");
    let known =
        ["Basic", "Standard"].into_iter().find(|one| one.eq_ignore_ascii_case(name));
    let Some(known) = known else {
        return Err(Problem::Invalid {
            code: "UnsupportedSku",
            message: format!(
                "'{name}' is no SKU of a public IP address in this cloud: Basic or Standard."
            ),
            target: Some("sku.name"),
        });
    };
    draft.document["sku"] = json!({ "name": known, "tier": "Regional" });
    Ok(())
}

/// The IP configuration or the frontend that has the address.
pub(super) async fn dress(
    app: &App,
    id: &ResourceId,
    document: &mut Value,
) -> Result<(), Problem> {
    let links = app.store.links_to(id).await?;
    let Some(user) = links.first() else { return Ok(()) };
    document["properties"]["ipConfiguration"] = json!({ "id": user.holder });
    // A dynamic one is nobody's while its machine is deallocated.
    if lease::is_dynamic(document, "/properties/publicIPAllocationMethod")
        && let Some(nic) = app.store.get(&user.source).await?
        && let Some(vm) = reference(&nic.document, "/properties/virtualMachine/id")?
        && app.store.guest(&vm).await?.is_some_and(|guest| guest.deallocated)
    {
        drop_property(document, "ipAddress");
    }
    Ok(())
}

/// An address that nobody has.
pub(super) async fn allot(app: &App) -> Result<Ipv4Addr, Problem> {
    let taken = taken(app).await?.into_iter().map(|(_, address)| address).collect();
    app.cable.allot(&taken).ok_or_else(|| Problem::Conflict {
        code: "PublicIPCountLimitReached",
        message: format!(
            "Every public address of this cloud ({}) is in use. Delete one and try again.",
            app.cable.range()
        ),
    })
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
