//! `network lb`
//!
//! A new load balancer comes by a template deployment, as az sends it, with the
//! public address that it needs.

use serde_json::{Map, Value, json};

use super::nat_rule;
use crate::api::{self, RESOURCES};
use crate::args::network::load_balancer::{AddressPool, Change, Create, FrontendIp, Lb};
use crate::commands::noun::{self, part};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;
use crate::shape;

pub(super) async fn run(balancer: Lb, context: &Context) -> Result<Answer, Failure> {
    match balancer {
        Lb::Create(args) => create(*args, context).await,
        Lb::List(args) => noun::list_all(args, context).await,
        Lb::Show(args) => noun::show(args, context).await,
        Lb::Update(args) => update(args, context).await,
        Lb::Delete(args) => noun::delete(args, context).await,
        Lb::Wait(args) => noun::wait(args, context).await,
        Lb::FrontendIp(FrontendIp::List(args)) => part::list(args, context).await,
        Lb::FrontendIp(FrontendIp::Show(args)) => part::show(args, context).await,
        Lb::AddressPool(AddressPool::List(args)) => noun::list_all(args, context).await,
        Lb::AddressPool(AddressPool::Show(args)) => noun::target(args, context).await,
        Lb::InboundNatRule(args) => nat_rule::run(args, context).await,
    }
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    noun::update(&args.update, Some(&args.tags), context, |_, _, _| Ok(())).await
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let group = &args.named.group;
    let location = noun::location(&session, group, args.location.as_ref()).await?;
    if args.subnet.is_some() && args.public_ip_address.is_some() {
        return Err(Failure::new(
            "incorrect usage: --subnet NAME --vnet-name NAME | --subnet ID | \
             --public-ip-address NAME_OR_ID",
        ));
    }
    let mut resources = Vec::new();
    let mut frontend = json!({ "privateIPAddressVersion": "IPv4" });
    let mut needs = Vec::new();
    if let Some(subnet) = &args.subnet {
        let vnet = args.vnet_name.as_deref().unwrap_or_default();
        let kind = format!("Microsoft.Network/virtualNetworks/{vnet}/subnets");
        frontend["subnet"] = noun::reference(&session, group, kind, subnet);
        let address = args.private_ip_address.as_deref();
        frontend["privateIPAllocationMethod"] =
            if address.is_some() { "Static" } else { "Dynamic" }.into();
        if let Some(address) = address {
            frontend["privateIPAddress"] = address.into();
        }
    } else if args.public_ip_address.as_deref() != Some("") {
        let kind = "Microsoft.Network/publicIPAddresses";
        let made = format!("PublicIP{}", args.named.name);
        let name = args.public_ip_address.as_ref().unwrap_or(&made);
        frontend["publicIPAddress"] = noun::reference(&session, group, kind, name);
        if !exists(&session, group, args.public_ip_address.as_deref()).await? {
            needs.push(format!("Microsoft.Network/publicIpAddresses/{name}"));
            resources.push(public_address(&args, name, &location));
        }
    }
    let pool = args
        .backend_pool_name
        .clone()
        .unwrap_or_else(|| format!("{}bepool", args.named.name));
    resources.push(json!({
        "type": "Microsoft.Network/loadBalancers", "name": args.named.name,
        "location": location, "tags": args.tags.map(), "apiVersion": "2023-04-01",
        "dependsOn": needs,
        "properties": {
            "backendAddressPools": [{ "name": pool }],
            "frontendIPConfigurations": [
                { "name": args.frontend_ip_name, "properties": frontend },
            ],
        },
        "sku": { "name": args.sku },
    }));
    let output = format!("[reference('{}')]", args.named.name);
    let body = json!({ "properties": {
        "template": {
            "$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0", "parameters": {}, "variables": {},
            "resources": resources,
            "outputs": { "loadBalancer": { "type": "object", "value": output } },
        },
        "parameters": {}, "mode": "incremental",
    }});
    let name = format!("lb_deploy_{}", uuid::Uuid::new_v4().simple());
    let id = session.resource(group, "Microsoft.Resources/deployments", &name)?;
    let path = api::path(&id, RESOURCES);
    let deployment =
        noun::begin(&session, arm::Method::PUT, &path, Some(&body), args.wait.no_wait)
            .await?;
    Ok(outputs(&deployment))
}

/// Whether there is such an address already. One that has no name yet is new.
async fn exists(
    session: &Session,
    group: &str,
    address: Option<&str>,
) -> Result<bool, Failure> {
    let Some(name) = address else { return Ok(false) };
    if name.starts_with('/') {
        return Ok(true);
    }
    let id = session.resource(group, "Microsoft.Network/publicIPAddresses", name)?;
    match session.client.get(&api::path(&id, "2022-01-01")).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn public_address(args: &Create, name: &str, location: &Value) -> Value {
    let static_address = args.sku == "Standard";
    let method = args
        .public_ip_address_allocation
        .as_deref()
        .unwrap_or(if static_address { "Static" } else { "Dynamic" });
    let mut properties = json!({ "publicIPAllocationMethod": method });
    if let Some(label) = &args.public_ip_dns_name {
        properties["dnsSettings"] = json!({ "domainNameLabel": label });
    }
    json!({
        "apiVersion": "2022-05-01", "type": "Microsoft.Network/publicIPAddresses",
        "name": name, "location": location, "tags": args.tags.map(), "dependsOn": [],
        "properties": properties, "sku": { "name": args.sku },
    })
}

/// az prints the values of a deployment's outputs.
fn outputs(deployment: &Value) -> Answer {
    let Some(outputs) = deployment["properties"]["outputs"].as_object() else {
        return Answer::done();
    };
    let values: Map<String, Value> = outputs
        .iter()
        .map(|(name, output)| (name.clone(), output["value"].clone()))
        .collect();
    let mut values = Value::Object(values);
    shape::with_groups(&mut values);
    Answer::new(values)
}
