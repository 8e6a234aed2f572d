//! `network nsg`

use serde_json::json;

use super::rule;
use crate::args::network::nsg::{Change, Create, Nsg};
use crate::commands::noun::{self, Properties};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(nsg: Nsg, context: &Context) -> Result<Answer, Failure> {
    match nsg {
        Nsg::Create(args) => create(args, context).await,
        Nsg::List(args) => noun::list_all(args, context).await,
        Nsg::Show(args) => noun::show(args, context).await,
        Nsg::Update(args) => update(args, context).await,
        Nsg::Delete(args) => noun::delete(args, context).await,
        Nsg::Wait(args) => noun::wait(args, context).await,
        Nsg::Rule(args) => rule::run(args, context).await,
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let location =
        noun::location(&session, &args.named.group, args.location.as_ref()).await?;
    let body = Properties::default()
        .with("location", Some(location))
        .with("tags", args.tags.given());
    let nsg =
        noun::create(&args.named, &session, &body.into(), args.wait.no_wait).await?;
    Ok(noun::under("NewNSG", &nsg))
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    noun::update(&args.update, Some(&args.tags), context, |nsg, _, _| {
        if let Some(location) = &args.location {
            nsg["location"] = json!(location);
        }
        Ok(())
    })
    .await
}
