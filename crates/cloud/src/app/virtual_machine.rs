//! Virtual machines: their documents, and how they come and go.
//!
//! A machine's document says what was asked for; the private side (store::Guest)
//! says what runs. A PUT of a new name creates: interface taken, disk made, booted,
//! and the agent waited for. If the engine cannot, nothing is left behind. If the
//! agent does not report, the machine stays, because it may tell why.

use std::sync::Arc;

use arm::ResourceId;
use guest::provision::Provision;
use machine::{Attachment, MachineId, MachineSpec, SeedFile};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::document::{self, items, listed, properties, reference, shown, text};
use super::fabric::blocking;
use super::journal::Job;
use super::network_document::same;
use super::virtual_network::{prefix_of, subnet};
use super::work::Work;
use super::{
    Answer, App, Call, Problem, agent, extension, image, instance_view,
    network_interface, os_profile, simulated_agent,
};
use crate::store::{Guest, Resource, key_of, now};

/// The full type in lower case.
pub(super) const KIND: &str = "microsoft.compute/virtualmachines";
/// Where the guest looks at its first boot.
const PROVISION_FILE: &str = "/var/lib/regain/provision.json";

/// `GET …/virtualMachines`, in a group or in the subscription
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    if call.id.group().is_some() {
        app.group_of(&call.id).await?;
    }
    let with_status =
        call.parameter("statusonly").is_some_and(|v| v.eq_ignore_ascii_case("true"))
            || call.expands_instance_view();
    let mut all = Vec::new();
    for vm in app.store.list(&call.id, KIND).await? {
        all.push(view(&app, &vm, with_status).await?);
    }
    Ok(Answer::Found(listed(all)))
}

/// `GET …/virtualMachines/{vm}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let vm = app.existing(&call.id).await?;
    Ok(Answer::Found(view(&app, &vm, call.expands_instance_view()).await?))
}

/// `PATCH …/virtualMachines/{vm}`: the parts given replace those that are there.
pub(crate) async fn patch(app: Arc<App>, mut call: Call) -> Result<Answer, Problem> {
    let vm = app.existing(&call.id).await?;
    let mut merged = vm.document;
    merge(&mut merged, &Value::Object(call.object()?.clone()));
    call.body = Some(merged);
    put(app, call).await
}

/// `PUT …/virtualMachines/{vm}`
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.turn(&key_of(&call.id)).await?;
    let before = app.before_put(&call).await?;
    let mut given = properties(call.object()?)?;
    let made = before
        .as_ref()
        .is_some_and(|vm| !matches!(state(&vm.document), "Creating" | "Failed"));
    if let (true, Some(before)) = (made, &before) {
        keep_the_immutable(&mut given, &before.document)?;
        given.insert("provisioningState".to_owned(), json!("Updating"));
        let vm = document::framed(&call, Some(before), given)?;
        let body = vm.document.clone();
        let work = Work::UpdateMachine { vm: vm.id.clone() };
        let job =
            Job::new("virtualMachines/write", &call.id, work).writing(vm).holding(turn);
        return Ok(app.submit(job).await?.written(body, false));
    }

    let id = before.as_ref().map_or(&call.id, |vm| &vm.id).clone();
    let provision = os_profile::provision(id.name(), &given)?;
    let reference =
        given.get("storageProfile").map_or(&Value::Null, |p| &p["imageReference"]);
    let image = image::find(reference)?;
    fill_in(&mut given, &id, &provision);
    let network_turn = app.network_turn().await?;
    let nic = primary_interface(&app, &id, &given).await?;
    network_interface::set_machine(&app, &nic, Some(&id)).await?;
    drop(network_turn);
    let vm = document::framed(&call, before.as_ref(), given)?;
    let body = vm.document.clone();
    let work = Work::CreateMachine { vm: id, image: image.to_owned(), provision };
    let job = Job::new("virtualMachines/write", &call.id, work).writing(vm).holding(turn);
    Ok(app.submit(job).await?.written(body, before.is_none()))
}

/// `DELETE …/virtualMachines/{vm}`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.turn(&key_of(&call.id)).await?;
    app.group_of(&call.id).await?;
    let Some(mut vm) = app.store.get(&call.id).await? else { return Ok(Answer::Nothing) };
    document::set_state(&mut vm.document, "Deleting");
    let work = Work::DeleteMachine { vm: vm.id.clone() };
    let job =
        Job::new("virtualMachines/delete", &call.id, work).writing(vm).holding(turn);
    Ok(app.submit(job).await?.deleted())
}

/// `GET …/locations/{location}/vmSizes`: every machine shares the host.
pub(crate) async fn sizes(_app: Arc<App>, _call: Call) -> Result<Answer, Problem> {
    let sizes = ["Standard_DS1_v2", "Standard_D2s_v5", "Standard_B1s"].map(|name| {
        json!({ "name": name, "numberOfCores": 1, "memoryInMB": 1024, "maxDataDiskCount": 0,
                "osDiskSizeInMB": 30720, "resourceDiskSizeInMB": 0 })
    });
    Ok(Answer::Found(listed(sizes.to_vec())))
}

/// Makes and boots a machine.
pub(super) async fn create(
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
    let runs = super::power::of(app, &vm.id).await? == Some(machine::Power::Running);
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
        let (tenant, made) = tokio::join!(agent::new_tenant(), disk);
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
    app.refresh_fabric().await?;
    let engine = Arc::clone(&app.engine);
    blocking("boot the virtual machine", move || engine.start(&machine)).await?;
    if app.simulated {
        simulated_agent::boot(app, &vm.id).await?;
    }
    Ok(())
}

/// Marks a machine's document as done, and gives it.
pub(super) async fn settle(app: &Arc<App>, id: &ResourceId) -> Result<Value, Problem> {
    let mut vm = app.existing(id).await?;
    document::set_state(&mut vm.document, "Succeeded");
    app.store.put(&vm).await?;
    Ok(shown(&app.existing(id).await?))
}

/// Removes a machine: from the engine, from its interface, from the store.
pub(super) async fn destroy(app: &Arc<App>, id: &ResourceId) -> Result<(), Problem> {
    let Some(vm) = app.store.get(id).await? else { return Ok(()) };
    remove_machine(app, &machine_id(&vm.document)?).await?;
    app.agents.dismiss(id);
    let turn = app.network_turn().await?;
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
    app.store.remove(id).await?;
    drop(turn);
    app.refresh_fabric().await
}

/// The engine's id of a machine: its `vmId`.
pub(super) fn machine_id(vm: &Value) -> Result<MachineId, Problem> {
    let id = text(vm, "/properties/vmId").unwrap_or_default();
    id.parse().map_err(|error: machine::SpecError| Problem::Internal {
        doing: "find the virtual machine",
        why: error.to_string(),
    })
}

/// A machine's provisioning state.
pub(super) fn state(vm: &Value) -> &str {
    text(vm, "/properties/provisioningState").unwrap_or_default()
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

async fn view(app: &App, vm: &Resource, instance: bool) -> Result<Value, Problem> {
    let mut document = shown(vm);
    if instance {
        document["properties"]["instanceView"] =
            instance_view::of_machine(app, vm).await?;
        // Only here: `az vm update` breaks on extensions in a plain GET.
        let extensions = extension::resources(app, &vm.id).await?;
        if !extensions.is_empty() {
            document["resources"] = Value::Array(extensions);
        }
    }
    Ok(document)
}

/// The one interface of a new machine, which must be there and be free.
async fn primary_interface(
    app: &App,
    vm: &ResourceId,
    given: &Map<String, Value>,
) -> Result<ResourceId, Problem> {
    let given = Value::Object(given.clone());
    let all: Vec<&Value> = items(&given, "/networkProfile/networkInterfaces").collect();
    let target = "networkProfile.networkInterfaces";
    let [one] = all.as_slice() else {
        return Err(Problem::parameter(
            target,
            "This cloud gives a virtual machine exactly one network interface.",
        ));
    };
    let id = reference(one, "/id")?
        .ok_or_else(|| Problem::parameter(target, "A network interface needs its id."))?;
    let nic = app.referenced(&id, vm).await?;
    match app.user_of(&nic).await? {
        Some(other) if !same(&other, vm) => Err(Problem::Invalid {
            code: "NicInUse",
            message: format!(
                "Network Interface {id} is used by existing resource {other}. In order to use it \
                 for {vm}, it must be dissociated from that resource."
            ),
            target: None,
        }),
        _ => Ok(nic.id),
    }
}

/// Where a machine hangs in the fabric, from its interface's document.
async fn attachment(app: &App, vm: &Resource) -> Result<Attachment, Problem> {
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

/// What Azure adds to a new machine's properties, and what it takes away: no GET
/// ever shows a password.
fn fill_in(given: &mut Map<String, Value>, id: &ResourceId, provision: &Provision) {
    given.retain(|_, value| !value.is_null());
    given.remove("instanceView");
    given.insert("vmId".to_owned(), json!(Uuid::new_v4()));
    given.insert("provisioningState".to_owned(), json!("Creating"));
    given.insert("timeCreated".to_owned(), json!(now()));
    given.entry("hardwareProfile").or_insert(json!({ "vmSize": "Standard_DS1_v2" }));
    given
        .entry("diagnosticsProfile")
        .or_insert(json!({ "bootDiagnostics": { "enabled": true } }));
    if let Some(profile) = given.get_mut("osProfile").and_then(Value::as_object_mut) {
        profile.remove("adminPassword");
        profile.remove("customData");
        profile.insert("computerName".to_owned(), json!(provision.hostname));
        profile.entry("secrets").or_insert(json!([]));
        profile.entry("allowExtensionOperations").or_insert(json!(true));
        let linux = profile.entry("linuxConfiguration").or_insert(json!({}));
        if let Some(linux) = linux.as_object_mut() {
            let keys_only = provision.password_hash.is_none();
            linux.entry("disablePasswordAuthentication").or_insert(json!(keys_only));
            linux.entry("provisionVMAgent").or_insert(json!(true));
        }
    }
    let storage = given.entry("storageProfile").or_insert(json!({}));
    let disk = &mut storage["osDisk"];
    if !disk.is_object() {
        *disk = json!({ "createOption": "FromImage", "caching": "ReadWrite" });
    }
    if disk["name"].is_null() {
        disk["name"] = json!(format!("{}_OsDisk_1", id.name()));
    }
    disk["osType"] = json!("Linux");
    storage["dataDisks"] = json!([]);
    let interfaces = given
        .get_mut("networkProfile")
        .and_then(|profile| profile.get_mut("networkInterfaces"))
        .and_then(Value::as_array_mut);
    for interface in interfaces.into_iter().flatten() {
        let properties = interface
            .as_object_mut()
            .map(|nic| nic.entry("properties").or_insert(json!({})));
        if let Some(properties) = properties.and_then(Value::as_object_mut) {
            properties.retain(|_, value| !value.is_null());
            properties.insert("primary".to_owned(), json!(true));
        }
    }
}

/// Takes over what a PUT of an existing machine does not say, and refuses what it
/// cannot change.
fn keep_the_immutable(
    given: &mut Map<String, Value>,
    before: &Value,
) -> Result<(), Problem> {
    given.retain(|_, value| !value.is_null());
    given.remove("instanceView");
    let old = &before["properties"];
    if given.get("osProfile").is_some_and(|profile| !profile["adminPassword"].is_null()) {
        return Err(unchangeable("osProfile.adminPassword"));
    }
    for (pointer, name) in [
        ("/osProfile/adminUsername", "osProfile.adminUsername"),
        ("/osProfile/computerName", "osProfile.computerName"),
        ("/storageProfile/imageReference/publisher", "imageReference"),
        ("/storageProfile/imageReference/offer", "imageReference"),
        ("/storageProfile/imageReference/sku", "imageReference"),
        ("/networkProfile/networkInterfaces/0/id", "networkProfile.networkInterfaces"),
    ] {
        let new = Value::Object(given.clone());
        let (new, old) = (text(&new, pointer), text(old, pointer));
        if new.is_some_and(|new| !old.is_some_and(|old| old.eq_ignore_ascii_case(new))) {
            return Err(unchangeable(name));
        }
    }
    let lasting =
        ["vmId", "timeCreated", "osProfile", "storageProfile", "networkProfile"];
    for field in lasting {
        if let Some(value) = old.get(field) {
            given.insert(field.to_owned(), value.clone());
        }
    }
    for field in ["hardwareProfile", "diagnosticsProfile"] {
        if let Some(value) = old.get(field) {
            given.entry(field).or_insert_with(|| value.clone());
        }
    }
    Ok(())
}

fn unchangeable(property: &str) -> Problem {
    Problem::Conflict {
        code: "PropertyChangeNotAllowed",
        message: format!("Changing property '{property}' is not allowed."),
    }
}

/// RFC 7396: objects are merged, null removes, anything else replaces.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(target) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_merges_and_null_removes() {
        let mut target = json!({ "tags": { "a": "1", "b": "2" }, "x": [1] });
        merge(&mut target, &json!({ "tags": { "a": null, "c": "3" }, "x": [2] }));
        assert_eq!(target, json!({ "tags": { "b": "2", "c": "3" }, "x": [2] }));
    }

    #[test]
    fn what_a_machine_was_made_with_cannot_change() {
        let before = json!({ "properties": {
            "vmId": "v", "osProfile": { "adminUsername": "u" },
            "networkProfile": { "networkInterfaces": [{ "id": "/A" }] },
        } });
        let given = |value: Value| value.as_object().unwrap().clone();
        let mut same =
            given(json!({ "networkProfile": { "networkInterfaces": [{ "id": "/a" }] } }));
        keep_the_immutable(&mut same, &before).unwrap();
        assert_eq!(same["vmId"], "v");
        let mut other = given(json!({ "osProfile": { "adminUsername": "w" } }));
        assert!(keep_the_immutable(&mut other, &before).is_err());
        let mut password = given(json!({ "osProfile": { "adminPassword": "p" } }));
        assert!(keep_the_immutable(&mut password, &before).is_err());
    }
}
