//! `vm show`

use super::list::columns;
use super::{side_by_side, targets};
use crate::api::{self, VM};
use crate::args::vm::Show;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape;
use crate::vm_details;

pub(super) async fn run(args: Show, context: &Context) -> Result<Answer, Failure> {
    let vms = targets::read(&args.vm)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    let answer = side_by_side::each(context, vms, |vm| {
        let client = session.client.clone();
        let details = args.show_details;
        async move {
            if details {
                vm_details::show(&client, &vm).await
            } else {
                Ok(shape::vm(client.get(&api::path(&vm, VM)).await?))
            }
        }
    });
    Ok(answer.await?.with_columns(columns))
}
