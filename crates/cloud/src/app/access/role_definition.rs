//! Role definitions: Azure's roles, and one's own.

use std::sync::Arc;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{LOCK, guid};
use super::{Role, covers, normal};
use crate::app::document::{listed, properties};
use crate::app::odata::{self, Term};
use crate::app::{Answer, App, Call, Problem};

/// `GET {scope}/providers/Microsoft.Authorization/roleDefinitions`: what can be
/// assigned at the scope.
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let terms = odata::terms(call.parameter("$filter").unwrap_or_default())?;
    let mut below = false;
    let (mut name, mut kind) = (None, None);
    for term in &terms {
        match term {
            Term::Call(name, _) if name.eq_ignore_ascii_case("atScopeAndBelow") => {
                below = true;
            }
            _ if term.equals("roleName").is_some() => name = term.equals("roleName"),
            _ if term.equals("type").is_some() => kind = term.equals("type"),
            _ => {
                return Err(odata::unsupported(
                    "role definitions are filtered by roleName eq '…', type eq '…' and \
                     atScopeAndBelow()"
                        .to_owned(),
                ));
            }
        }
    }
    let scope = normal(call.id.as_str());
    let policy = app.access.policy();
    let shown = policy.roles().iter().filter(|role| {
        let is_here = role
            .scopes
            .iter()
            .map(|one| normal(one))
            .any(|one| covers(&one, &scope) || below && covers(&scope, &one));
        let is_kind = |kind: &str| role.properties["type"] == kind;
        is_here
            && name.is_none_or(|name| role.name.eq_ignore_ascii_case(name))
            && kind.is_none_or(is_kind)
    });
    Ok(Answer::Found(listed(shown.map(|role| shown_as(&app, role)))))
}

/// `GET {scope}/providers/Microsoft.Authorization/roleDefinitions/{role}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    Ok(Answer::Found(shown_as(&app, &*named(&app, call.id.name())?)))
}

/// `PUT {scope}/providers/Microsoft.Authorization/roleDefinitions/{role}`
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let id = guid(&call.id, "role definition", "InvalidRoleDefinitionId")?;
    let given = Value::Object(properties(call.object()?)?);
    let role = Role::new(&id, true, &given)?;
    let subscription = normal(&format!("/subscriptions/{}", app.subscription));
    for scope in &role.scopes {
        if !covers(&subscription, &normal(scope)) {
            return Err(Problem::Invalid {
                code: "InvalidAssignableScope",
                message: format!(
                    "The assignable scope '{scope}' is not in the subscription \
                     '{subscription}', which is the only one of this cloud."
                ),
                target: Some("properties.assignableScopes"),
            });
        }
    }
    if let Some(action) = role.odd_action() {
        return Err(Problem::Invalid {
            code: "InvalidActionOrNotAction",
            message: format!(
                "'{action}' does not match any of the actions supported by the providers. An \
                 action reads as in Microsoft.Compute/virtualMachines/read; * stands for anything."
            ),
            target: None,
        });
    }
    let _turn = app.turn(LOCK).await?;
    let policy = app.access.policy();
    if policy.role(&id).is_some_and(|role| !role.custom) {
        return Err(built_in(&id));
    }
    let namesake = policy
        .roles()
        .iter()
        .find(|other| other.id != role.id && other.name.eq_ignore_ascii_case(&role.name));
    if namesake.is_some() {
        return Err(Problem::Conflict {
            code: "RoleDefinitionWithSameNameExists",
            message: format!(
                "A role with the name '{}' already exists in this directory. Use a different \
                 name.",
                role.name
            ),
        });
    }
    app.store.put_definition(&id, &role.properties, &call.caller.id).await?;
    app.access.reload(&app.store).await?;
    Ok(Answer::Created(shown_as(&app, &*named(&app, &id)?)))
}

/// `DELETE {scope}/providers/Microsoft.Authorization/roleDefinitions/{role}`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let _turn = app.turn(LOCK).await?;
    let policy = app.access.policy();
    let Some(role) = policy.role(call.id.name()) else { return Ok(Answer::Nothing) };
    if !role.custom {
        return Err(built_in(&role.id));
    }
    if policy.assignments().iter().any(|one| one.role == role.id) {
        return Err(Problem::Invalid {
            code: "RoleDefinitionHasAssignments",
            message: format!(
                "There are existing role assignments referencing role '{}'. Delete them first: \
                 az role assignment list --all --role '{}'.",
                role.name, role.name
            ),
            target: None,
        });
    }
    app.store.remove_definition(&role.id).await?;
    app.access.reload(&app.store).await?;
    Ok(Answer::Found(shown_as(&app, role)))
}

/// The role of an id, or of the GUID at its end.
pub(super) fn named(app: &App, id: &str) -> Result<Arc<Role>, Problem> {
    let name = id.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let role = Uuid::try_parse(name)
        .ok()
        .and_then(|name| app.access.policy().role(&name.to_string()).cloned());
    role.ok_or_else(|| Problem::Missing {
        code: "RoleDefinitionDoesNotExist",
        message: format!(
            "The specified role definition with ID '{name}' does not exist."
        ),
    })
}

/// A role's id as it is shown.
pub(super) fn id_of(app: &App, role: &str) -> String {
    format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        app.subscription
    )
}

fn built_in(id: &str) -> Problem {
    Problem::Invalid {
        code: "RoleDefinitionIsBuiltIn",
        message: format!(
            "The role definition '{id}' is Azure's own and cannot be changed."
        ),
        target: None,
    }
}

fn shown_as(app: &App, role: &Role) -> Value {
    json!({
        "id": id_of(app, &role.id),
        "name": role.id,
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": role.properties,
    })
}
