//! Roles: what may be done by who has one.

use serde_json::{Map, Value, json};

use super::pattern::Pattern;
use crate::app::Problem;
use crate::store::Definition;

/// A role, Azure's or one's own.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// Its GUID.
    pub(crate) id: String,
    /// As in `Reader`.
    pub(crate) name: String,
    /// Whether somebody made it here.
    pub(crate) custom: bool,
    /// Where it can be given: ids; `/` is everywhere.
    pub(crate) scopes: Vec<String>,
    /// Its properties as ARM shows them.
    pub(crate) properties: Value,
    permissions: Vec<Permission>,
}

/// What is granted, and what of that is not. What one permission takes away,
/// another one can give.
#[derive(Clone, Debug)]
struct Permission {
    actions: Vec<Pattern>,
    not_actions: Vec<Pattern>,
}

impl Role {
    /// A role from its properties.
    ///
    /// # Errors
    /// They are not a role's.
    pub(crate) fn new(id: &str, custom: bool, given: &Value) -> Result<Self, Problem> {
        let given = given.as_object().ok_or_else(|| Problem::InvalidContent {
            why: "'properties' is not an object".to_owned(),
        })?;
        let name = given.get("roleName").and_then(Value::as_str).unwrap_or_default();
        if name.trim().is_empty() || name.chars().count() > 512 {
            return Err(invalid(
                "RoleDefinitionNameNullOrEmpty",
                "A role needs a name of 1 to 512 characters (properties.roleName).",
            ));
        }
        let scopes = texts(given, "assignableScopes")?;
        if scopes.is_empty() {
            return Err(invalid(
                "MissingAssignableScopes",
                "A role needs at least one scope where it can be given \
                 (properties.assignableScopes).",
            ));
        }
        let blocks = match given.get("permissions") {
            Some(Value::Array(blocks)) => blocks.as_slice(),
            None | Some(Value::Null) => &[],
            Some(_) => return Err(not_texts("permissions")),
        };
        let mut permissions = Vec::new();
        let mut shown = Vec::new();
        for block in blocks {
            let block = block.as_object().ok_or_else(|| not_texts("permissions"))?;
            let (actions, not_actions) =
                (texts(block, "actions")?, texts(block, "notActions")?);
            shown.push(json!({
                "actions": actions,
                "notActions": not_actions,
                "dataActions": texts(block, "dataActions")?,
                "notDataActions": texts(block, "notDataActions")?,
            }));
            let patterns =
                |all: &[String]| all.iter().map(|one| Pattern::new(one)).collect();
            permissions.push(Permission {
                actions: patterns(&actions),
                not_actions: patterns(&not_actions),
            });
        }
        let properties = json!({
            "roleName": name,
            "type": if custom { "CustomRole" } else { "BuiltInRole" },
            "description": given.get("description").and_then(Value::as_str).unwrap_or_default(),
            "assignableScopes": scopes,
            "permissions": shown,
        });
        let (id, name) = (id.to_ascii_lowercase(), name.to_owned());
        Ok(Self { id, name, custom, scopes, properties, permissions })
    }

    /// A stored role of one's own.
    pub(super) fn of_definition(definition: &Definition) -> Result<Self, Problem> {
        let mut role = Self::new(&definition.id, true, &definition.document)?;
        role.dated(
            (&definition.created_at, &definition.created_by),
            (&definition.changed_at, &definition.changed_by),
        );
        Ok(role)
    }

    /// Adds when and by whom (object id) it was made and changed.
    pub(super) fn dated(&mut self, created: (&str, &str), changed: (&str, &str)) {
        let by = |who: &str| if who.is_empty() { Value::Null } else { json!(who) };
        self.properties["createdOn"] = json!(created.0);
        self.properties["updatedOn"] = json!(changed.0);
        self.properties["createdBy"] = by(created.1);
        self.properties["updatedBy"] = by(changed.1);
    }

    /// An action that cannot be one: it names no provider.
    pub(crate) fn odd_action(&self) -> Option<&str> {
        let blocks = self.properties["permissions"].as_array().into_iter().flatten();
        blocks
            .flat_map(|block| ["actions", "notActions"].map(|field| &block[field]))
            .flat_map(|all| all.as_array().into_iter().flatten())
            .filter_map(Value::as_str)
            .find(|action| {
                let starts = action.starts_with('*') || action.contains('.');
                !starts
                    || action.contains(char::is_whitespace)
                    || !action.contains(['/', '*'])
            })
    }

    /// Whether it grants an action, in lower case.
    pub(crate) fn grants(&self, action: &str) -> bool {
        let any = |all: &[Pattern]| all.iter().any(|pattern| pattern.matches(action));
        self.permissions
            .iter()
            .any(|permission| any(&permission.actions) && !any(&permission.not_actions))
    }
}

fn texts(from: &Map<String, Value>, field: &'static str) -> Result<Vec<String>, Problem> {
    let all = match from.get(field) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(all)) => all,
        Some(_) => return Err(not_texts(field)),
    };
    all.iter()
        .map(|one| one.as_str().map(str::to_owned).ok_or_else(|| not_texts(field)))
        .collect()
}

fn not_texts(field: &'static str) -> Problem {
    Problem::InvalidContent {
        why: format!("'{field}' of a role must be a list of texts"),
    }
}

fn invalid(code: &'static str, message: &str) -> Problem {
    Problem::Invalid { code, message: message.to_owned(), target: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_permission_takes_away_another_can_give() {
        let role = Role::new(
            "r",
            true,
            &json!({ "roleName": "operator", "assignableScopes": ["/subscriptions/s"],
                "permissions": [
                    { "actions": ["Microsoft.Compute/*"], "notActions": ["*/delete"] },
                    { "actions": ["Microsoft.Compute/snapshots/delete"] },
                ] }),
        )
        .unwrap();
        assert!(role.grants("microsoft.compute/virtualmachines/write"));
        assert!(!role.grants("microsoft.compute/virtualmachines/delete"));
        assert!(role.grants("microsoft.compute/snapshots/delete"));
        assert!(!role.grants("microsoft.network/networkinterfaces/read"));
    }

    #[test]
    fn what_is_no_role_is_refused() {
        for properties in [
            json!([]),
            json!({ "assignableScopes": ["/subscriptions/s"] }),
            json!({ "roleName": "x" }),
            json!({ "roleName": "x", "assignableScopes": "/" }),
            json!({ "roleName": "x", "assignableScopes": ["/"], "permissions": [{ "actions": [1] }] }),
        ] {
            assert!(Role::new("r", true, &properties).is_err(), "{properties}");
        }
    }
}
