//! `vm extension set`: one extension with the same settings on one VM or many.

use std::sync::Arc;

use arm::{Method, ResourceId};
use serde_json::{Map, Value, json};

use super::super::{side_by_side, targets};
use super::image;
use crate::api::{self, EXTENSION, VM};
use crate::args::vm::SetExtension;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Printer};
use crate::session::Session;
use crate::settings;
use crate::shape;

/// What every VM gets.
#[derive(Debug)]
struct Wanted {
    publisher: String,
    kind: String,
    version: Option<String>,
    name: Option<String>,
    /// The other properties.
    properties: Map<String, Value>,
    wait: bool,
}

pub(in crate::commands) async fn run(
    args: SetExtension,
    context: &Context,
) -> Result<Answer, Failure> {
    let vms = targets::read_host(&args.vm)?;
    let wanted = Arc::new(wanted(&args)?);
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    side_by_side::each(context, vms, |vm| {
        let (session, wanted) = (session.clone(), wanted.clone());
        let printer = context.printer.clone();
        async move { set(&session, &vm, &wanted, &printer).await }
    })
    .await
}

fn wanted(args: &SetExtension) -> Result<Wanted, Failure> {
    let mut properties = Map::new();
    let mut set = |key: &str, value: Value| properties.insert(key.to_owned(), value);
    set("autoUpgradeMinorVersion", (!args.no_auto_upgrade_minor_version).into());
    if let Some(enable) = args.enable_auto_upgrade {
        set("enableAutomaticUpgrade", enable.into());
    }
    if let Some(text) = &args.settings {
        set("settings", settings::read("--settings", text)?);
    }
    if let Some(text) = &args.protected_settings {
        set("protectedSettings", settings::read("--protected-settings", text)?);
    }
    if args.force_update {
        set("forceUpdateTag", uuid::Uuid::new_v4().to_string().into());
    }
    Ok(Wanted {
        publisher: args.publisher.clone(),
        kind: args.kind.clone(),
        version: args.version.clone(),
        name: args.extension_instance_name.clone(),
        properties,
        wait: !args.no_wait,
    })
}

async fn set(
    session: &Session,
    id: &ResourceId,
    wanted: &Wanted,
    printer: &Printer,
) -> Result<Value, Failure> {
    let client = &session.client;
    let vm = client.get(&api::with_instance_view(id, VM)).await?;
    let suggested = wanted.name.as_deref().unwrap_or(&wanted.kind);
    let name =
        super::instance_name(&vm, &wanted.publisher, &wanted.kind).unwrap_or(suggested);
    if name != suggested {
        printer.note(&format!(
            "WARNING: A {} extension with name {name} already exists. Updating it with your \
             settings...",
            wanted.kind
        ));
    }
    let location = vm["location"].as_str().unwrap_or_default();
    let version = match &wanted.version {
        Some(version) => version.clone(),
        None => latest(session, location, wanted).await?,
    };
    let mut properties = wanted.properties.clone();
    let mut set =
        |key: &str, value: &str| properties.insert(key.to_owned(), value.into());
    set("publisher", &wanted.publisher);
    set("type", &wanted.kind);
    set("typeHandlerVersion", &major_and_minor(&version));
    let body = json!({ "location": location, "properties": properties });
    let path = api::path(&super::child(id, name)?, EXTENSION);
    let operation = client.begin(Method::PUT, &path, Some(&body)).await?;
    if wanted.wait {
        Ok(shape::extension(operation.wait().await?))
    } else {
        Ok(Value::Null)
    }
}

async fn latest(
    session: &Session,
    location: &str,
    wanted: &Wanted,
) -> Result<String, Failure> {
    let images = image::Wanted {
        publisher: Some(wanted.publisher.clone()),
        name: Some(wanted.kind.clone()),
        version: None,
        latest: true,
        whole: true,
    };
    let found = image::list(session, location, &images).await?;
    match found.first().and_then(|image| image["version"].as_str()) {
        Some(version) => Ok(version.to_owned()),
        None => Err(Failure::new(format!(
            "Failed to find the latest version for the extension \"{}\"",
            wanted.kind
        ))
        .next("see `regain vm extension image list`, or name a --version")),
    }
}

/// ARM takes no build number, although its list of versions has them.
fn major_and_minor(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_numbers_are_left_out() {
        assert_eq!(major_and_minor("1.5.11"), "1.5");
        assert_eq!(major_and_minor("1.2"), "1.2");
        assert_eq!(major_and_minor("2"), "2");
    }
}
