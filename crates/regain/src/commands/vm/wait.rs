//! `vm wait`

use serde_json::Value;

use super::{side_by_side, targets};
use crate::api::{self, VM};
use crate::args::vm::WaitVm;
use crate::commands::noun::until;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape;

pub(super) async fn run(args: WaitVm, context: &Context) -> Result<Answer, Failure> {
    let vms = targets::read(&args.vm)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    let conditions = std::sync::Arc::new(args.until);
    side_by_side::each(context, vms, |vm| {
        let (session, conditions) = (session.clone(), conditions.clone());
        async move {
            let path = api::with_instance_view(&vm, VM);
            until(&conditions, &session, &path, shape::vm).await?;
            Ok(Value::Null)
        }
    })
    .await
}
