//! Virtual machine extensions: settings for a handler in the guest, and their
//! outcome.
//!
//! Settings are judged here by the same code as in the guest, so that a mistake is
//! a 400 and changes nothing. Protected settings are encrypted to the machine's
//! tenant certificate before anything is written, and never shown.

use std::sync::Arc;

use arm::ResourceId;
use guest::settings::VmAccess;
use guest::wire::{Status, Verdict};
use serde_json::{Value, json};

use super::extension_settings::{VERSION, handler_of, told};
use super::handler::{self, Handler, message_of};
use super::instance_view;
use crate::app::child::parent_of;
use crate::app::document::{self, properties, shown, text};
use crate::app::journal::Job;
use crate::app::network::network_document::same;
use crate::app::work::Work;
use crate::app::{Answer, App, Call, Page, Problem};
use crate::store::{Resource, Settings, key_of};

/// The full type in lower case.
pub(super) const KIND: &str = "microsoft.compute/virtualmachines/extensions";

/// `GET …/virtualMachines/{vm}/extensions`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    app.existing(&call.id).await?;
    let mut all = Vec::new();
    for extension in app.store.list(&call.id, KIND).await? {
        all.push(view(&app, &extension, call.expands_instance_view()).await?);
    }
    Ok(Answer::Listed(Page::whole(all)))
}

/// `GET …/virtualMachines/{vm}/extensions/{extension}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    app.existing(&parent_of(&call.id)?).await?;
    let extension = app.store.get(&call.id).await?.ok_or_else(|| not_found(&call.id))?;
    Ok(Answer::Found(view(&app, &extension, call.expands_instance_view()).await?))
}

/// `PATCH …/virtualMachines/{vm}/extensions/{extension}`: what it does not say of the
/// handler stays. Its settings must be said again, because they are not kept.
pub(crate) async fn patch(app: Arc<App>, mut call: Call) -> Result<Answer, Problem> {
    let extension = app.store.get(&call.id).await?.ok_or_else(|| not_found(&call.id))?;
    let mut given = properties(call.object()?)?;
    for field in ["publisher", "type", "typeHandlerVersion", "autoUpgradeMinorVersion"] {
        let kept = &extension.document["properties"][field];
        if !kept.is_null() {
            given.entry(field).or_insert_with(|| kept.clone());
        }
    }
    if let Some(body) = call.body.as_mut().and_then(Value::as_object_mut) {
        body.insert("properties".to_owned(), Value::Object(given));
    }
    put(app, call).await
}

/// `PUT …/virtualMachines/{vm}/extensions/{extension}`
pub(crate) async fn put(app: Arc<App>, mut call: Call) -> Result<Answer, Problem> {
    let vm = app.existing(&parent_of(&call.id)?).await?;
    let mut given = properties(call.object()?)?;
    let handler = handler_of(&given)?;
    let (public, protected) = told(&mut given)?;
    VmAccess::parse(Some(&public), Some(&protected)).map_err(|error| {
        Problem::Invalid {
            code: "InvalidParameter",
            message: format!(
                "The settings of {handler} are not valid: {}.",
                error.full_text().trim_end_matches('.')
            ),
            target: Some("properties.protectedSettings"),
        }
    })?;

    let turn = app.turn(&format!("{}#{handler}", key_of(&vm.id))).await?;
    let before = app.before_put(&call).await?;
    check_only_instance(&app, &vm.id, &call.id, &handler).await?;
    let doing = "Cannot modify extensions in the VM";
    let settings =
        handler::settings(&app, &vm.id, doing, Some(public), &protected).await?;

    // The classic client sends no location for a child of a machine.
    if let Some(body) = call.body.as_mut().and_then(Value::as_object_mut) {
        body.entry("location").or_insert_with(|| vm.document["location"].clone());
    }
    let created = before.is_none();
    let state = if created { "Creating" } else { "Updating" };
    given.insert("provisioningState".to_owned(), json!(state));
    let extension = document::framed(&call, before.as_ref(), given)?;
    let body = extension.document.clone();
    let work = Work::PutExtension {
        extension: extension.id.clone(),
        handler,
        version: VERSION.to_owned(),
        settings,
    };
    let job = Job::new("virtualMachines/extensions/write", &extension.id, work)
        .writing(extension.clone())
        .holding(turn);
    Ok(app.submit(job).await?.written(body, created))
}

/// `DELETE …/virtualMachines/{vm}/extensions/{extension}`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let vm = app.existing(&parent_of(&call.id)?).await?;
    let Some(extension) = app.store.get(&call.id).await? else {
        return Ok(Answer::Nothing);
    };
    document::check_precondition(&call, Some(&extension))?;
    let handler = handler_name(&extension.document);
    let turn = app.turn(&format!("{}#{handler}", key_of(&vm.id))).await?;
    let work = Work::DeleteExtension { extension: extension.id.clone(), handler };
    let job =
        Job::new("virtualMachines/extensions/delete", &extension.id, work).holding(turn);
    Ok(app.submit(job).await?.deleted())
}

/// Gives the handler its settings and waits for their outcome.
pub(in crate::app) async fn apply(
    app: &Arc<App>,
    id: &ResourceId,
    handler: &str,
    version: &str,
    settings: &Settings,
    operation: &str,
) -> Result<Value, Problem> {
    let told = Handler { name: handler, version };
    let outcome = enable(app, &parent_of(id)?, told, settings, operation).await;
    let state = if outcome.is_ok() { "Succeeded" } else { "Failed" };
    // The machine may have been deleted with all of its extensions meanwhile, or
    // with those that there were just before this one.
    if app.store.get(&parent_of(id)?).await?.is_none() {
        app.store.remove(id).await?;
    }
    let Some(mut extension) = app.store.get(id).await? else {
        return Err(Problem::ResourceNotFound { id: id.clone() });
    };
    document::set_state(&mut extension.document, state);
    app.store.put(&extension).await?;
    outcome.map(|_status| shown(&extension))
}

async fn enable(
    app: &Arc<App>,
    vm: &ResourceId,
    handler: Handler<'_>,
    settings: &Settings,
    operation: &str,
) -> Result<Status, Problem> {
    let whole = app.limits.extension;
    let status = handler::tell(app, vm, handler, settings, operation, whole).await?;
    match status.status {
        Verdict::Success | Verdict::Warning => Ok(status),
        Verdict::Error | Verdict::Transitioning => Err(Problem::Guest {
            code: "VMExtensionProvisioningError",
            message: format!(
                "VM has reported a failure when processing extension '{}'. Error message: '{}'.",
                handler.name,
                message_of(&status)
            ),
        }),
    }
}

/// Takes a handler out of the machine's goal, and the extension away.
pub(in crate::app) async fn take_away(
    app: &Arc<App>,
    id: &ResourceId,
    handler: &str,
    operation: &str,
) -> Result<Value, Problem> {
    if let Some(agent) = app.agent(&parent_of(id)?).await? {
        app.assign(&agent, handler, VERSION, None, operation).await?;
    }
    app.store.remove(id).await?;
    Ok(Value::Null)
}

/// The extensions of a machine as `resources[]` shows them.
pub(super) async fn resources(app: &App, vm: &ResourceId) -> Result<Vec<Value>, Problem> {
    let extensions = app.store.list(vm, KIND).await?;
    Ok(extensions.iter().map(shown).collect())
}

/// `publisher.type` of an extension's document.
pub(super) fn handler_name(document: &Value) -> String {
    let part = |pointer| text(document, pointer).unwrap_or_default();
    format!("{}.{}", part("/properties/publisher"), part("/properties/type"))
}

async fn view(app: &App, extension: &Resource, instance: bool) -> Result<Value, Problem> {
    let mut document = shown(extension);
    if instance {
        document["properties"]["instanceView"] =
            instance_view::of_extension(app, extension).await?;
    }
    Ok(document)
}

/// A handler is there once, under whatever name came first.
async fn check_only_instance(
    app: &App,
    vm: &ResourceId,
    id: &ResourceId,
    handler: &str,
) -> Result<(), Problem> {
    for other in app.store.list(vm, KIND).await? {
        if !same(&other.id, id)
            && handler_name(&other.document).eq_ignore_ascii_case(handler)
        {
            return Err(Problem::Invalid {
                code: "BadRequest",
                message: format!(
                    "Multiple VMExtensions per handler not supported for OS type 'Linux'. \
                     VMExtension '{}' with handler '{handler}' already added or specified in \
                     input. Use that name, or delete it first.",
                    other.id.name()
                ),
                target: None,
            });
        }
    }
    Ok(())
}

fn not_found(id: &ResourceId) -> Problem {
    Problem::NotFound {
        message: format!(
            "The Resource '{}' was not found: no such extension.",
            id.name()
        ),
    }
}
