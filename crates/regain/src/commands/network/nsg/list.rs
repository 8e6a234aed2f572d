//! `network nsg list`

use serde_json::Value;

use crate::api::{self, NETWORK};
use crate::args::network::List;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(super) async fn run(args: List, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let scope = session.scope(args.group.as_deref())?;
    let path =
        api::below(&scope, "providers/Microsoft.Network/networkSecurityGroups", NETWORK);
    let nsgs = session.client.list(&path).await?;
    Ok(Answer::new(flat(Value::Array(nsgs))))
}
