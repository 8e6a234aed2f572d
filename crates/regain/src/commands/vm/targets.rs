//! The VMs that a command is about: `-g` and `-n`, or `--ids`.

use arm::{Method, ResourceId};
use serde_json::Value;

use crate::api::{self, COMPUTE};
use crate::args::vm::Target;
use crate::failure::Failure;
use crate::session::Session;

/// The ids of the VMs that were named.
pub(super) fn of(target: &Target, session: &Session) -> Result<Vec<ResourceId>, Failure> {
    if let (Some(group), Some(name)) = (&target.group, &target.name) {
        return Ok(vec![session.vm(group, name)?]);
    }
    target.ids.iter().map(|id| vm_id(id)).collect()
}

/// Reads a VM's id as it was typed.
pub(crate) fn vm_id(text: &str) -> Result<ResourceId, Failure> {
    let id =
        ResourceId::parse(text).map_err(|error| Failure::usage(error.to_string()))?;
    if id.is_type("Microsoft.Compute/virtualMachines") {
        Ok(id)
    } else {
        Err(Failure::usage(format!("'{text}' is not the id of a VM")))
    }
}

/// POSTs an action to every VM, all of them at once, then waits.
pub(super) async fn act(
    session: &Session,
    ids: &[ResourceId],
    action: &str,
    wait: bool,
) -> Result<Vec<Value>, Failure> {
    let (action, query) = action.split_once('?').unwrap_or((action, ""));
    let mut operations = Vec::with_capacity(ids.len());
    for id in ids {
        let path = format!("{}&{query}", api::below(id, action, COMPUTE));
        let path = path.trim_end_matches('&');
        operations.push(session.client.begin(Method::POST, path, None).await?);
    }
    let mut results = Vec::new();
    if wait {
        for operation in operations {
            results.push(operation.wait().await?);
        }
    }
    Ok(results)
}
