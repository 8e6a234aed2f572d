//! Network security groups. Their rules live in the group's document; a rule's own
//! address reads and writes its part of it, so the two can never differ.

use std::sync::Arc;

use arm::ResourceId;
use network::{Nsg, Rule};
use serde_json::{Map, Value, json};

use super::child::{child_of, drop_child, parent_of, place_child};
use super::document::{self, items, properties, text};
use super::{Answer, App, Call, Problem, network_document};

const KIND: &str = "microsoft.network/networksecuritygroups";
const RULES: &str = "securityRules";

/// `GET …/networkSecurityGroups`
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::list(&app, &call.id, KIND).await
}

/// `GET …/networkSecurityGroups/{nsg}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::get(&app, &call.id).await
}

/// `PATCH …/networkSecurityGroups/{nsg}`
pub(crate) async fn tag(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::tag(app, call).await
}

/// `DELETE …/networkSecurityGroups/{nsg}`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::delete(app, call, "networkSecurityGroups/delete").await
}

/// `PUT …/networkSecurityGroups/{nsg}`
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let before = app.before_put(&call).await?;
    let mut given = properties(call.object()?)?;
    let id = before.as_ref().map_or(&call.id, |nsg| &nsg.id).clone();
    let rules = match given.remove(RULES) {
        Some(Value::Array(rules)) => rules
            .iter()
            .map(|rule| {
                let name = rule["name"].as_str().unwrap_or_default();
                stored(&id, name, rule["properties"].as_object())
            })
            .collect::<Result<_, _>>()?,
        _ => Vec::new(),
    };
    // What is derived is not taken from the client.
    for derived in ["defaultSecurityRules", "networkInterfaces", "subnets"] {
        given.remove(derived);
    }
    let mut nsg = document::framed(&call, before.as_ref(), given)?;
    nsg.document["properties"][RULES] = Value::Array(rules);
    check_order(&nsg.document)?;
    let name = "networkSecurityGroups/write";
    let (progress, body) = network_document::write(&app, name, nsg, None, turn).await?;
    Ok(progress.written(body, before.is_none()))
}

/// `GET …/networkSecurityGroups/{nsg}/securityRules`
pub(crate) async fn list_rules(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::list_children(&app, &call.id, RULES).await
}

/// `GET …/networkSecurityGroups/{nsg}/defaultSecurityRules`
pub(crate) async fn list_default_rules(
    app: Arc<App>,
    call: Call,
) -> Result<Answer, Problem> {
    network_document::list_children(&app, &call.id, "defaultSecurityRules").await
}

/// `GET …/networkSecurityGroups/{nsg}/securityRules/{rule}`
pub(crate) async fn get_rule(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    network_document::get_child(&app, &call.id, RULES).await
}

/// `PUT …/networkSecurityGroups/{nsg}/securityRules/{rule}`
pub(crate) async fn put_rule(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let mut nsg = app.existing(&parent_of(&call.id)?).await?;
    let given = properties(call.object()?)?;
    let rule = stored(&nsg.id, call.id.name(), Some(&given))?;
    let created = place_child(&mut nsg.document, RULES, rule);
    check_order(&nsg.document)?;
    let child = Some((RULES.to_owned(), call.id.name().to_owned()));
    let name = "networkSecurityGroups/securityRules/write";
    let (progress, body) = network_document::write(&app, name, nsg, child, turn).await?;
    Ok(progress.written(body, created))
}

/// `DELETE …/networkSecurityGroups/{nsg}/securityRules/{rule}`
pub(crate) async fn delete_rule(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let turn = app.network_turn().await?;
    let mut nsg = app.existing(&parent_of(&call.id)?).await?;
    if !drop_child(&mut nsg.document, RULES, call.id.name()) {
        return Ok(Answer::Nothing);
    }
    let name = "networkSecurityGroups/securityRules/delete";
    let (progress, _) = network_document::write(&app, name, nsg, None, turn).await?;
    Ok(progress.deleted())
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
