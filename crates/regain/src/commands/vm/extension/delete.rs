//! `vm extension delete`

use arm::Method;

use crate::api::{self, COMPUTE};
use crate::args::vm::DeleteExtension;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(in crate::commands::vm) async fn run(
    args: DeleteExtension,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let path = api::path(&super::id(&session, &args.vm, &args.name)?, COMPUTE);
    let operation = session.client.begin(Method::DELETE, &path, None).await?;
    if !args.no_wait {
        operation.wait().await?;
    }
    Ok(Answer::done())
}
