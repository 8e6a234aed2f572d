//! `group delete`

use arm::Method;

use crate::api::{self, RESOURCES};
use crate::args::group::Delete;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Delete, context: &Context) -> Result<Answer, Failure> {
    let name = &args.group.name;
    context.confirm(
        &format!(
            "Are you sure you want to delete the group '{name}' and everything in it?"
        ),
        args.yes,
    )?;
    let session = context.sign_in().await?;
    let path = api::path(&session.group(name)?, RESOURCES);
    let operation = session.client.begin(Method::DELETE, &path, None).await?;
    if !args.no_wait {
        operation.wait().await?;
    }
    Ok(Answer::done())
}
