//! `vm boot-diagnostics enable`

use arm::ResourceId;
use serde_json::{Value, json};

use super::super::{side_by_side, targets, update};
use crate::args::vm::Enable;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Enable, context: &Context) -> Result<Answer, Failure> {
    let diagnostics = match args.storage.as_deref() {
        None => json!({ "enabled": true }),
        Some(storage) => json!({ "enabled": true, "storageUri": address(storage) }),
    };
    set(targets::read(&args.vm)?, diagnostics, context).await
}

/// Gives VMs these boot diagnostics; az prints nothing of them.
pub(super) async fn set(
    vms: targets::Chosen<'_>,
    diagnostics: Value,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let vms: Vec<ResourceId> = vms.of(&session)?;
    side_by_side::each(context, vms, |vm| {
        let (client, diagnostics) = (session.client.clone(), diagnostics.clone());
        async move {
            let change = |document: &mut Value| {
                document["properties"]["diagnosticsProfile"] =
                    json!({ "bootDiagnostics": diagnostics });
                Ok(())
            };
            update::write_back(&client, &vm, true, change).await?;
            Ok(Value::Null)
        }
    })
    .await
}

/// A storage account's blob address, made of its name if need be.
fn address(storage: &str) -> String {
    if storage.contains("://") {
        storage.to_owned()
    } else {
        format!("https://{storage}.blob.core.windows.net/")
    }
}
