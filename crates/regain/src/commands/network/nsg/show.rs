//! `network nsg show`

use crate::api::{self, NETWORK};
use crate::args::network::Named;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(super) async fn run(args: Named, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let id = super::id(&session, &args.group, &args.name)?;
    Ok(Answer::new(flat(session.client.get(&api::path(&id, NETWORK)).await?)))
}
