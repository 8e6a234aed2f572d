//! `vm boot-diagnostics get-boot-log`

use serde_json::Value;

use super::super::targets;
use crate::api::{self, COMPUTE};
use crate::args::vm::Target;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(in crate::commands::vm) async fn run(
    args: Target,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut logs = Vec::new();
    for vm in targets::of(&args, &session)? {
        let path = api::below(&vm, "retrieveBootDiagnosticsData", COMPUTE);
        let data = session.client.post(&path, &Value::Null).await?;
        let Some(url) = data["serialConsoleLogBlobUri"].as_str() else {
            return Err(Failure::new(format!("there is no boot log of {}", vm.name()))
                .next("enable boot diagnostics on the VM, then restart it"));
        };
        let log = session.client.download(url).await?;
        logs.push(Value::String(String::from_utf8_lossy(&log).into_owned()));
    }
    Ok(Answer::of_each(logs))
}
