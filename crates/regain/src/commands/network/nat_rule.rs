//! `network lb inbound-nat-rule`
//!
//! az writes these rules through their load balancer, and so does this.

use serde_json::{Value, json};

use crate::args::network::nat_rule::{Change, Create, NatRule, Options};
use crate::commands::noun::part::{self, Parent};
use crate::commands::noun::{Properties, at};
use crate::context::Context;
use crate::edit;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(rule: NatRule, context: &Context) -> Result<Answer, Failure> {
    match rule {
        NatRule::Create(args) => create(args, context).await,
        NatRule::List(args) => part::list(args, context).await,
        NatRule::Show(args) => part::show(args, context).await,
        NatRule::Update(args) => update(args, context).await,
        NatRule::Delete(args) => {
            part::delete(args.named, args.wait.no_wait, context).await
        }
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let mut balancer = Parent::of(&args.named, context).await?;
    let mut properties = json!({});
    if args.options.frontend_ip.is_none() {
        let frontends =
            balancer.document["properties"]["frontendIPConfigurations"].as_array();
        match frontends.map(Vec::as_slice) {
            Some([only]) => {
                properties["frontendIPConfiguration"] = json!({ "id": only["id"] });
            }
            Some([_, _, ..]) => {
                return Err(Failure::new(
                    "Multiple FrontendIpConfigurations found in loadbalancer. \
                     Specify --frontend-ip explicitly.",
                ));
            }
            _ => {}
        }
    }
    set(&mut properties, &args.options, &balancer)?;
    let name = args.named.name;
    let rule = json!({ "name": name, "properties": properties });
    match balancer.parts.iter_mut().find(|part| part["name"] == name.as_str()) {
        Some(present) => *present = rule,
        None => balancer.parts.push(rule),
    }
    balancer.answer(&name, args.wait.no_wait).await
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    let mut balancer = Parent::of(&args.named, context).await?;
    let mut rule = balancer.part(&args.named.name)?.take();
    set(at(&mut rule, "properties"), &args.options, &balancer)?;
    edit::apply(&mut rule, &args.edits)?;
    if let Some(place) = balancer.parts.iter_mut().find(|part| part.is_null()) {
        *place = rule;
    }
    balancer.answer(&args.named.name, args.wait.no_wait).await
}

fn set(
    properties: &mut Value,
    options: &Options,
    balancer: &Parent,
) -> Result<(), Failure> {
    let part = |collection: &str, name: &Option<String>| {
        let name = name.as_ref()?;
        let detach = name.is_empty() || name == "null";
        let id = if name.starts_with('/') {
            name.clone()
        } else {
            format!("{}/{collection}/{name}", balancer.id)
        };
        Some(if detach { Value::Null } else { json!({ "id": id }) })
    };
    Properties::default()
        .with("protocol", options.protocol.as_deref())
        .with("backendPort", options.backend_port)
        .with("frontendPort", options.frontend_port)
        .with("frontendPortRangeStart", options.frontend_port_range_start)
        .with("frontendPortRangeEnd", options.frontend_port_range_end)
        .with(
            "frontendIPConfiguration",
            part("frontendIPConfigurations", &options.frontend_ip),
        )
        .with(
            "backendAddressPool",
            part("backendAddressPools", &options.backend_pool_name),
        )
        .with("idleTimeoutInMinutes", options.idle_timeout)
        .with("enableFloatingIP", options.floating_ip)
        .with("enableTcpReset", options.enable_tcp_reset)
        .put_into(properties)
}
