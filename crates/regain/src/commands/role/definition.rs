//! `role definition`

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{modelled, scope};
use crate::api;
use crate::args::role::{CreateDefinition, Definition, FindDefinitions};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;

const VERSION: &str = "2022-05-01-preview";
const KEYS: [(&str, &str); 9] = [
    ("roleName", "roleName"),
    ("description", "description"),
    ("type", "roleType"),
    ("permissions", "permissions"),
    ("assignableScopes", "assignableScopes"),
    ("createdOn", "createdOn"),
    ("updatedOn", "updatedOn"),
    ("createdBy", "createdBy"),
    ("updatedBy", "updatedBy"),
];
const PERMISSION: [&str; 6] = [
    "actions",
    "notActions",
    "dataActions",
    "notDataActions",
    "condition",
    "conditionVersion",
];

pub(super) async fn run(
    definition: Definition,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    match definition {
        Definition::List(args) => {
            let found = find(&args, &session).await?.into_iter().map(shaped);
            Ok(Answer::new(found.collect()).with_columns(columns))
        }
        Definition::Create(args) => create(&args, &session).await,
        Definition::Delete(args) => {
            let scope = scope(&args.which.scope, &session)?;
            for role in find(&args.which, &session).await? {
                let name = role["name"].as_str().unwrap_or_default();
                session.client.delete(&path(&scope, name)).await?;
            }
            Ok(Answer::done())
        }
    }
}

async fn find(args: &FindDefinitions, session: &Session) -> Result<Vec<Value>, Failure> {
    let scope = scope(&args.scope, session)?;
    // Only names of roles can be asked for; ids are looked for here.
    let by_name =
        args.name.as_deref().filter(|name| uuid::Uuid::parse_str(name).is_err());
    let mut roles = all(session, &scope, by_name).await?;
    roles.retain(|role| {
        let kind = role["properties"]["type"].as_str();
        let named = args.name.as_deref().is_none_or(|name| {
            [&role["name"], &role["properties"]["roleName"]]
                .iter()
                .any(|known| known.as_str() == Some(name))
        });
        named && (!args.custom_role_only || kind == Some("CustomRole"))
    });
    Ok(roles)
}

/// The roles of a scope, or those of one name.
pub(super) async fn all(
    session: &Session,
    scope: &str,
    name: Option<&str>,
) -> Result<Vec<Value>, Failure> {
    let filter = name.map_or_else(String::new, |name| {
        format!("&$filter={}", api::encoded(&format!("roleName eq '{name}'")))
    });
    let path = format!(
        "{scope}/providers/Microsoft.Authorization/roleDefinitions?api-version={VERSION}{filter}"
    );
    Ok(session.client.list(&path).await?)
}

async fn create(args: &CreateDefinition, session: &Session) -> Result<Answer, Failure> {
    let text = &args.role_definition;
    let file = text.strip_prefix('@').unwrap_or(text);
    let text = if Path::new(file).exists() {
        fs::read_to_string(file)
            .map_err(|error| Failure::new(format!("cannot read {file}")).because(error))?
    } else {
        text.clone()
    };
    let Ok(Value::Object(given)) = serde_json::from_str::<Value>(&text) else {
        return Err(Failure::new(
            "Invalid role definition. A valid dictionary JSON representation is expected.",
        ));
    };
    // Portal and PowerShell write `AssignableScopes`.
    let given: Value = given
        .into_iter()
        .map(|(key, value)| (key[..1].to_lowercase() + &key[1..], value))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let name = given["name"].as_str().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Failure::new("please provide role name"))?;
    let first = given["assignableScopes"][0].as_str();
    let first = first.ok_or_else(|| Failure::new("please provide 'assignableScopes'"))?;
    let permissions: Vec<Value> = match given["permissions"].as_array() {
        Some(permissions) => permissions.iter().map(permission).collect(),
        None => vec![permission(&given)],
    };
    let mut properties = json!({
        "roleName": name,
        "type": "CustomRole",
        "permissions": permissions,
        "assignableScopes": given["assignableScopes"],
    });
    if !given["description"].is_null() {
        properties["description"] = given["description"].clone();
    }
    let id = uuid::Uuid::new_v4().to_string();
    let role = session
        .client
        .put(&path(first, &id), &json!({ "properties": properties }))
        .await?;
    Ok(Answer::new(shaped(role)))
}

fn permission(given: &Value) -> Value {
    let keys = PERMISSION[..4].iter().filter(|key| !given[**key].is_null());
    keys.map(|key| ((*key).to_owned(), given[*key].clone())).collect()
}

fn path(scope: &str, name: &str) -> String {
    format!(
        "{scope}/providers/Microsoft.Authorization/roleDefinitions/{name}?api-version={VERSION}"
    )
}

fn shaped(role: Value) -> Value {
    let mut role = modelled(role, &KEYS);
    if let Some(permissions) = role.get_mut("permissions").and_then(Value::as_array_mut) {
        for permission in permissions {
            for key in PERMISSION {
                permission[key] = permission[key].take();
            }
        }
    }
    Value::Object(role)
}

fn columns(roles: &Value) -> Value {
    let row = |role: &Value| {
        json!({
            "Name": role["roleName"],
            "Type": role["type"],
            "Description": role["description"],
        })
    };
    roles.as_array().into_iter().flatten().map(row).collect()
}
