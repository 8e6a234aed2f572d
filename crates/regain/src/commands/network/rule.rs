//! `network nsg rule`

use serde_json::{Map, Value, json};

use crate::api;
use crate::args::network::nsg::NetworkSecurityGroup;
use crate::args::network::rule::{Change, Create, Flow, ListRules, Rule};
use crate::args::noun::Noun;
use crate::commands::noun::{self, Properties, at};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;
use crate::shape::flat;

pub(super) async fn run(rule: Rule, context: &Context) -> Result<Answer, Failure> {
    match rule {
        Rule::Create(args) => create(args, context).await,
        Rule::List(args) => list(args, context).await,
        Rule::Show(args) => Ok(noun::target(args, context).await?.with_columns(columns)),
        Rule::Update(args) => update(args, context).await,
        Rule::Delete(args) => noun::delete(args, context).await,
        Rule::Wait(args) => noun::wait(args, context).await,
    }
}

async fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let flow = with_defaults(args.flow);
    let mut properties = json!({ "priority": args.priority });
    set(&mut properties, &flow, &session, &args.named.group)?;
    for (one, many, asgs) in PLURALS {
        singular(&mut properties, one, many);
        if properties.get(asgs).is_some()
            && let Some(object) = properties.as_object_mut()
        {
            object.shift_remove(one);
        }
    }
    let body = json!({ "name": args.named.name, "properties": properties });
    let rule = noun::create(&args.named, &session, &body, args.wait.no_wait).await?;
    Ok(Answer::new(rule))
}

async fn update(args: Change, context: &Context) -> Result<Answer, Failure> {
    noun::update_between(
        &args.update,
        None,
        context,
        |rule, place, session| {
            let properties = at(rule, "properties");
            for (one, many, _) in PLURALS {
                plural(properties, one, many);
            }
            if let Some(priority) = args.priority {
                properties["priority"] = json!(priority);
            }
            set(properties, &args.flow, session, &place.group)
        },
        |rule| {
            for (one, many, _) in PLURALS {
                singular(at(rule, "properties"), one, many);
            }
        },
    )
    .await
}

/// The rules come from the NSG, so that the default ones are there too.
async fn list(args: ListRules, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let rules = &args.rules;
    let group = rules.group.as_deref().unwrap_or_default();
    let name = rules.parent.as_deref().unwrap_or_default();
    let id = session.resource(group, NetworkSecurityGroup::TYPE, name)?;
    let mut nsg =
        session.client.get(&api::path(&id, NetworkSecurityGroup::VERSION)).await?;
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

/// ARM keeps one value and several under different names, and groups apart.
const PLURALS: [(&str, &str, &str); 4] = [
    ("sourceAddressPrefix", "sourceAddressPrefixes", "sourceApplicationSecurityGroups"),
    ("sourcePortRange", "sourcePortRanges", ""),
    (
        "destinationAddressPrefix",
        "destinationAddressPrefixes",
        "destinationApplicationSecurityGroups",
    ),
    ("destinationPortRange", "destinationPortRanges", ""),
];

fn with_defaults(flow: Flow) -> Flow {
    let one = |value: &str| Some(vec![value.to_owned()]);
    Flow {
        access: flow.access.or_else(|| Some("Allow".to_owned())),
        direction: flow.direction.or_else(|| Some("Inbound".to_owned())),
        protocol: flow.protocol.or_else(|| Some("*".to_owned())),
        source_address_prefixes: flow.source_address_prefixes.or_else(|| one("*")),
        source_port_ranges: flow.source_port_ranges.or_else(|| one("*")),
        destination_address_prefixes: flow
            .destination_address_prefixes
            .or_else(|| one("*")),
        destination_port_ranges: flow.destination_port_ranges.or_else(|| one("80")),
        ..flow
    }
}

/// Sets what the flags say; several values and one alike go under the plural.
fn set(
    properties: &mut Value,
    flow: &Flow,
    session: &Session,
    group: &str,
) -> Result<(), Failure> {
    let list = |words: &Option<Vec<String>>| words.as_deref().map(noun::list);
    let groups = |words: &Option<Vec<String>>| {
        noun::references(
            session,
            group,
            "Microsoft.Network/applicationSecurityGroups",
            words.as_deref(),
        )
    };
    Properties::default()
        .with("access", flow.access.as_deref())
        .with("direction", flow.direction.as_deref())
        .with("protocol", flow.protocol.as_deref())
        .with("description", flow.description.as_deref().map(noun::or_null))
        .with("sourceAddressPrefixes", list(&flow.source_address_prefixes))
        .with("sourcePortRanges", list(&flow.source_port_ranges))
        .with("sourceApplicationSecurityGroups", groups(&flow.source_asgs))
        .with("destinationAddressPrefixes", list(&flow.destination_address_prefixes))
        .with("destinationPortRanges", list(&flow.destination_port_ranges))
        .with("destinationApplicationSecurityGroups", groups(&flow.destination_asgs))
        .put_into(properties)
}

fn plural(properties: &mut Value, one: &str, many: &str) {
    let Some(object) = properties.as_object_mut() else { return };
    if let Some(value) = object
        .shift_remove(one)
        .filter(|value| value.as_str().is_some_and(|text| !text.is_empty()))
    {
        object.insert(many.to_owned(), json!([value]));
    }
}

fn singular(properties: &mut Value, one: &str, many: &str) {
    let Some(object) = properties.as_object_mut() else { return };
    let Some(Value::Array(values)) = object.get_mut(many) else { return };
    if values.len() == 1 {
        let only = values.remove(0);
        object.shift_remove(many);
        object.insert(one.to_owned(), only);
    } else if values.is_empty() {
        object.shift_remove(many);
    }
}

/// az's columns for rules.
fn columns(rules: &Value) -> Value {
    match rules {
        Value::Array(rules) => rules.iter().map(row).collect(),
        rule => row(rule),
    }
}

fn row(rule: &Value) -> Value {
    let either = |one: &str, many: &str| -> Value {
        let all = rule[many].as_array().into_iter().flatten().filter_map(Value::as_str);
        let one = rule[one].as_str().filter(|text| !text.is_empty());
        one.map_or_else(|| all.collect::<Vec<_>>().join(" "), str::to_owned).into()
    };
    // A list is no column: az leaves it out.
    let groups = |key: &str| match &rule[key] {
        Value::Array(groups) if !groups.is_empty() => rule[key].clone(),
        _ => "None".into(),
    };
    let columns: Map<String, Value> = [
        ("Name", rule["name"].clone()),
        ("ResourceGroup", rule["resourceGroup"].clone()),
        ("Priority", rule["priority"].clone()),
        ("SourcePortRanges", either("sourcePortRange", "sourcePortRanges")),
        ("SourceAddressPrefixes", either("sourceAddressPrefix", "sourceAddressPrefixes")),
        ("SourceASG", groups("sourceApplicationSecurityGroups")),
        ("Access", rule["access"].clone()),
        ("Protocol", rule["protocol"].clone()),
        ("Direction", rule["direction"].clone()),
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

    #[test]
    fn one_value_and_several_go_under_different_names() {
        let mut rule = json!({"sourcePortRange": "*", "sourcePortRanges": []});
        plural(&mut rule, "sourcePortRange", "sourcePortRanges");
        assert_eq!(rule, json!({"sourcePortRanges": ["*"]}));
        rule["sourcePortRanges"] = json!(["1", "2"]);
        singular(&mut rule, "sourcePortRange", "sourcePortRanges");
        assert_eq!(rule, json!({"sourcePortRanges": ["1", "2"]}));
        rule["sourcePortRanges"] = json!(["2"]);
        singular(&mut rule, "sourcePortRange", "sourcePortRanges");
        assert_eq!(rule, json!({"sourcePortRange": "2"}));
    }
}
