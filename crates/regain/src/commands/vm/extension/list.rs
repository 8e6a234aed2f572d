//! `vm extension list`

use serde_json::Value;

use crate::api::{self, COMPUTE};
use crate::args::vm::ListExtensions;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(in crate::commands::vm) async fn run(
    args: ListExtensions,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let vm = session.vm(&args.group, &args.vm_name)?;
    let path = api::below(&vm, "extensions", COMPUTE);
    let extensions = session.client.list(&path).await?;
    Ok(Answer::new(flat(Value::Array(extensions))))
}
