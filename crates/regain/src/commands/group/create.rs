//! `group create`

use serde_json::json;

use crate::api::{self, RESOURCES};
use crate::args::group::Create;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let id = session.group(&args.group.name)?;
    let body = json!({ "location": args.location, "tags": args.tags.map() });
    Ok(Answer::new(session.client.put(&api::path(&id, RESOURCES), &body).await?))
}
