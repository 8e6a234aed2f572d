//! `vm list-sizes`

use serde_json::Value;

use crate::api::{self, EXTENSION};
use crate::args::vm::ListSizes;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: ListSizes, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let what = format!("providers/Microsoft.Compute/locations/{}/vmSizes", args.location);
    let path = api::below(&session.scope(None)?, &what, EXTENSION);
    Ok(Answer::new(Value::Array(session.client.list(&path).await?)))
}
