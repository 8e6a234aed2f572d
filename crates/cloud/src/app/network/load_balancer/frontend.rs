//! Frontends of a load balancer: the addresses that it answers at.

use serde_json::{Value, json};

use super::super::ip_configuration::{
    check_free, check_wanted, first_free, range_of, taken,
};
use super::{FRONTENDS, taken_out};
use crate::app::document::is_named;
use crate::app::document::{items, reference, text};
use crate::app::{App, Problem};
use crate::store::Resource;

/// Frontends have a public address, or a private one in a subnet.
pub(super) async fn judge(
    app: &App,
    before: Option<&Resource>,
    draft: &mut Resource,
) -> Result<(), Problem> {
    let mut parts = taken_out(draft, FRONTENDS);
    let mut given = Vec::new();
    for part in &mut parts {
        let name = text(part, "/name").unwrap_or_default().to_owned();
        let public = reference(part, "/properties/publicIPAddress/id")?;
        let subnet = reference(part, "/properties/subnet/id")?;
        let is_static = text(part, "/properties/privateIPAllocationMethod")
            .is_some_and(|method| method.eq_ignore_ascii_case("Static"));
        let properties = &mut part["properties"];
        match (public, subnet) {
            (Some(public), None) => {
                let address = app.referenced_near(&public, draft).await?;
                check_free(app, &public, &draft.id, &name).await?;
                check_same_sku(draft, &address)?;
                properties["privateIPAllocationMethod"] = json!("Dynamic");
            }
            (None, Some(subnet)) => {
                let range = range_of(app, &subnet, draft).await?;
                let mut taken = taken(app, &subnet, &draft.id).await?;
                taken.extend(given.iter().copied());
                let old = before
                    .and_then(|before| {
                        items(&before.document, &format!("/properties/{FRONTENDS}"))
                            .find(|old| is_named(old, &name))
                    })
                    .and_then(|old| text(old, "/properties/privateIPAddress"))
                    .and_then(|address| address.parse().ok())
                    .filter(|address| range.contains(address));
                let wanted =
                    properties["privateIPAddress"].as_str().filter(|_| is_static);
                let address = match (wanted, old) {
                    (Some(wanted), _) => check_wanted(wanted, range, &taken)?,
                    (None, Some(old)) => old,
                    (None, None) => {
                        first_free(range, &taken).ok_or_else(|| Problem::Invalid {
                            code: "SubnetIsFull",
                            message: format!(
                                "Subnet {subnet} with address prefix {range} is already full."
                            ),
                            target: None,
                        })?
                    }
                };
                given.push(address);
                properties["privateIPAddress"] = json!(address);
                let method = if is_static { "Static" } else { "Dynamic" };
                properties["privateIPAllocationMethod"] = json!(method);
            }
            _ => {
                return Err(Problem::Invalid {
                    code: "InvalidFrontendIPConfiguration",
                    message: format!(
                        "Frontend IP configuration {name} of {} needs either a public IP \
                         address or a subnet.",
                        draft.id
                    ),
                    target: Some(FRONTENDS),
                });
            }
        }
    }
    draft.document["properties"][FRONTENDS] = Value::Array(parts);
    Ok(())
}

/// A Standard load balancer has Standard addresses, a Basic one Basic ones.
fn check_same_sku(draft: &Resource, address: &Resource) -> Result<(), Problem> {
    let of_balancer = text(&draft.document, "/sku/name").unwrap_or_default();
    let of_address = text(&address.document, "/sku/name").unwrap_or("Basic");
    if of_balancer.eq_ignore_ascii_case(of_address) {
        return Ok(());
    }
    Err(Problem::Invalid {
        code: "PublicIPAndLBSkuDoNotMatch",
        message: format!(
            "{of_balancer} sku load balancer {} cannot reference {of_address} sku publicIP {}.",
            draft.id, address.id
        ),
        target: None,
    })
}
