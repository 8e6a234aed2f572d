//! `group show`

use crate::api::{self, RESOURCES};
use crate::args::group::Named;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Named, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let id = session.group(&args.name)?;
    Ok(Answer::new(session.client.get(&api::path(&id, RESOURCES)).await?))
}
