//! `vm extension delete`

use arm::Method;
use serde_json::Value;

use super::super::side_by_side;
use crate::api::{self, EXTENSION};
use crate::args::vm::DeleteExtension;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(
    args: DeleteExtension,
    context: &Context,
) -> Result<Answer, Failure> {
    let extensions = super::read(&args.extension)?;
    let session = context.sign_in().await?;
    let extensions = extensions.of(&session)?;
    side_by_side::each(context, extensions, |id| {
        let client = session.client.clone();
        let wait = !args.no_wait;
        async move {
            let path = api::path(&id, EXTENSION);
            let operation = client.begin(Method::DELETE, &path, None).await?;
            if wait {
                operation.wait().await?;
            }
            Ok(Value::Null)
        }
    })
    .await
}
