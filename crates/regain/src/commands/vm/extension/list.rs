//! `vm extension list`

use serde_json::Value;

use super::super::{side_by_side, targets};
use super::columns;
use crate::api::{self, EXTENSION};
use crate::args::vm::ListExtensions;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape;

pub(super) async fn run(
    args: ListExtensions,
    context: &Context,
) -> Result<Answer, Failure> {
    let vms = targets::chosen(
        "--vm-name",
        args.group.as_deref(),
        args.vm_name.as_deref(),
        &args.ids,
    )?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    let answer = side_by_side::each(context, vms, |vm| {
        let client = session.client.clone();
        async move {
            let path = api::below(&vm, "extensions", EXTENSION);
            let extensions = client.list(&path).await?;
            Ok(extensions.into_iter().map(shape::extension).collect::<Value>())
        }
    });
    Ok(answer.await?.with_columns(columns))
}
