//! `vm user`: accounts and SSH of a VM, through the VMAccess extension.

pub(super) mod delete;
pub(super) mod reset_ssh;
pub(super) mod update;

use arm::{Method, ResourceId};
use serde_json::{Value, json};

use super::targets;
use crate::api::{self, COMPUTE};
use crate::args::vm::Target;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

const PUBLISHER: &str = "Microsoft.OSTCExtensions";
const KIND: &str = "VMAccessForLinux";
const VERSION: &str = "1.5";

/// Gives the extension of each VM these protected settings.
async fn set_access(
    target: &Target,
    settings: &Value,
    no_wait: bool,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut operations = Vec::new();
    for id in targets::of(target, &session)? {
        let path = format!("{}&$expand=instanceView", api::path(&id, COMPUTE));
        let vm = session.client.get(&path).await?;
        let body = json!({
            "location": vm["location"],
            "properties": {
                "publisher": PUBLISHER,
                "type": KIND,
                "typeHandlerVersion": VERSION,
                "autoUpgradeMinorVersion": true,
                "settings": {},
                "protectedSettings": settings,
            },
        });
        let path = api::path(&extension(&id, &vm)?, COMPUTE);
        operations.push(session.client.begin(Method::PUT, &path, Some(&body)).await?);
    }
    let mut documents = Vec::new();
    if !no_wait {
        for operation in operations {
            documents.push(flat(operation.wait().await?));
        }
    }
    Ok(Answer::of_each(documents))
}

/// A VM has one handler of a type: the extension that has it already, under
/// whatever name, or a new one under az's name.
fn extension(id: &ResourceId, vm: &Value) -> Result<ResourceId, Failure> {
    let handler = format!("{PUBLISHER}.{KIND}");
    let name = vm["properties"]["instanceView"]["extensions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|extension| {
            extension["type"]
                .as_str()
                .is_some_and(|kind| kind.eq_ignore_ascii_case(&handler))
        })
        .and_then(|extension| extension["name"].as_str())
        .unwrap_or("enablevmaccess");
    id.with_child("extensions", name).map_err(|error| {
        Failure::new("the VM has an extension without a name").because(error)
    })
}
