//! `vm delete`

use arm::Method;
use serde_json::Value;

use super::{side_by_side, targets};
use crate::api::{self, EXTENSION};
use crate::args::vm::Delete;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Delete, context: &Context) -> Result<Answer, Failure> {
    let vms = targets::read(&args.vm)?;
    context.confirm("Are you sure you want to perform this operation?", args.yes)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    side_by_side::each(context, vms, |vm| {
        let client = session.client.clone();
        let wait = !args.no_wait;
        async move {
            let path = api::path(&vm, EXTENSION);
            // As in az, what is not there is deleted already: ARM answers 204.
            let operation = client.begin(Method::DELETE, &path, None).await?;
            if wait {
                operation.wait().await?;
            }
            Ok(Value::Null)
        }
    })
    .await
}
