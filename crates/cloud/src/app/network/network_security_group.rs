//! Network security groups. Their rules live in the group's document; a rule's own
//! address reads and writes its part of it, so the two can never differ.

use arm::ResourceId;
use network::{Nsg, Rule};
use serde_json::{Map, Value, json};

use crate::app::child::child_of;
use crate::app::document::{drop_property, items, reference, text};
use crate::app::{App, Problem};
use crate::store::Resource;

/// The full type in lower case.
pub(super) const KIND: &str = "microsoft.network/networksecuritygroups";
const RULES: &str = "securityRules";

/// A group whose rules the engine understands, in an order without conflicts.
pub(super) async fn judge(app: &App, draft: &mut Resource) -> Result<(), Problem> {
    let id = draft.id.clone();
    let rules = items(&draft.document, &format!("/properties/{RULES}"))
        .map(|rule| {
            let name = text(rule, "/name").unwrap_or_default();
            stored(&id, name, rule["properties"].as_object())
        })
        .collect::<Result<_, _>>()?;
    // What is derived is not taken from the client.
    for derived in ["defaultSecurityRules", "networkInterfaces", "subnets"] {
        drop_property(&mut draft.document, derived);
    }
    draft.document["properties"][RULES] = Value::Array(rules);
    check_order(&draft.document)?;
    check_groups(app, draft).await
}

/// The default rules, and who uses the group.
pub(super) async fn dress(
    app: &App,
    id: &ResourceId,
    document: &mut Value,
) -> Result<(), Problem> {
    document["properties"]["defaultSecurityRules"] = default_rules(id);
    let users = app.store.links_to(id).await?;
    for (field, kind) in [
        ("networkInterfaces", "Microsoft.Network/networkInterfaces"),
        ("subnets", "Microsoft.Network/virtualNetworks/subnets"),
    ] {
        let users = users.iter().filter(|one| one.holder.is_type(kind));
        let users: Vec<Value> = users.map(|one| json!({ "id": one.holder })).collect();
        if !users.is_empty() {
            document["properties"][field] = Value::Array(users);
        }
    }
    Ok(())
}

/// The six rules that every group ends with, as ARM shows them.
pub(super) fn default_rules(nsg: &ResourceId) -> Value {
    network::default_rules()
        .iter()
        .map(|rule| {
            let properties = rule.to_arm().as_object().cloned().unwrap_or_default();
            child_of(nsg, "defaultSecurityRules", &rule.name, properties)
        })
        .collect()
}

/// A rule as it is stored: judged by the engine that will decide with it. What the
/// client wrote is kept as it was, apart from words in another case.
fn stored(
    nsg: &ResourceId,
    name: &str,
    given: Option<&Map<String, Value>>,
) -> Result<Value, Problem> {
    let mut properties = given.cloned().unwrap_or_default();
    properties.retain(|_, value| !value.is_null());
    let id = format!("{nsg}/{RULES}/{name}");
    let rule = Rule::from_arm(&id, &Value::Object(properties.clone()))?;
    for (field, value) in [
        ("protocol", rule.protocol.to_string()),
        ("access", rule.access.to_string()),
        ("direction", rule.direction.to_string()),
    ] {
        properties.insert(field.to_owned(), json!(value));
    }
    for plural in [
        "sourceAddressPrefixes",
        "destinationAddressPrefixes",
        "sourcePortRanges",
        "destinationPortRanges",
    ] {
        properties.entry(plural).or_insert_with(|| json!([]));
    }
    Ok(child_of(nsg, RULES, name, properties))
}

/// The application security groups that rules name are there, in the same region.
async fn check_groups(app: &App, draft: &Resource) -> Result<(), Problem> {
    for rule in items(&draft.document, &format!("/properties/{RULES}")) {
        for list in
            ["sourceApplicationSecurityGroups", "destinationApplicationSecurityGroups"]
        {
            for group in items(rule, &format!("/properties/{list}")) {
                if let Some(group) = reference(group, "/id")? {
                    app.referenced_near(&group, draft).await?;
                }
            }
        }
    }
    Ok(())
}

/// No two rules have the same name, or the same priority and direction.
fn check_order(nsg: &Value) -> Result<(), Problem> {
    let mut names: Vec<String> = items(nsg, &format!("/properties/{RULES}"))
        .filter_map(|rule| text(rule, "/name"))
        .map(str::to_ascii_lowercase)
        .collect();
    names.sort();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Problem::Invalid {
            code: "InvalidRequestFormat",
            message: format!(
                "Cannot parse the request: two rules have the name {}.",
                pair[0]
            ),
            target: None,
        });
    }
    Nsg::from_arm(nsg).map(|_| ()).map_err(Problem::Rule)
}
