//! `network nic`

use arm::{Method, ResourceId};
use serde_json::{Value, json};

use super::ip_config;
use crate::api;
use crate::args::network::nic::{Change, Create, Effective, Nic, Options};
use crate::commands::noun::{self, Properties, at};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;
use crate::shape::flat;

/// az asks for effective rules and routes with a version of its own.
const EFFECTIVE: &str = "2022-01-01";

pub(super) async fn run(nic: Nic, context: &Context) -> Result<Answer, Failure> {
    match nic {
        Nic::Create(args) => create(*args, context).await,
        Nic::List(args) => noun::list_all(args, context).await,
        Nic::Show(args) => noun::show(args, context).await,
        Nic::Update(args) => update(args, context).await,
        Nic::Delete(args) => noun::delete(args, context).await,
        Nic::Wait(args) => noun::wait(args, context).await,
        Nic::ListEffectiveNsg(args) => {
            let answer =
                effective(args, "effectiveNetworkSecurityGroups", context).await?;
            Ok(answer.with_columns(effective_rules))
        }
        Nic::ShowEffectiveRouteTable(args) => {
            let answer = effective(args, "effectiveRouteTable", context).await?;
            Ok(answer.with_columns(effective_routes))
        }
        Nic::IpConfig(args) => ip_config::run(args, context).await,
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let group = &args.named.group;
    let location = noun::location(&session, group, args.location.as_ref()).await?;
    let mut configuration = json!({
        "privateIPAddressVersion": "IPv4", "privateIPAllocationMethod": "Dynamic",
    });
    let subnet = Some(&args.subnet);
    ip_config::set(&mut configuration, subnet, &args.attachments, &session, group)?;
    let mut body = json!({
        "location": location,
        "properties": {
            "ipConfigurations": [{ "name": "ipconfig1", "properties": configuration }],
        },
    });
    set(&mut body["properties"], &args.options, &session, group)?;
    if let Some(tags) = args.tags.given() {
        body["tags"] = tags.into();
    }
    let nic = noun::create(&args.named, &session, &body, args.wait.no_wait).await?;
    Ok(noun::under("NewNIC", &nic))
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    noun::update(&args.update, None, context, |nic, place, session| {
        set(at(nic, "properties"), &args.options, session, &place.group)
    })
    .await
}

fn set(
    properties: &mut Value,
    options: &Options,
    session: &Session,
    group: &str,
) -> Result<(), Failure> {
    let nsg = "Microsoft.Network/networkSecurityGroups";
    if options.dns_servers.is_some() || options.internal_dns_name.is_some() {
        let servers =
            options.dns_servers.as_deref().map(|servers| match noun::list(servers) {
                Value::Null => json!([]),
                servers => servers,
            });
        Properties::default()
            .with("dnsServers", servers)
            .with(
                "internalDnsNameLabel",
                options.internal_dns_name.as_deref().map(noun::or_null),
            )
            .put_into(at(properties, "dnsSettings"))?;
    }
    Properties::default()
        .with("enableAcceleratedNetworking", options.accelerated_networking)
        .with("enableIPForwarding", options.ip_forwarding)
        .with(
            "networkSecurityGroup",
            noun::attached(session, group, nsg, options.network_security_group.as_ref()),
        )
        .put_into(properties)
}

async fn effective(
    args: Effective,
    what: &str,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut answers = Vec::new();
    for nic in noun::ids(&args.target, &session)? {
        let path = api::below(&nic.id, what, EFFECTIVE);
        let no_wait = args.wait.no_wait;
        answers
            .push(flat(noun::begin(&session, Method::POST, &path, None, no_wait).await?));
    }
    Ok(Answer::of_each(answers))
}

/// az's columns: the names of NIC, subnet and NSG only where a new list begins.
fn effective_rules(answer: &Value) -> Value {
    let mut rows = Vec::new();
    for list in answer["value"].as_array().into_iter().flatten() {
        let name = |id: &Value| -> Option<String> {
            Some(ResourceId::parse(id["id"].as_str()?).ok()?.name().to_owned())
        };
        let association = &list["association"];
        let mut names = [
            name(&association["networkInterface"]).unwrap_or_else(|| "-".to_owned()),
            name(&association["subnet"]).unwrap_or_else(|| "-".to_owned()),
            name(&list["networkSecurityGroup"]).unwrap_or_default(),
        ];
        for rule in list["effectiveSecurityRules"].as_array().into_iter().flatten() {
            let [nic, subnet, nsg] = names;
            rows.push(json!({
                "NIC": nic, "Subnet": subnet, "NSG": nsg,
                "Rule Name": rule["name"], "Protocol": rule["protocol"],
                "Direction": rule["direction"], "Access": rule["access"],
            }));
            names = [" ", " ", " "].map(str::to_owned);
        }
    }
    rows.into()
}

fn effective_routes(answer: &Value) -> Value {
    let joined = |list: &Value| {
        let words = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        words.collect::<Vec<_>>().join(" ")
    };
    let routes = answer["value"].as_array().into_iter().flatten();
    let row = |route: &Value| {
        json!({
            "Source": route["source"], "State": route["state"],
            "Address Prefix": joined(&route["addressPrefix"]),
            "Next Hop Type": route["nextHopType"],
            "Next Hop IP": joined(&route["nextHopIpAddress"]),
        })
    };
    routes.map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_an_nsg_stand_where_its_rules_begin() {
        let id = |kind: &str, name: &str| {
            json!({"id": format!(
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/{kind}/{name}"
            )})
        };
        let rows = effective_rules(&json!({"value": [{
            "association": {"networkInterface": id("networkInterfaces", "nic")},
            "networkSecurityGroup": id("networkSecurityGroups", "nsg"),
            "effectiveSecurityRules": [{"name": "a", "access": "Allow"}, {"name": "b"}],
        }]}));
        assert_eq!(
            (&rows[0]["NIC"], &rows[0]["Subnet"], &rows[0]["NSG"], &rows[0]["Rule Name"]),
            (&json!("nic"), &json!("-"), &json!("nsg"), &json!("a"))
        );
        assert_eq!((&rows[1]["NIC"], &rows[1]["Rule Name"]), (&json!(" "), &json!("b")));
    }

    #[test]
    fn a_route_without_a_hop_has_an_empty_column() {
        let rows = effective_routes(&json!({"value": [
            {"source": "Default", "addressPrefix": ["10.0.0.0/16", "10.1.0.0/16"]},
        ]}));
        assert_eq!(rows[0]["Address Prefix"], "10.0.0.0/16 10.1.0.0/16");
        assert_eq!(rows[0]["Next Hop IP"], "");
    }
}
