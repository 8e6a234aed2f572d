//! Dynamic addresses: leased to a machine for as long as it stays on its host.
//!
//! A machine that leaves its host (redeploy, deallocate) gets others; static ones
//! stay. The new ones are chosen at once, so that nobody else gets them meanwhile; a
//! public one is shown only while its machine is not deallocated.

use arm::ResourceId;
use serde_json::json;

use super::{ip_configuration, public_ip_address};
use crate::app::document::{items, reference, text};
use crate::app::{App, Problem};
use crate::store::Resource;

/// Gives a machine's interfaces other addresses where they are dynamic.
pub(in crate::app) async fn renew(app: &App, vm: &Resource) -> Result<(), Problem> {
    let _turn = app.network_turn().await?;
    for interface in items(&vm.document, "/properties/networkProfile/networkInterfaces") {
        let Some(nic) = reference(interface, "/id")? else { continue };
        let Some(mut nic) = app.store.get(&nic).await? else { continue };
        let configuration = &nic.document["properties"]["ipConfigurations"][0];
        let public = reference(configuration, "/properties/publicIPAddress/id")?;
        if is_dynamic(configuration, "/properties/privateIPAllocationMethod")
            && let Some(other) = ip_configuration::another(app, &nic).await?
        {
            nic.document["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] =
                json!(other);
            app.store.put(&nic).await?;
        }
        if let Some(public) = public {
            renew_public(app, &public).await?;
        }
    }
    Ok(())
}

async fn renew_public(app: &App, id: &ResourceId) -> Result<(), Problem> {
    let Some(mut public) = app.store.get(id).await? else { return Ok(()) };
    if is_dynamic(&public.document, "/properties/publicIPAllocationMethod") {
        // Its own is still taken, so this is another one.
        let other = public_ip_address::allot(app).await?;
        public.document["properties"]["ipAddress"] = json!(other);
        app.store.put(&public).await?;
    }
    Ok(())
}

/// Whether the allocation method at a JSON pointer is dynamic.
pub(super) fn is_dynamic(document: &serde_json::Value, pointer: &str) -> bool {
    text(document, pointer).is_some_and(|method| method.eq_ignore_ascii_case("Dynamic"))
}
