//! `network route-table`

use serde_json::json;

use super::route;
use crate::args::network::route_table::{Change, Create, RouteTable};
use crate::commands::noun::{self, at};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(table: RouteTable, context: &Context) -> Result<Answer, Failure> {
    match table {
        RouteTable::Create(args) => create(args, context).await,
        RouteTable::List(args) => noun::list_all(args, context).await,
        RouteTable::Show(args) => noun::show(args, context).await,
        RouteTable::Update(args) => update(args, context).await,
        RouteTable::Delete(args) => noun::delete(args, context).await,
        RouteTable::Wait(args) => noun::wait(args, context).await,
        RouteTable::Route(args) => route::run(args, context).await,
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let location =
        noun::location(&session, &args.named.group, args.location.as_ref()).await?;
    let mut body = json!({ "location": location });
    if let Some(disabled) = args.options.disable_bgp_route_propagation {
        body["properties"] = json!({ "disableBgpRoutePropagation": disabled });
    }
    if let Some(tags) = args.options.tags.given() {
        body["tags"] = tags.into();
    }
    let table = noun::create(&args.named, &session, &body, args.wait.no_wait).await?;
    Ok(Answer::new(table))
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    noun::update(&args.update, Some(&args.options.tags), context, |table, _, _| {
        if let Some(disabled) = args.options.disable_bgp_route_propagation {
            at(table, "properties")["disableBgpRoutePropagation"] = disabled.into();
        }
        Ok(())
    })
    .await
}
