//! `vm extension wait`

use serde_json::Value;

use super::super::side_by_side;
use crate::api::{self, EXTENSION};
use crate::args::vm::WaitExtension;
use crate::commands::noun::until;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape;

pub(super) async fn run(
    args: WaitExtension,
    context: &Context,
) -> Result<Answer, Failure> {
    let extensions = super::read(&args.extension)?;
    let session = context.sign_in().await?;
    let extensions = extensions.of(&session)?;
    let conditions = std::sync::Arc::new(args.until);
    side_by_side::each(context, extensions, |id| {
        let (session, conditions) = (session.clone(), conditions.clone());
        async move {
            let path = api::with_instance_view(&id, EXTENSION);
            until(&conditions, &session, &path, shape::extension).await?;
            Ok(Value::Null)
        }
    })
    .await
}
