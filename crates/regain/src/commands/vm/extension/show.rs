//! `vm extension show`

use crate::api::{self, COMPUTE};
use crate::args::vm::ShowExtension;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(in crate::commands::vm) async fn run(
    args: ShowExtension,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut path = api::path(&super::id(&session, &args.vm, &args.name)?, COMPUTE);
    if args.instance_view {
        path.push_str("&$expand=instanceView");
    }
    Ok(Answer::new(flat(session.client.get(&path).await?)))
}
