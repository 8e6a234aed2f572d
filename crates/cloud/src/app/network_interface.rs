//! Network interfaces: one IPv4 configuration each, in a subnet, perhaps with a
//! public address and an NSG, perhaps on a machine.

use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::document::{self, properties, reference};
use super::ip_configuration::configured;
use super::network_document;
use super::{Answer, App, Call, Problem};
use crate::store::Resource;

/// The full type in lower case.
pub(super) const KIND: &str = "microsoft.network/networkinterfaces";

/// `GET …/networkInterfaces`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::list(&app, &call.id, KIND).await
}

/// `GET …/networkInterfaces/{nic}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::get(&app, &call.id).await
}

/// `PATCH …/networkInterfaces/{nic}`
pub(crate) async fn tag(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::tag(app, call).await
}

/// `DELETE …/networkInterfaces/{nic}`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::delete(app, call, "networkInterfaces/delete").await
}

/// `PUT …/networkInterfaces/{nic}`
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let before = app.before_put(&call).await?;
    let mut given = properties(call.object()?)?;
    let kept = |field: &str| {
        before
            .as_ref()
            .map(|nic| nic.document["properties"][field].clone())
            .unwrap_or_default()
    };
    let id = before.as_ref().map_or(&call.id, |nic| &nic.id).clone();
    let configuration = match given.get("ipConfigurations").and_then(Value::as_array) {
        Some(all) if all.len() == 1 => all[0].clone(),
        Some(all) if all.len() > 1 => {
            return Err(Problem::parameter(
                "ipConfigurations",
                "This cloud gives a network interface one IP configuration.",
            ));
        }
        _ => {
            return Err(Problem::Invalid {
                code: "NetworkInterfaceMustHaveAtLeastOneIpConfiguration",
                message: format!(
                    "Network Interface {id} must have at least one IP configuration."
                ),
                target: Some("ipConfigurations"),
            });
        }
    };
    let configuration = configured(&app, &id, configuration, before.as_ref()).await?;
    given.insert("ipConfigurations".to_owned(), json!([configuration]));
    if let Some(nsg) =
        reference(&json!({ "properties": given }), "/properties/networkSecurityGroup/id")?
    {
        app.referenced(&nsg, &id).await?;
    }
    let mac = match kept("macAddress") {
        Value::Null => json!(fresh_mac()),
        mac => mac,
    };
    given.insert("macAddress".to_owned(), mac);
    given.insert("primary".to_owned(), json!(true));
    given.entry("enableIPForwarding").or_insert(json!(false));
    given.entry("enableAcceleratedNetworking").or_insert(json!(false));
    // Who uses an interface is said by the machine.
    given.remove("virtualMachine");
    match kept("virtualMachine") {
        Value::Null => {}
        vm => {
            given.insert("virtualMachine".to_owned(), vm);
        }
    }
    let nic = document::framed(&call, before.as_ref(), given)?;
    let name = "networkInterfaces/write";
    let (progress, body) = network_document::write(&app, name, nic, None, turn).await?;
    Ok(progress.written(body, before.is_none()))
}

/// Gives an interface to a machine, or takes it back. Nothing happens to one that
/// is gone.
pub(super) async fn set_machine(
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
    pub(super) async fn user_of(
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
