//! `lab status`

use std::fmt::Write;

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::lab::LabState;
use crate::lab::vms::{self, LabVm};
use crate::output::Answer;

pub(super) async fn run(context: &Context) -> Result<Answer, Failure> {
    let lab = LabState::of(&context.global);
    let Some(server) = lab.server()? else { return Err(lab.is_down()) };
    let session = super::sign_in(context).await?;
    let vms = vms::list(&session, &lab).await?;
    let text = text(&server.endpoint, &vms);
    let document = json!({ "endpoint": server.endpoint, "ca": lab.ca(), "vms": vms });
    Ok(Answer::new(document).with_text(text).with_columns(columns))
}

fn columns(status: &Value) -> Value {
    status["vms"].clone()
}

fn text(endpoint: &str, vms: &[LabVm]) -> String {
    let mut out = format!("cloud   {endpoint}\n");
    for vm in vms {
        let _ = write!(out, "VM      {}/{}", vm.group, vm.name);
        if let (Some(user), Some(host)) = (&vm.user, &vm.host) {
            let key = vm.key.as_ref().map(|key| format!("-i {} ", key.display()));
            let _ = write!(out, "   ssh {}{user}@{host}", key.unwrap_or_default());
        }
        out.push('\n');
    }
    out
}
