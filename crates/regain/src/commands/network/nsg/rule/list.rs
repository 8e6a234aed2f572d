//! `network nsg rule list`

use serde_json::{Map, Value};

use crate::api::{self, NETWORK};
use crate::args::network::ListRules;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(super) async fn run(args: ListRules, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let id = super::super::id(&session, &args.group, &args.nsg_name)?;
    let mut nsg = session.client.get(&api::path(&id, NETWORK)).await?;
    let mut take = |key: &str| match nsg["properties"][key].take() {
        Value::Array(rules) => rules,
        _ => Vec::new(),
    };
    let mut rules = take("securityRules");
    if args.include_default {
        rules.extend(take("defaultSecurityRules"));
    }
    Ok(Answer::new(flat(Value::Array(rules))).with_columns(columns))
}

/// az's columns for rules.
fn columns(rules: &Value) -> Value {
    rules.as_array().into_iter().flatten().map(row).collect()
}

fn row(rule: &Value) -> Value {
    let text = |key: &str| rule[key].as_str().filter(|text| !text.is_empty());
    let either = |one: &str, many: &str| -> Value {
        let all = rule[many].as_array().into_iter().flatten().filter_map(Value::as_str);
        text(one).map_or_else(|| all.collect::<Vec<_>>().join(" "), str::to_owned).into()
    };
    let groups = |key: &str| -> Value {
        let all: Vec<&str> = rule[key]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|asg| asg["id"].as_str())
            .collect();
        if all.is_empty() { "None".into() } else { all.join(" ").into() }
    };
    let plain = |key: &str| rule[key].clone();
    let columns: Map<String, Value> = [
        ("Name", plain("name")),
        ("ResourceGroup", plain("resourceGroup")),
        ("Priority", plain("priority")),
        ("SourcePortRanges", either("sourcePortRange", "sourcePortRanges")),
        ("SourceAddressPrefixes", either("sourceAddressPrefix", "sourceAddressPrefixes")),
        ("SourceASG", groups("sourceApplicationSecurityGroups")),
        ("Access", plain("access")),
        ("Protocol", plain("protocol")),
        ("Direction", plain("direction")),
        (
            "DestinationPortRanges",
            either("destinationPortRange", "destinationPortRanges"),
        ),
        (
            "DestinationAddressPrefixes",
            either("destinationAddressPrefix", "destinationAddressPrefixes"),
        ),
        ("DestinationASG", groups("destinationApplicationSecurityGroups")),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    Value::Object(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_table_shows_one_value_or_all_of_several() {
        let row = row(&json!({
            "name": "ssh", "priority": 100, "sourcePortRange": "*",
            "destinationPortRanges": ["22", "80"], "destinationPortRange": null,
        }));
        assert_eq!(row["SourcePortRanges"], "*");
        assert_eq!(row["DestinationPortRanges"], "22 80");
        assert_eq!(row["SourceASG"], "None");
    }
}
