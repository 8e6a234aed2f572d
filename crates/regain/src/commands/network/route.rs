//! `network route-table route`

use serde_json::{Value, json};

use crate::args::network::route::{Change, Create, Hop, Route};
use crate::commands::noun::{self, Properties, at};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(route: Route, context: &Context) -> Result<Answer, Failure> {
    match route {
        Route::Create(args) => create(args, context).await,
        Route::List(args) => noun::list_all(args, context).await,
        Route::Show(args) => noun::target(args, context).await,
        Route::Update(args) => update(args, context).await,
        Route::Delete(args) => noun::delete(args, context).await,
        Route::Wait(args) => noun::wait(args, context).await,
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut properties = json!({});
    set(&mut properties, &args.hop)?;
    let body = json!({ "name": args.named.name, "properties": properties });
    let route = noun::create(&args.named, &session, &body, args.wait.no_wait).await?;
    Ok(Answer::new(route))
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    noun::update(&args.update, None, context, |route, _, _| {
        set(at(route, "properties"), &args.hop)
    })
    .await
}

fn set(properties: &mut Value, hop: &Hop) -> Result<(), Failure> {
    Properties::default()
        .with("addressPrefix", hop.address_prefix.as_deref())
        .with("nextHopType", hop.next_hop_type.as_deref())
        .with("nextHopIpAddress", hop.next_hop_ip_address.as_deref().map(noun::or_null))
        .put_into(properties)
}
