//! `network vnet`

use serde_json::{Value, json};

use super::subnet;
use crate::args::network::vnet::{Change, Create, Options, Vnet};
use crate::commands::noun::{self, Properties, at};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(vnet: Vnet, context: &Context) -> Result<Answer, Failure> {
    match vnet {
        Vnet::Create(args) => create(args, context).await,
        Vnet::List(args) => {
            Ok(noun::list_all(args, context).await?.with_columns(columns))
        }
        Vnet::Show(args) => noun::show(args, context).await,
        Vnet::Update(args) => update(args, context).await,
        Vnet::Delete(args) => noun::delete(args, context).await,
        Vnet::Wait(args) => noun::wait(args, context).await,
        Vnet::Subnet(args) => subnet::run(args, context).await,
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let group = &args.named.group;
    let location = noun::location(&session, group, args.location.as_ref()).await?;
    let options = Options {
        address_prefixes: args
            .options
            .address_prefixes
            .or_else(|| Some(vec!["10.0.0.0/16".to_owned()])),
        ddos_protection: args.options.ddos_protection.or(Some(false)),
        vm_protection: args.options.vm_protection.or(Some(false)),
        ..args.options
    };
    let mut body = json!({ "location": location, "properties": {} });
    set(&mut body["properties"], &options)?;
    if let Some(name) = args.subnet_name {
        let nsg = "Microsoft.Network/networkSecurityGroups";
        let prefixes = body["properties"]["addressSpace"]["addressPrefixes"][0].as_str();
        let prefixes = args
            .subnet_prefixes
            .unwrap_or_else(|| prefixes.and_then(first_block).into_iter().collect());
        let properties = match prefixes.as_slice() {
            [only] => Properties::default().with("addressPrefix", Some(only.as_str())),
            several => {
                Properties::default().with("addressPrefixes", Some(noun::list(several)))
            }
        }
        .with(
            "networkSecurityGroup",
            noun::attached(&session, group, nsg, args.network_security_group.as_ref()),
        );
        body["properties"]["subnets"] =
            json!([{ "name": name, "properties": Value::from(properties) }]);
    }
    if let Some(tags) = args.tags.given() {
        body["tags"] = tags.into();
    }
    let vnet = noun::create(&args.named, &session, &body, args.wait.no_wait).await?;
    Ok(noun::under("newVNet", &vnet))
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    noun::update(&args.update, None, context, |vnet, _, _| {
        set(at(vnet, "properties"), &args.options)
    })
    .await
}

fn set(properties: &mut Value, options: &Options) -> Result<(), Failure> {
    if let Some(prefixes) = &options.address_prefixes {
        at(properties, "addressSpace")["addressPrefixes"] = noun::list(prefixes);
    }
    if let Some(servers) = &options.dns_servers {
        let servers = noun::list(servers);
        at(properties, "dhcpOptions")["dnsServers"] =
            if servers.is_null() { json!([]) } else { servers };
    }
    Properties::default()
        .with("flowTimeoutInMinutes", options.flowtimeout)
        .with("enableDdosProtection", options.ddos_protection)
        .with("enableVmProtection", options.vm_protection)
        .put_into(properties)
}

/// The first /24 of a prefix, or all of it where it is smaller.
fn first_block(prefix: &str) -> Option<String> {
    let (address, bits) = prefix.split_once('/')?;
    let bits: u8 = bits.parse().ok()?;
    Some(format!("{address}/{}", bits.max(24)))
}

/// az's columns for VNets.
fn columns(vnets: &Value) -> Value {
    vnets.as_array().into_iter().flatten().map(row).collect()
}

fn row(vnet: &Value) -> Value {
    let joined = |list: &Value| -> Value {
        let all: Vec<&str> =
            list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if all.is_empty() { " ".into() } else { all.join(", ").into() }
    };
    let flag = |key: &str| vnet.get(key).cloned().unwrap_or_else(|| " ".into());
    json!({
        "Name": vnet["name"],
        "ResourceGroup": vnet["resourceGroup"],
        "Location": vnet["location"],
        "NumSubnets": vnet["subnets"].as_array().map_or(0, Vec::len),
        "Prefixes": joined(&vnet["addressSpace"]["addressPrefixes"]),
        "DnsServers": joined(&vnet["dhcpOptions"]["dnsServers"]),
        "DDOSProtection": flag("enableDdosProtection"),
        "VMProtection": flag("enableVmProtection"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_subnet_takes_the_first_block() {
        assert_eq!(first_block("10.1.0.0/16").as_deref(), Some("10.1.0.0/24"));
        assert_eq!(first_block("10.1.0.0/28").as_deref(), Some("10.1.0.0/28"));
    }

    #[test]
    fn a_row_counts_subnets_and_joins_prefixes() {
        let row = row(&json!({
            "name": "v", "subnets": [{}, {}], "enableVmProtection": false,
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16", "10.1.0.0/16"]},
        }));
        assert_eq!(row["NumSubnets"], 2);
        assert_eq!(row["Prefixes"], "10.0.0.0/16, 10.1.0.0/16");
        assert_eq!(row["DnsServers"], " ");
        assert_eq!(
            (&row["DDOSProtection"], &row["VMProtection"]),
            (&json!(" "), &json!(false))
        );
    }
}
