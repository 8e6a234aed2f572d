//! `network vnet subnet`

use serde_json::{Value, json};

use crate::args::network::subnet::{Change, Create, Options, Subnet};
use crate::commands::noun::{self, Properties, at};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

pub(super) async fn run(subnet: Subnet, context: &Context) -> Result<Answer, Failure> {
    match subnet {
        Subnet::Create(args) => create(args, context).await,
        Subnet::List(args) => noun::list_all(args, context).await,
        Subnet::Show(args) => noun::show(args, context).await,
        Subnet::Update(args) => update(args, context).await,
        Subnet::Delete(args) => noun::delete(args, context).await,
        Subnet::Wait(args) => noun::wait(args, context).await,
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let or =
        |given: Option<String>, default: &str| given.or_else(|| Some(default.to_owned()));
    let options = args.options;
    let options = Options {
        private_endpoint_network_policies: or(
            options.private_endpoint_network_policies,
            "Disabled",
        ),
        private_link_service_network_policies: or(
            options.private_link_service_network_policies,
            "Enabled",
        ),
        ..options
    };
    let mut properties = json!({});
    set(&mut properties, &options, &session, &args.named.group)?;
    let body = json!({ "name": args.named.name, "properties": properties });
    let subnet = noun::create(&args.named, &session, &body, args.wait.no_wait).await?;
    Ok(Answer::new(subnet))
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    noun::update(&args.update, None, context, |subnet, place, session| {
        set(at(subnet, "properties"), &args.options, session, &place.group)
    })
    .await
}

fn set(
    properties: &mut Value,
    options: &Options,
    session: &Session,
    group: &str,
) -> Result<(), Failure> {
    let attached = |kind: &str, name: &Option<String>| {
        noun::attached(session, group, format!("Microsoft.Network/{kind}"), name.as_ref())
    };
    let mut prefixes = Properties::default();
    if let Some(words) = &options.address_prefixes {
        // ARM keeps one value and several under different names.
        let all = noun::list(words);
        let (one, many) = match all.as_array().map(Vec::as_slice) {
            Some([only]) => (only.clone(), Value::Null),
            _ => (Value::Null, all),
        };
        prefixes =
            prefixes.with("addressPrefix", Some(one)).with("addressPrefixes", Some(many));
    }
    prefixes
        .with(
            "networkSecurityGroup",
            attached("networkSecurityGroups", &options.network_security_group),
        )
        .with("routeTable", attached("routeTables", &options.route_table))
        .with("natGateway", attached("natGateways", &options.nat_gateway))
        .with("delegations", options.delegations.as_deref().map(delegations))
        .with("serviceEndpoints", options.service_endpoints.as_deref().map(endpoints))
        .with("defaultOutboundAccess", options.default_outbound_access)
        .with(
            "privateEndpointNetworkPolicies",
            options.private_endpoint_network_policies.as_deref(),
        )
        .with(
            "privateLinkServiceNetworkPolicies",
            options.private_link_service_network_policies.as_deref(),
        )
        .put_into(properties)
}

fn delegations(words: &[String]) -> Value {
    each(words, |at, service| {
        // `Microsoft.Sql.servers` means `Microsoft.Sql/servers`.
        let service = match service.split('.').collect::<Vec<_>>().as_slice() {
            [_, name, kind] if !service.contains('/') => {
                format!("Microsoft.{name}/{kind}")
            }
            _ => service.to_owned(),
        };
        json!({ "name": at.to_string(), "properties": { "serviceName": service } })
    })
}

fn endpoints(words: &[String]) -> Value {
    each(words, |_, service| json!({ "service": service }))
}

fn each(words: &[String], make: impl Fn(usize, &str) -> Value) -> Value {
    match noun::list(words) {
        Value::Array(items) => {
            let items = items.iter().filter_map(Value::as_str).enumerate();
            items.map(|(at, item)| make(at, item)).collect()
        }
        null => null,
    }
}
