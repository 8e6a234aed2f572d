//! `vm show`

use super::list::columns;
use super::targets;
use crate::api::{self, COMPUTE};
use crate::args::vm::Show;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;
use crate::vm_details;

pub(super) async fn run(args: Show, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut documents = Vec::new();
    for vm in targets::of(&args.vm, &session)? {
        documents.push(if args.show_details {
            vm_details::show(&session.client, &vm).await?
        } else {
            flat(session.client.get(&api::path(&vm, COMPUTE)).await?)
        });
    }
    Ok(Answer::of_each(documents).with_columns(columns))
}
