//! `vm boot-diagnostics get-boot-log`

use serde_json::Value;

use super::super::{side_by_side, targets};
use crate::api;
use crate::args::vm::Target;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

/// The version with which az asks for it.
const VERSION: &str = "2024-07-01";

pub(super) async fn run(args: Target, context: &Context) -> Result<Answer, Failure> {
    let vms = targets::read(&args)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    side_by_side::each(context, vms, |vm| {
        let client = session.client.clone();
        async move {
            let path = api::below(&vm, "retrieveBootDiagnosticsData", VERSION);
            let data = client.post(&path, &Value::Null).await?;
            let Some(url) = data["serialConsoleLogBlobUri"].as_str() else {
                return Err(Failure::new(format!(
                    "there is no boot log of {}",
                    vm.name()
                ))
                .next("enable boot diagnostics on the VM, then restart it"));
            };
            let log = client.download(url).await?;
            Ok(Value::String(String::from_utf8_lossy(&log).into_owned()))
        }
    })
    .await
}
