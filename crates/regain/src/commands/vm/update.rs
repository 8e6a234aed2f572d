//! `vm update`: a VM is read, changed, and written back.

use arm::{Client, Method, ResourceId};
use serde_json::{Map, Value, json};

use super::{side_by_side, targets};
use crate::api::{self, VM};
use crate::args::vm::Update;
use crate::context::Context;
use crate::edit;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape;

/// What ARM says of a VM and nobody can write.
const READ_ONLY: [&str; 4] = ["provisioningState", "vmId", "instanceView", "timeCreated"];

pub(super) async fn run(args: Update, context: &Context) -> Result<Answer, Failure> {
    if args.edits.edits.is_empty() && args.size.is_none() {
        return Err(Failure::usage("nothing is to be changed")
            .next("say what with --set, --add, --remove or --size"));
    }
    let vms = targets::read(&args.vm)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    let (wait, size) = (!args.no_wait, args.size);
    let edits = args.edits;
    side_by_side::each(context, vms, |vm| {
        let (client, edits, size) = (session.client.clone(), edits.clone(), size.clone());
        async move {
            let change = |document: &mut Value| {
                if let Some(size) = size {
                    document["properties"]["hardwareProfile"]["vmSize"] = size.into();
                }
                edit::apply(document, &edits)
            };
            write_back(&client, &vm, wait, change).await
        }
    })
    .await
}

/// Reads the VM, changes it, and writes it back. Gives it as az prints it, null
/// if its end was not waited for.
pub(super) async fn write_back(
    client: &Client,
    id: &ResourceId,
    wait: bool,
    change: impl FnOnce(&mut Value) -> Result<(), Failure>,
) -> Result<Value, Failure> {
    let path = api::path(id, VM);
    let mut document = client.get(&path).await?;
    change(&mut document)?;
    // A tag is a text, whatever it looks like.
    for tag in document["tags"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        if tag.is_number() || tag.is_boolean() {
            *tag = tag.to_string().into();
        }
    }
    let mut body = json!({});
    for key in ["location", "tags", "identity", "plan", "zones", "extendedLocation"] {
        if let Some(value) = document.get(key).filter(|value| !value.is_null()) {
            body[key] = value.clone();
        }
    }
    let mut properties = document["properties"].take();
    if let Some(properties) = properties.as_object_mut() {
        properties.retain(|key, _| !READ_ONLY.contains(&key.as_str()));
    }
    body["properties"] = properties;
    let operation = client.begin(Method::PUT, &path, Some(&body)).await?;
    if wait { Ok(shape::vm(operation.wait().await?)) } else { Ok(Value::Null) }
}
