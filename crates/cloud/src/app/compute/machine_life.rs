//! How machines come and go.
//!
//! ```text
//! create   disk and certificate made, network applied, booted, agent heard of
//! destroy  engine's machine, interface's mark, extensions, document
//! ```
//!
//! If the engine cannot make a machine, nothing is left behind. If its agent does not
//! report, the machine stays, because its console may tell why.

use std::sync::Arc;

use arm::ResourceId;
use guest::provision::Provision;
use machine::{Attachment, MachineId, MachineSpec, Power, SeedFile};
use serde_json::Value;

use super::virtual_machine::{machine_id, settle};
use super::{extension, power, simulated_agent};
use crate::app::document::{self, items, reference, text};
use crate::app::network::fabric::blocking;
use crate::app::network::network_interface;
use crate::app::network::topology::reach;
use crate::app::network::virtual_network::{prefix_of, subnet};
use crate::app::{App, Problem};
use crate::store::{Guest, Resource, key_of};

/// Where the guest looks at its first boot.
const PROVISION_FILE: &str = "/var/lib/regain/provision.json";

/// Makes and boots a machine.
pub(in crate::app) async fn create(
    app: &Arc<App>,
    id: &ResourceId,
    image: &str,
    provision: &Provision,
) -> Result<Value, Problem> {
    let vm = app.existing(id).await?;
    if let Err(problem) = boot(app, &vm, image, provision).await {
        tracing::error!(%id, error = %problem.to_arm(), "the machine could not be made");
        destroy(app, id).await?;
        return Err(problem);
    }
    let agent = app
        .agent(id)
        .await?
        .ok_or_else(|| Problem::ResourceNotFound { id: id.clone() })?;
    if agent.first_report(app.limits.first_report).await {
        app.look_at_health(id).await?;
        return settle(app, id).await;
    }
    let mut vm = app.existing(id).await?;
    document::set_state(&mut vm.document, "Failed");
    app.store.put(&vm).await?;
    Err(Problem::Guest {
        code: "OSProvisioningTimedOut",
        message: format!(
            "OS Provisioning for VM '{}' did not finish in the allotted time: its agent has not \
             reported within {} seconds. The VM may still finish provisioning. Read its boot \
             diagnostics log or its serial console; then delete it and create it again.",
            id.name(),
            app.limits.first_report.as_secs()
        ),
    })
}

/// Everything of a creation up to the running machine. Begun again after a crash
/// it takes over a machine that runs, and makes any other anew.
async fn boot(
    app: &Arc<App>,
    vm: &Resource,
    image: &str,
    provision: &Provision,
) -> Result<(), Problem> {
    let machine = machine_id(&vm.document)?;
    let runs = power::of(app, &vm.id).await? == Some(Power::Running);
    if !runs {
        remove_machine(app, &machine).await?;
        let spec = MachineSpec {
            id: machine.clone(),
            name: format!("{}/{}", vm.id.group().unwrap_or_default(), vm.id.name()),
            hostname: provision.hostname.clone(),
            image: image.to_owned(),
            network: attachment(app, vm).await?,
            files: vec![SeedFile {
                path: PROVISION_FILE.into(),
                mode: 0o600,
                contents: serde_json::to_vec(provision).map_err(|error| {
                    Problem::Internal {
                        doing: "write the provisioning file",
                        why: error.to_string(),
                    }
                })?,
            }],
        };
        // The certificate takes as long as the disk: side by side.
        let disk = async {
            app.images.prepare(image).await?;
            let engine = Arc::clone(&app.engine);
            blocking("make the virtual machine", move || engine.create(&spec)).await
        };
        let (tenant, made) = tokio::join!(app.new_tenant(), disk);
        made?;
        let guest = Guest {
            machine: machine.to_string(),
            deallocated: false,
            incarnation: 1,
            tenant: tenant?,
            report: None,
        };
        app.agents.dismiss(&vm.id);
        app.store.put_guest(&vm.id, &guest).await?;
    }
    app.refresh_around(vm).await?;
    if !runs {
        power::slow_boot(app).await;
    }
    let engine = Arc::clone(&app.engine);
    blocking("boot the virtual machine", move || engine.start(&machine)).await?;
    if app.simulated {
        simulated_agent::boot(app, &vm.id).await?;
    }
    Ok(())
}

/// Removes a machine: from the engine, from its interface, from the store.
pub(in crate::app) async fn destroy(
    app: &Arc<App>,
    id: &ResourceId,
) -> Result<(), Problem> {
    let Some(vm) = app.store.get(id).await? else { return Ok(()) };
    remove_machine(app, &machine_id(&vm.document)?).await?;
    app.agents.dismiss(id);
    let turn = app.network_turn().await?;
    let networks = reach(app, &vm).await?;
    for interface in items(&vm.document, "/properties/networkProfile/networkInterfaces") {
        let Some(nic) = reference(interface, "/id")? else { continue };
        let goes = text(interface, "/properties/deleteOption") == Some("Delete");
        if goes {
            app.store.remove(&nic).await?;
        } else {
            network_interface::set_machine(app, &nic, None).await?;
        }
    }
    for extension in app.store.list(id, extension::KIND).await? {
        app.store.remove(&extension.id).await?;
    }
    app.dismiss_identity(id).await?;
    app.forget_roles_below(id).await?;
    app.store.remove(id).await?;
    drop(turn);
    app.refresh_networks(networks).await
}

async fn remove_machine(app: &App, machine: &MachineId) -> Result<(), Problem> {
    let engine = Arc::clone(&app.engine);
    let machine = machine.clone();
    blocking("remove the virtual machine", move || match engine.delete(&machine) {
        Err(machine::Error::NotFound(_)) => Ok(()),
        other => other,
    })
    .await
}

/// Where a machine hangs in the fabric, from its interface's document.
pub(super) async fn attachment(app: &App, vm: &Resource) -> Result<Attachment, Problem> {
    let lost =
        |why: String| Problem::Internal { doing: "connect the virtual machine", why };
    let nic =
        reference(&vm.document, "/properties/networkProfile/networkInterfaces/0/id")?
            .ok_or_else(|| lost("it has no network interface".to_owned()))?;
    let nic = app.referenced(&nic, &vm.id).await?.document;
    let configuration = &nic["properties"]["ipConfigurations"][0];
    let subnet_id = reference(configuration, "/properties/subnet/id")?;
    let network = subnet_id.as_ref().and_then(ResourceId::parent);
    let (Some(subnet_id), Some(network)) = (subnet_id, network) else {
        return Err(lost("its network interface is in no subnet".to_owned()));
    };
    let document = app.referenced(&network, &vm.id).await?.document;
    let prefix: ipnet::Ipv4Net = subnet(&document, &subnet_id)
        .cloned()
        .and_then(|subnet| prefix_of(&Value::Object(subnet))?.parse().ok())
        .ok_or_else(|| lost(format!("{subnet_id} has no address prefix")))?;
    let address = text(configuration, "/properties/privateIPAddress").unwrap_or_default();
    let mac = text(&nic, "/properties/macAddress").unwrap_or_default();
    Ok(Attachment {
        vnet: key_of(&network),
        address: address
            .parse()
            .map_err(|_| lost(format!("'{address}' is no address")))?,
        prefix_len: prefix.prefix_len(),
        gateway: prefix
            .hosts()
            .next()
            .ok_or_else(|| lost(format!("{prefix} has no gateway")))?,
        mac: mac.parse().map_err(|error: machine::SpecError| lost(error.to_string()))?,
    })
}
