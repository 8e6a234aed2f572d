//! Role assignments: who has which role where.

use std::sync::Arc;

use arm::ResourceId;
use serde_json::{Value, json};

use super::{LOCK, guid, role_definition};
use super::{OWNER, Role, covers, normal};
use crate::app::document::{listed, properties, text};
use crate::app::odata::{self, Term};
use crate::app::{Answer, App, Call, Problem};
use crate::store::Assignment;

/// `GET {scope}/providers/Microsoft.Authorization/roleAssignments`: at the scope,
/// above it, and, without `atScope()`, below.
pub(crate) async fn list(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let terms = odata::terms(call.parameter("$filter").unwrap_or_default())?;
    let (mut at_scope, mut whose) = (false, None);
    for term in &terms {
        match term {
            Term::Call(name, _) if name.eq_ignore_ascii_case("atScope") => {
                at_scope = true;
            }
            Term::Call(name, arguments) if name.eq_ignore_ascii_case("assignedTo") => {
                whose = arguments.first().cloned();
            }
            _ => match term.equals("principalId") {
                Some(principal) => whose = Some(principal.to_owned()),
                None => {
                    return Err(odata::unsupported(
                        "role assignments are filtered by atScope(), principalId eq '…' and \
                         assignedTo('…')"
                            .to_owned(),
                    ));
                }
            },
        }
    }
    let scope = normal(call.id.as_str());
    let policy = app.access.policy();
    let shown = policy.assignments().iter().filter(|one| {
        let given = normal(&one.scope);
        (covers(&given, &scope) || !at_scope && covers(&scope, &given))
            && whose
                .as_ref()
                .is_none_or(|whose| one.principal.eq_ignore_ascii_case(whose))
    });
    Ok(Answer::Found(listed(shown.map(|one| shown_as(&app, one)))))
}

/// `GET {scope}/providers/Microsoft.Authorization/roleAssignments/{name}`
pub(crate) async fn get(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let one = find(&app, &call.id)?.ok_or_else(|| Problem::Missing {
        code: "RoleAssignmentNotFound",
        message: format!("The role assignment '{}' is not found.", call.id.name()),
    })?;
    Ok(Answer::Found(shown_as(&app, &one)))
}

/// `PUT {scope}/providers/Microsoft.Authorization/roleAssignments/{name}`
pub(crate) async fn put(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let name = guid(&call.id, "role assignment", "InvalidRoleAssignmentId")?;
    let scope = scope_of(&call.id)?;
    let given = Value::Object(properties(call.object()?)?);
    let needed = |field: &'static str| {
        text(&given, field).filter(|text| !text.is_empty()).ok_or_else(|| {
            Problem::InvalidContent { why: format!("properties{field} is missing") }
        })
    };
    let (role, principal) = (needed("/roleDefinitionId")?, needed("/principalId")?);
    if given.get("condition").is_some_and(|condition| !condition.is_null()) {
        return Err(Problem::parameter(
            "properties.condition",
            "This cloud's role assignments have no conditions.",
        ));
    }
    let _turn = app.turn(LOCK).await?;
    app.check_scope(&scope).await?;
    let role = role_definition::named(&app, role)?;
    check_assignable(&role, &scope)?;
    let who = app.directory.principal(principal).ok_or_else(|| Problem::Invalid {
        code: "PrincipalNotFound",
        message: format!(
            "Principal {} does not exist in the directory {}. Check that you have the correct \
             principal ID: it is the object id of a service principal, not its application id.",
            principal.replace('-', ""),
            app.tenant
        ),
        target: None,
    })?;
    let kind = text(&given, "/principalType").unwrap_or(who.principal_type());
    if !kind.eq_ignore_ascii_case(who.principal_type()) {
        return Err(Problem::Invalid {
            code: "UnmatchedPrincipalType",
            message: format!(
                "The PrincipalId '{principal}' has type '{}' , which is different from specified \
                 PrincipalType '{kind}'.",
                who.principal_type()
            ),
            target: None,
        });
    }
    let mut made = Assignment::new(&name, scope.as_str(), &role.id, &who.id);
    made.description = text(&given, "/description").map(str::to_owned);
    made.created_by.clone_from(&call.caller.id);
    let is_same = |one: &Assignment| {
        one.role == made.role
            && one.principal == made.principal
            && normal(&one.scope) == normal(&made.scope)
    };
    let before = find(&app, &call.id)?;
    if let Some(before) = &before {
        if !is_same(before) {
            return Err(Problem::Conflict {
                code: "RoleAssignmentUpdateNotPermitted",
                message: "Tenant ID, application ID, principal ID, and scope are not allowed to \
                          be updated. Delete the role assignment and make another one."
                    .to_owned(),
            });
        }
        made.created_at.clone_from(&before.created_at);
        made.created_by.clone_from(&before.created_by);
    } else if let Some(other) =
        app.access.policy().assignments().iter().find(|one| is_same(one))
    {
        return Err(Problem::Conflict {
            code: "RoleAssignmentExists",
            message: format!(
                "The role assignment already exists. The ID of the existing role assignment is {}.",
                other.name.replace('-', "")
            ),
        });
    }
    app.store.put_assignment(&made).await?;
    app.access.reload(&app.store).await?;
    let body = shown_as(&app, &made);
    Ok(if before.is_some() { Answer::Found(body) } else { Answer::Created(body) })
}

/// `DELETE {scope}/providers/Microsoft.Authorization/roleAssignments/{name}`
pub(crate) async fn delete(app: Arc<App>, call: Call) -> Result<Answer, Problem> {
    let _turn = app.turn(LOCK).await?;
    let Some(one) = find(&app, &call.id)? else { return Ok(Answer::Nothing) };
    let subscription = format!("/subscriptions/{}", app.subscription);
    let policy = app.access.policy();
    let mut owners = policy.assignments().iter().filter(|one| {
        one.role == OWNER
            && normal(&one.scope) == normal(&subscription)
            && app.directory.principal(&one.principal).is_some()
    });
    if owners.next().is_some_and(|owner| owner.name == one.name)
        && owners.next().is_none()
    {
        return Err(Problem::Conflict {
            code: "CannotDeleteLastRbacAdminRoleAssignment",
            message: "The last owner of the subscription cannot be removed. Give somebody else \
                      the role Owner at the subscription first."
                .to_owned(),
        });
    }
    app.store.remove_assignment(&one).await?;
    app.access.reload(&app.store).await?;
    Ok(Answer::Found(shown_as(&app, &one)))
}

/// What something of Microsoft.Authorization is at.
pub(super) fn scope_of(id: &ResourceId) -> Result<ResourceId, Problem> {
    id.parent().ok_or_else(|| Problem::NotFound { message: format!("{id} has no scope") })
}

fn find(app: &App, id: &ResourceId) -> Result<Option<Assignment>, Problem> {
    let scope = normal(scope_of(id)?.as_str());
    let policy = app.access.policy();
    let mut all = policy.assignments().iter();
    Ok(all
        .find(|one| {
            one.name.eq_ignore_ascii_case(id.name()) && normal(&one.scope) == scope
        })
        .cloned())
}

fn check_assignable(role: &Role, scope: &ResourceId) -> Result<(), Problem> {
    let scope = normal(scope.as_str());
    if role.scopes.iter().any(|one| covers(&normal(one), &scope)) {
        return Ok(());
    }
    Err(Problem::Invalid {
        code: "RoleDefinitionNotAssignableAtScope",
        message: format!(
            "The role '{}' cannot be assigned at scope '{scope}': its assignable scopes are {}.",
            role.name,
            role.scopes.join(", ")
        ),
        target: None,
    })
}

fn shown_as(app: &App, one: &Assignment) -> Value {
    let id = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/{}",
        one.scope, one.name
    );
    json!({
        "id": id,
        "name": one.name,
        "type": "Microsoft.Authorization/roleAssignments",
        "properties": {
            "roleDefinitionId": role_definition::id_of(app, &one.role),
            "principalId": one.principal,
            "principalType": "ServicePrincipal",
            "scope": one.scope,
            "condition": null,
            "conditionVersion": null,
            "createdOn": one.created_at,
            "updatedOn": one.created_at,
            "createdBy": one.created_by,
            "updatedBy": one.created_by,
            "delegatedManagedIdentityResourceId": null,
            "description": one.description,
        },
    })
}

impl App {
    /// A scope must be there; one that lives in its parent's document has no row of
    /// its own, and its parent must be there.
    async fn check_scope(&self, scope: &ResourceId) -> Result<(), Problem> {
        if scope.is_type("Microsoft.Resources/subscriptions") {
            return Ok(());
        }
        if self.store.get(scope).await?.is_some() {
            return Ok(());
        }
        match scope.parent().filter(|_| scope.resource_type().matches('/').count() > 1) {
            Some(parent) => self.existing(&parent).await.map(drop),
            None => self.existing(scope).await.map(drop),
        }
    }

    /// Forgets the roles that were given at a scope that is gone, and below it.
    pub(in crate::app) async fn forget_roles_below(
        &self,
        scope: &ResourceId,
    ) -> Result<(), Problem> {
        let scope = normal(scope.as_str());
        let policy = self.access.policy();
        let gone: Vec<_> = policy
            .assignments()
            .iter()
            .filter(|one| covers(&scope, &normal(&one.scope)))
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        for one in gone {
            self.store.remove_assignment(one).await?;
        }
        self.access.reload(&self.store).await
    }
}
