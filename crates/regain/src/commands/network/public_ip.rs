//! `network public-ip`

use serde_json::{Value, json};

use crate::args::network::public_ip::{Change, Create, Options, PublicIp};
use crate::commands::noun::{self, Properties, at};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(address: PublicIp, context: &Context) -> Result<Answer, Failure> {
    match address {
        PublicIp::Create(args) => create(args, context).await,
        PublicIp::List(args) => {
            Ok(noun::list_all(args, context).await?.with_columns(columns))
        }
        PublicIp::Show(args) => {
            Ok(noun::show(args, context).await?.with_columns(columns))
        }
        PublicIp::Update(args) => update(args, context).await,
        PublicIp::Delete(args) => noun::delete(args, context).await,
        PublicIp::Wait(args) => noun::wait(args, context).await,
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let group = &args.named.group;
    let location = noun::location(&session, group, args.location.as_ref()).await?;
    let sku = args.options.sku.clone().unwrap_or_else(|| "Standard".to_owned());
    let method = if sku == "Standard" { "Static" } else { "Dynamic" };
    let options = Options {
        allocation_method: args
            .options
            .allocation_method
            .clone()
            .or_else(|| Some(method.to_owned())),
        idle_timeout: args.options.idle_timeout.or(Some(4)),
        sku: Some(sku),
        ..args.options
    };
    let mut body = json!({ "location": location, "properties": {} });
    set(&mut body, &options)?;
    if let Some(tier) = args.tier {
        body["sku"]["tier"] = tier.into();
    }
    if let Some(zones) = &args.zone {
        body["zones"] = noun::list(zones);
    }
    if let Some(tags) = args.tags.given() {
        body["tags"] = tags.into();
    }
    let address = noun::create(&args.named, &session, &body, false).await?;
    Ok(noun::under("publicIp", &address))
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    noun::update(&args.update, Some(&args.tags), context, |address, _, _| {
        set(address, &args.options)
    })
    .await
}

fn set(address: &mut Value, options: &Options) -> Result<(), Failure> {
    if let Some(sku) = &options.sku {
        at(address, "sku")["name"] = sku.as_str().into();
    }
    let properties = at(address, "properties");
    if options.dns_name.is_some() || options.reverse_fqdn.is_some() {
        Properties::default()
            .with("domainNameLabel", options.dns_name.as_deref().map(noun::or_null))
            .with("reverseFqdn", options.reverse_fqdn.as_deref().map(noun::or_null))
            .put_into(at(properties, "dnsSettings"))?;
        // Without a label there is no name to keep.
        if properties["dnsSettings"]["domainNameLabel"].is_null()
            && let Some(properties) = properties.as_object_mut()
        {
            properties.shift_remove("dnsSettings");
        }
    }
    Properties::default()
        .with("publicIPAllocationMethod", options.allocation_method.as_deref())
        .with("publicIPAddressVersion", options.version.as_deref())
        .with("idleTimeoutInMinutes", options.idle_timeout)
        .put_into(properties)
}

/// az's columns for addresses. `AddressVersion` and `AllocationMethod` stand in
/// its list too, but it looks for them under names that ARM does not use.
fn columns(addresses: &Value) -> Value {
    match addresses {
        Value::Array(addresses) => addresses.iter().map(row).collect(),
        address => row(address),
    }
}

fn row(address: &Value) -> Value {
    let zones: Vec<&str> = address["zones"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    json!({
        "Name": address["name"],
        "ResourceGroup": address["resourceGroup"],
        "Location": address["location"],
        "Zones": if zones.is_empty() { " ".to_owned() } else { zones.join(" ") },
        "Address": address["ipAddress"],
        "AddressVersion": address["publicIpAddressVersion"],
        "AllocationMethod": address["publicIpAllocationMethod"],
        "IdleTimeoutInMinutes": address["idleTimeoutInMinutes"],
        "ProvisioningState": address["provisioningState"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_taken_away_takes_its_settings_along() {
        let options = Options {
            dns_name: Some(String::new()),
            allocation_method: None,
            idle_timeout: Some(9),
            reverse_fqdn: None,
            sku: None,
            version: None,
        };
        let mut address = json!({"properties": {"dnsSettings": {"domainNameLabel": "a", "fqdn": "a.b"}}});
        set(&mut address, &options).unwrap();
        assert_eq!(address, json!({"properties": {"idleTimeoutInMinutes": 9}}));
    }
}
