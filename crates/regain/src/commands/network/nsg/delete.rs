//! `network nsg delete`

use crate::api::{self, NETWORK};
use crate::args::network::Named;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Named, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let id = super::id(&session, &args.group, &args.name)?;
    session.client.delete(&api::path(&id, NETWORK)).await?;
    Ok(Answer::done())
}
