//! Network interfaces: IPv4 configurations in a subnet, perhaps with public addresses,
//! perhaps with an NSG, perhaps on a machine.

use arm::ResourceId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::ip_configuration::configured;
use super::load_balancer;
use crate::app::document::{drop_property, reference};
use crate::app::{App, Problem};
use crate::store::Resource;

/// The full type in lower case.
pub(super) const KIND: &str = "microsoft.network/networkinterfaces";

/// An interface with its addresses. Gives the load balancers whose ports its new
/// memberships change.
pub(super) async fn judge(
    app: &App,
    before: Option<&Resource>,
    draft: &mut Resource,
) -> Result<Vec<Resource>, Problem> {
    let configurations = configured(app, draft, before).await?;
    if let Some(nsg) = reference(&draft.document, "/properties/networkSecurityGroup/id")?
    {
        app.referenced_near(&nsg, draft).await?;
    }
    let kept = |field: &str| {
        before.map(|nic| nic.document["properties"][field].clone()).unwrap_or_default()
    };
    let mac = match kept("macAddress") {
        Value::Null => json!(fresh_mac()),
        mac => mac,
    };
    // Who uses an interface is said by the machine.
    for derived in ["virtualMachine", "hostedWorkloads", "tapConfigurations"] {
        drop_property(&mut draft.document, derived);
    }
    let given = &mut draft.document["properties"];
    given["ipConfigurations"] = json!(configurations);
    given["macAddress"] = mac;
    given["primary"] = json!(true);
    for switch in ["enableIPForwarding", "enableAcceleratedNetworking"] {
        if given[switch].is_null() {
            given[switch] = json!(false);
        }
    }
    match kept("virtualMachine") {
        Value::Null => {}
        vm => given["virtualMachine"] = vm,
    }
    load_balancer::allot_to(app, draft).await
}

/// Gives an interface to a machine, or takes it back. Nothing happens to one that
/// is gone.
pub(in crate::app) async fn set_machine(
    app: &App,
    nic: &ResourceId,
    vm: Option<&ResourceId>,
) -> Result<(), Problem> {
    let Some(mut nic) = app.store.get(nic).await? else { return Ok(()) };
    let Some(properties) = nic.document["properties"].as_object_mut() else {
        return Ok(());
    };
    match vm {
        Some(vm) => properties.insert("virtualMachine".to_owned(), json!({ "id": vm })),
        None => properties.remove("virtualMachine"),
    };
    app.store.put(&nic).await?;
    Ok(())
}

impl App {
    /// The machine that an interface is on. A server that was killed may have left
    /// the name of one that it never made.
    pub(in crate::app) async fn user_of(
        &self,
        nic: &Resource,
    ) -> Result<Option<ResourceId>, Problem> {
        match reference(&nic.document, "/properties/virtualMachine/id")? {
            Some(vm) if self.store.get(&vm).await?.is_some() => Ok(Some(vm)),
            _ => Ok(None),
        }
    }
}

/// A new address out of Microsoft's block.
fn fresh_mac() -> String {
    let random = Uuid::new_v4().into_bytes();
    format!("00-0D-3A-{:02X}-{:02X}-{:02X}", random[0], random[1], random[2])
}
