//! `network nsg create`

use serde_json::json;

use crate::api::{self, NETWORK, RESOURCES};
use crate::args::network::Create;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(super) async fn run(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let location = match args.location {
        Some(location) => location.into(),
        None => {
            let group = api::path(&session.group(&args.nsg.group)?, RESOURCES);
            session.client.get(&group).await?["location"].take()
        }
    };
    let id = super::id(&session, &args.nsg.group, &args.nsg.name)?;
    let body = json!({ "location": location, "tags": args.tags.map(), "properties": {} });
    let nsg = session.client.put(&api::path(&id, NETWORK), &body).await?;
    Ok(Answer::new(json!({ "NewNSG": flat(nsg) })))
}
