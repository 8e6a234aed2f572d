//! `role assignment`

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::directory::Principal;
use super::{definition, directory, modelled, scope};
use crate::api;
use crate::args::role::{
    Assignee, Assignment, CreateAssignment, DeleteAssignments, ListAssignments, Scope,
};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;
use crate::shape;

const VERSION: &str = "2022-04-01";
const KEYS: [(&str, &str); 12] = [
    ("scope", "scope"),
    ("roleDefinitionId", "roleDefinitionId"),
    ("principalId", "principalId"),
    ("principalType", "principalType"),
    ("description", "description"),
    ("condition", "condition"),
    ("conditionVersion", "conditionVersion"),
    ("createdOn", "createdOn"),
    ("updatedOn", "updatedOn"),
    ("createdBy", "createdBy"),
    ("updatedBy", "updatedBy"),
    ("delegatedManagedIdentityResourceId", "delegatedManagedIdentityResourceId"),
];

pub(super) async fn run(
    assignment: Assignment,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    match assignment {
        Assignment::List(args) => list(args, &session).await,
        Assignment::Create(args) => create(args, &session).await,
        Assignment::Delete(args) => delete(args, &session).await,
    }
}

async fn list(args: ListAssignments, session: &Session) -> Result<Answer, Failure> {
    let wanted = Wanted {
        scope: if args.all {
            if args.scope.scope.is_some() || args.scope.group.is_some() {
                return Err(Failure::new(
                    "group or scope are not required when --all is used",
                ));
            }
            None
        } else {
            Some(scope(&args.scope, session)?)
        },
        assignee: object_id(&args.assignee, session).await?,
        role: args.role.as_deref(),
        inherited: args.include_inherited,
        groups: args.include_groups,
    };
    let mut found: Vec<Map<String, Value>> = find(&wanted, session)
        .await?
        .into_iter()
        .map(|assignment| {
            // az's list leaves out what there is none of.
            let mut listed = modelled(assignment, &KEYS);
            listed.retain(|key, value| !value.is_null() && key != "systemData");
            listed
        })
        .collect();
    if found.is_empty() {
        return Ok(Answer::new(json!([])).with_columns(columns));
    }
    if args.fill_role_definition_name {
        let whole = session.scope(None)?.to_string();
        let names =
            role_names(session, wanted.scope.as_deref().unwrap_or(&whole)).await?;
        for assignment in &mut found {
            let id = text(assignment, "roleDefinitionId").to_lowercase();
            let name = names.get(&id).cloned().map_or(Value::Null, Value::String);
            assignment.insert("roleDefinitionName".to_owned(), name);
        }
    }
    if args.fill_principal_name {
        let mut ids: Vec<String> =
            found.iter().map(|found| text(found, "principalId").to_owned()).collect();
        ids.sort();
        ids.dedup();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        // Who may not read the directory gets the rest.
        if let Ok(names) = directory::names(session, &ids).await {
            for assignment in &mut found {
                let name = names.get(text(assignment, "principalId")).cloned();
                assignment
                    .insert("principalName".to_owned(), name.unwrap_or_default().into());
            }
        }
    }
    let found = found.into_iter().map(|mut found| {
        shape::with_group(&mut found);
        Value::Object(found)
    });
    Ok(Answer::new(found.collect()).with_columns(columns))
}

async fn create(args: CreateAssignment, session: &Session) -> Result<Answer, Failure> {
    let Assignee { assignee, assignee_object_id } = &args.assignee;
    let (id, kind) = match (assignee.as_deref(), assignee_object_id) {
        (Some(name), None)
            if args.assignee_principal_type.is_none() && !name.is_empty() =>
        {
            let principal = directory::resolve(session, name).await?;
            (principal.id, principal.kind)
        }
        (Some(_), None) if args.assignee_principal_type.is_some() => {
            return Err(Failure::new(
                "usage error: --assignee-object-id GUID --assignee-principal-type TYPE",
            ));
        }
        (None, Some(id)) => {
            let kind = match args.assignee_principal_type {
                Some(kind) => Some(kind),
                None => directory::kind_of(session, id).await.map(str::to_owned),
            };
            (id.clone(), kind)
        }
        _ => {
            return Err(Failure::new(
                "usage error: --assignee STRING | --assignee-object-id GUID",
            ));
        }
    };
    let scope = scope(&Scope { scope: Some(args.scope), group: None }, session)?;
    let principal = Principal { id, kind };
    let name = args.name.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    let made = assign(
        session,
        &args.role,
        &scope,
        &principal,
        &name,
        args.description.as_deref(),
    );
    match made.await {
        Ok(made) => {
            let mut made = modelled(made, &KEYS);
            shape::with_group(&mut made);
            Ok(Answer::new(Value::Object(made)))
        }
        // The same assignment twice is one.
        Err(failure) if exists(&failure) => {
            let again = ListAssignments {
                assignee: Assignee {
                    assignee: None,
                    assignee_object_id: Some(principal.id),
                },
                scope: Scope { scope: Some(scope), group: None },
                role: Some(args.role),
                all: false,
                include_inherited: false,
                include_groups: false,
                fill_role_definition_name: true,
                fill_principal_name: true,
            };
            list(again, session).await.map(Answer::first)
        }
        Err(failure) => Err(failure),
    }
}

/// Gives a principal a role.
pub(in crate::commands) async fn assign(
    session: &Session,
    role: &str,
    scope: &str,
    principal: &Principal,
    name: &str,
    description: Option<&str>,
) -> Result<Value, Failure> {
    let role = role_id(role, scope, session).await?;
    let mut properties = json!({ "roleDefinitionId": role, "principalId": principal.id });
    if let Some(kind) = &principal.kind {
        properties["principalType"] = kind.as_str().into();
    }
    if let Some(description) = description {
        properties["description"] = description.into();
    }
    let path = format!(
        "{scope}/providers/Microsoft.Authorization/roleAssignments/{name}?api-version={VERSION}"
    );
    Ok(session.client.put(&path, &json!({ "properties": properties })).await?)
}

/// Whether the principal has the role already.
pub(in crate::commands) fn exists(failure: &Failure) -> bool {
    let reason = failure.arm().and_then(arm::Error::arm);
    reason.is_some_and(|why| why.code == "RoleAssignmentExists")
}

async fn delete(args: DeleteAssignments, session: &Session) -> Result<Answer, Failure> {
    let by_id = |id: &str| format!("{id}?api-version={VERSION}");
    if !args.ids.is_empty() {
        for id in &args.ids {
            session.client.delete(&by_id(id)).await?;
        }
        return Ok(Answer::done());
    }
    let Assignee { assignee, assignee_object_id } = &args.assignee;
    let Scope { scope: at, group } = &args.scope;
    let role = &args.role;
    if [assignee, assignee_object_id, at, group, role].iter().all(|flag| flag.is_none()) {
        return Err(Failure::new(
            "Please provide at least one of these arguments: --ids, --assignee, \
             --assignee-object-id, --role, --resource-group, --scope",
        ));
    }
    let wanted = Wanted {
        scope: Some(scope(&args.scope, session)?),
        assignee: object_id(&args.assignee, session).await?,
        role: args.role.as_deref(),
        inherited: args.include_inherited,
        groups: false,
    };
    let found = find(&wanted, session).await?;
    if found.is_empty() {
        return Err(Failure::new("No matched assignments were found to delete"));
    }
    for assignment in found {
        let id = assignment["id"].as_str().unwrap_or_default();
        session.client.delete(&by_id(id)).await?;
    }
    Ok(Answer::done())
}

/// Which assignments are looked for.
struct Wanted<'a> {
    scope: Option<String>,
    assignee: Option<String>,
    role: Option<&'a str>,
    inherited: bool,
    groups: bool,
}

async fn find(wanted: &Wanted<'_>, session: &Session) -> Result<Vec<Value>, Failure> {
    // ARM does not take `atScope()` and `principalId eq` together: the rest is
    // chosen here.
    let whole = session.scope(None)?.to_string();
    let assignee = wanted.assignee.as_deref();
    let filter = match (&wanted.scope, assignee) {
        (Some(_), Some(id)) if wanted.groups => {
            format!("atScope() and assignedTo('{id}')")
        }
        (Some(_), _) => "atScope()".to_owned(),
        (None, Some(id)) if wanted.groups => format!("assignedTo('{id}')"),
        (None, Some(id)) => format!("principalId eq '{id}'"),
        (None, None) => String::new(),
    };
    let filter = if filter.is_empty() {
        filter
    } else {
        format!("&$filter={}", api::encoded(&filter))
    };
    let scope = wanted.scope.as_deref().unwrap_or(&whole);
    let path = format!(
        "{scope}/providers/Microsoft.Authorization/roleAssignments?api-version={VERSION}{filter}"
    );
    let mut found = session.client.list(&path).await?;
    if found.is_empty() {
        return Ok(found);
    }
    let role = match wanted.role {
        Some(role) => Some(role_id(role, scope, session).await?),
        None => None,
    };
    let same = |value: &Value, wanted: &str| {
        value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    };
    found.retain(|assignment| {
        let assignment = &assignment["properties"];
        (wanted.scope.is_none() || wanted.inherited || same(&assignment["scope"], scope))
            && role
                .as_deref()
                .is_none_or(|role| same(&assignment["roleDefinitionId"], role))
            && (wanted.groups
                || assignee.is_none_or(|id| same(&assignment["principalId"], id)))
    });
    Ok(found)
}

async fn object_id(
    assignee: &Assignee,
    session: &Session,
) -> Result<Option<String>, Failure> {
    match (&assignee.assignee, &assignee.assignee_object_id) {
        (Some(_), Some(_)) => Err(Failure::new(
            "Usage error: Provide only one of --assignee or --assignee-object-id.",
        )),
        (Some(name), None) if name.is_empty() => Err(Failure::new(
            "usage error: --assignee can't be an empty string. Either omit it or provide a \
             non-empty string.",
        )),
        (Some(name), None) => Ok(Some(directory::resolve(session, name).await?.id)),
        (None, id) => Ok(id.clone()),
    }
}

/// The id of a role by its name, its GUID or its id.
async fn role_id(role: &str, scope: &str, session: &Session) -> Result<String, Failure> {
    if role.starts_with('/') {
        return Ok(role.to_owned());
    }
    if uuid::Uuid::parse_str(role).is_ok() {
        let subscription = &session.subscription;
        return Ok(format!(
            "/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
        ));
    }
    let roles = definition::all(session, scope, Some(role)).await?;
    let ids: Vec<&str> = roles.iter().filter_map(|role| role["id"].as_str()).collect();
    match ids.as_slice() {
        [id] => Ok((*id).to_owned()),
        [] => Err(Failure::new(format!("Role '{role}' doesn't exist."))),
        several => Err(Failure::new(format!(
            "More than one role matches the given name '{role}'. Please pick a value from '{}'",
            several.join(", ")
        ))),
    }
}

async fn role_names(
    session: &Session,
    scope: &str,
) -> Result<BTreeMap<String, String>, Failure> {
    let roles = definition::all(session, scope, None).await?;
    let name = |role: &Value| {
        let name = role["properties"]["roleName"].as_str()?.to_owned();
        Some((role["id"].as_str()?.to_lowercase(), name))
    };
    Ok(roles.iter().filter_map(name).collect())
}

fn text<'v>(assignment: &'v Map<String, Value>, key: &str) -> &'v str {
    assignment.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn columns(assignments: &Value) -> Value {
    let row = |assignment: &Value| {
        json!({
            "Principal": assignment["principalName"],
            "Role": assignment["roleDefinitionName"],
            "Scope": assignment["scope"],
        })
    };
    assignments.as_array().into_iter().flatten().map(row).collect()
}
