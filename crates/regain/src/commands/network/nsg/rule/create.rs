//! `network nsg rule create`

use arm::Method;
use serde_json::{Map, Value, json};

use crate::api::{self, NETWORK};
use crate::args::network::{Access, CreateRule, Direction};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(super) async fn run(args: CreateRule, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let nsg = super::super::id(&session, &args.group, &args.nsg_name)?;
    let id = nsg.with_child("securityRules", &args.name).map_err(|_| {
        Failure::usage(format!("'{}' cannot be the name of a rule", args.name))
    })?;
    let body = json!({ "properties": properties(&args) });
    let path = api::path(&id, NETWORK);
    let operation = session.client.begin(Method::PUT, &path, Some(&body)).await?;
    if args.no_wait {
        return Ok(Answer::done());
    }
    Ok(Answer::new(flat(operation.wait().await?)))
}

fn properties(args: &CreateRule) -> Value {
    let mut properties = Map::new();
    let mut set = |key: &str, value: Value| properties.insert(key.to_owned(), value);
    set("priority", args.priority.into());
    set(
        "access",
        word(match args.access {
            Access::Allow => "Allow",
            Access::Deny => "Deny",
        }),
    );
    set(
        "direction",
        word(match args.direction {
            Direction::Inbound => "Inbound",
            Direction::Outbound => "Outbound",
        }),
    );
    set("protocol", word(&args.protocol));
    if let Some(description) = &args.description {
        set("description", word(description));
    }
    for (one, many, values) in [
        ("sourceAddressPrefix", "sourceAddressPrefixes", &args.source_address_prefixes),
        ("sourcePortRange", "sourcePortRanges", &args.source_port_ranges),
        (
            "destinationAddressPrefix",
            "destinationAddressPrefixes",
            &args.destination_address_prefixes,
        ),
        ("destinationPortRange", "destinationPortRanges", &args.destination_port_ranges),
    ] {
        // ARM keeps one value and several under different names.
        match values.as_slice() {
            [only] => set(one, word(only)),
            several => set(many, json!(several)),
        };
    }
    Value::Object(properties)
}

fn word(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::network::{Network, Nsg, Rule};
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn body(flags: &[&str]) -> Value {
        let line = [
            &[
                "regain",
                "network",
                "nsg",
                "rule",
                "create",
                "-g",
                "g",
                "--nsg-name",
                "n",
                "-n",
                "r",
            ],
            flags,
        ]
        .concat();
        match Cli::try_parse_from(line).unwrap().command {
            Command::Network(Network::Nsg(Nsg::Rule(Rule::Create(args)))) => {
                properties(&args)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_value_and_several_go_under_different_names() {
        let body = body(&[
            "--priority",
            "100",
            "--access",
            "deny",
            "--protocol",
            "Tcp",
            "--destination-port-ranges",
            "22",
            "80-90",
        ]);
        assert_eq!(
            body,
            json!({
                "priority": 100, "access": "Deny", "direction": "Inbound", "protocol": "Tcp",
                "sourceAddressPrefix": "*", "sourcePortRange": "*",
                "destinationAddressPrefix": "*", "destinationPortRanges": ["22", "80-90"],
            })
        );
    }
}
