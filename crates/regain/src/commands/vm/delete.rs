//! `vm delete`

use arm::Method;

use super::targets;
use crate::api::{self, COMPUTE};
use crate::args::vm::Delete;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Delete, context: &Context) -> Result<Answer, Failure> {
    context.confirm("Are you sure you want to perform this operation?", args.yes)?;
    let session = context.sign_in().await?;
    let mut operations = Vec::new();
    for vm in targets::of(&args.vm, &session)? {
        let path = api::path(&vm, COMPUTE);
        // ARM answers a DELETE of nothing with 204; az asks first, so that a
        // mistyped name is an error.
        session.client.get(&path).await?;
        operations.push(session.client.begin(Method::DELETE, &path, None).await?);
    }
    if !args.no_wait {
        for operation in operations {
            operation.wait().await?;
        }
    }
    Ok(Answer::done())
}
