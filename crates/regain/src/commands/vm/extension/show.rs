//! `vm extension show`

use super::super::side_by_side;
use super::columns;
use crate::api::{self, EXTENSION};
use crate::args::vm::ShowExtension;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape;

pub(super) async fn run(
    args: ShowExtension,
    context: &Context,
) -> Result<Answer, Failure> {
    let extensions = super::read(&args.extension)?;
    let session = context.sign_in().await?;
    let extensions = extensions.of(&session)?;
    let answer = side_by_side::each(context, extensions, |id| {
        let client = session.client.clone();
        let path = if args.instance_view {
            api::with_instance_view(&id, EXTENSION)
        } else {
            api::path(&id, EXTENSION)
        };
        async move { Ok(shape::extension(client.get(&path).await?)) }
    });
    Ok(answer.await?.with_columns(columns))
}
