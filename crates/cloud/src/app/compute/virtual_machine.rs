//! Virtual machines: their documents.
//!
//! A machine's document says what was asked for; the private side (store::Guest)
//! says what runs. A PUT of a new name makes a [machine](super::machine_life); one of
//! a name that is there changes what can be changed.

use std::sync::Arc;

use arm::ResourceId;
use guest::provision::Provision;
use machine::MachineId;
use serde_json::{Map, Value, json};

use super::machine_shape::{fill_in, keep_the_immutable, merge};
use super::{extension, image, instance_view, machine_size, os_profile};
use crate::app::document::{self, items, properties, reference, shown, text};
use crate::app::journal::Job;
use crate::app::network::network_document::same;
use crate::app::network::network_interface;
use crate::app::resources::tag;
use crate::app::work::Work;
use crate::app::{Answer, App, Call, Page, Problem};
use crate::store::{Resource, key_of};
use crate::weather::GuestAgent;

/// The full type in lower case.
pub(in crate::app) const KIND: &str = "microsoft.compute/virtualmachines";

/// `GET …/virtualMachines`, in a group or in the subscription
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let with_status =
        call.parameter("statusonly").is_some_and(|v| v.eq_ignore_ascii_case("true"))
            || call.expands_instance_view();
    let (found, next) = app.page(&call, KIND).await?;
    let mut items = Vec::with_capacity(found.len());
    for vm in found {
        items.push(view(&app, &vm, with_status).await?);
    }
    Ok(Answer::Listed(Page { items, next }))
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
    let tags = tag::of(call.object()?)?;
    merge(&mut merged, &Value::Object(call.object()?.clone()));
    // Tags that are given are all that there are from now on.
    if let Some(tags) = tags {
        merged["tags"] = tags;
    }
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
        check_hardware(&given)?;
        given.insert("provisioningState".to_owned(), json!("Updating"));
        let mut vm = document::framed(&call, Some(before), given)?;
        app.settle_identity(&vm.id, &mut vm.document).await?;
        let body = vm.document.clone();
        let work = Work::UpdateMachine { vm: vm.id.clone() };
        let job =
            Job::new("virtualMachines/write", &call.id, work).writing(vm).holding(turn);
        return Ok(app.submit(job).await?.written(body, false));
    }

    let id = before.as_ref().map_or(&call.id, |vm| &vm.id).clone();
    let (provision, image) = judge(&id, &given)?;
    fill_in(&mut given, &id, &provision);
    if let Some(old) =
        before.as_ref().and_then(|vm| vm.document.pointer("/properties/vmId"))
    {
        // The engine may have its machine, which is not to be lost.
        given.insert("vmId".to_owned(), old.clone());
    }
    let network_turn = app.network_turn().await?;
    let nic = primary_interface(&app, &id, &given).await?;
    network_interface::set_machine(&app, &nic, Some(&id)).await?;
    drop(network_turn);
    let mut vm = document::framed(&call, before.as_ref(), given)?;
    app.settle_identity(&id, &mut vm.document).await?;
    let body = vm.document.clone();
    let work = Work::CreateMachine { vm: id, image: image.to_owned(), provision };
    let job = Job::new("virtualMachines/write", &call.id, work).writing(vm).holding(turn);
    Ok(app.submit(job).await?.written(body, before.is_none()))
}

/// What a new machine boots from and how it is provisioned, or why it cannot be: all
/// that can be said without looking at other resources.
pub(in crate::app) fn judge(
    id: &ResourceId,
    given: &Map<String, Value>,
) -> Result<(Provision, &'static str), Problem> {
    check_hardware(given)?;
    let provision = os_profile::provision(id.name(), given)?;
    let storage = given.get("storageProfile").unwrap_or(&Value::Null);
    Ok((provision, image::find(&storage["imageReference"])?))
}

/// Refuses hardware that there is not.
fn check_hardware(given: &Map<String, Value>) -> Result<(), Problem> {
    let given = Value::Object(given.clone());
    machine_size::check(&given)?;
    match items(&given, "/storageProfile/dataDisks").count() {
        0 => Ok(()),
        disks => Err(Problem::Conflict {
            code: "OperationNotAllowed",
            message: format!(
                "The maximum number of data disks currently permitted is 0. The current number \
                 of data disks is {disks}. This cloud's virtual machines have an OS disk and a \
                 temporary disk."
            ),
        }),
    }
}

/// `DELETE …/virtualMachines/{vm}`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.turn(&key_of(&call.id)).await?;
    app.group_of(&call.id).await?;
    let Some(mut vm) = app.store.get(&call.id).await? else { return Ok(Answer::Nothing) };
    document::check_precondition(&call, Some(&vm))?;
    document::set_state(&mut vm.document, "Deleting");
    let work = Work::DeleteMachine { vm: vm.id.clone() };
    let job =
        Job::new("virtualMachines/delete", &call.id, work).writing(vm).holding(turn);
    Ok(app.submit(job).await?.deleted())
}

/// Marks a machine's document as done, and gives it.
pub(in crate::app) async fn settle(
    app: &Arc<App>,
    id: &ResourceId,
) -> Result<Value, Problem> {
    let mut vm = app.existing(id).await?;
    document::set_state(&mut vm.document, "Succeeded");
    app.store.put(&vm).await?;
    Ok(shown(&app.existing(id).await?))
}

/// The engine's id of a machine: its `vmId`.
pub(in crate::app) fn machine_id(vm: &Value) -> Result<MachineId, Problem> {
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

async fn view(app: &App, vm: &Resource, instance: bool) -> Result<Value, Problem> {
    let mut document = shown(vm);
    if app.weather().agent == GuestAgent::Absent {
        let profile = &mut document["properties"]["osProfile"];
        profile["allowExtensionOperations"] = json!(false);
        profile["linuxConfiguration"]["provisionVMAgent"] = json!(false);
    }
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
