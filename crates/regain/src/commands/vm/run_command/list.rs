//! `vm run-command list`

use serde_json::Value;

use crate::api::{self, EXTENSION};
use crate::args::vm::ListCommands;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(super) async fn run(
    args: ListCommands,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let path = match (&args.group, &args.vm_name, &args.location) {
        (Some(group), Some(vm), _) => {
            api::below(&session.vm(group, vm)?, "runCommands", EXTENSION)
        }
        (_, _, location) => {
            let location = location.as_deref().unwrap_or_default();
            let what =
                format!("providers/Microsoft.Compute/locations/{location}/runCommands");
            api::below(&session.scope(None)?, &what, EXTENSION)
        }
    };
    Ok(Answer::new(flat(Value::Array(session.client.list(&path).await?))))
}
