//! `network nsg rule delete`

use crate::api::{self, NETWORK};
use crate::args::network::DeleteRule;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: DeleteRule, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let nsg = super::super::id(&session, &args.group, &args.nsg_name)?;
    let id = nsg.with_child("securityRules", &args.name).map_err(|_| {
        Failure::usage(format!("'{}' cannot be the name of a rule", args.name))
    })?;
    session.client.delete(&api::path(&id, NETWORK)).await?;
    Ok(Answer::done())
}
