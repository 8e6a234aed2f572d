//! The gate: every request passes it before its noun is asked.
//!
//! A list may be asked for by who may read something in it, and then shows no
//! more than that. What belongs to nobody in particular (the subscription, its
//! locations) is known to everybody who has a role. An operation is told to who
//! asked for it.

use arm::ResourceId;
use serde_json::Value;

use super::action::{Verb, action_of};
use super::policy::Grant;
use crate::app::{Answer, App, Call, Caller, Problem};

/// What a route asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// As in `Microsoft.Compute/virtualMachines/write`.
    pub(crate) action: String,
    /// How it is done.
    pub(crate) verb: Verb,
    kind: RouteKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RouteKind {
    /// One thing, or an action on it.
    Item,
    /// A list of things of one type.
    List,
    /// A list of things of all types.
    Everything,
    /// The subscription and what is said of it.
    Common,
    /// An operation.
    Operation,
}

/// Leave to ask a noun, and what may be shown of its answer.
pub(crate) struct Pass {
    /// Set where some of a list's items may be shown only.
    some: Option<MayShow>,
}

type MayShow = Box<dyn Fn(&Value) -> bool + Send>;

impl Asked {
    /// What a route of this template asks for.
    pub(crate) fn of(template: &str, verb: Verb) -> Self {
        let last = template.rsplit('/').next().unwrap_or_default();
        let before = template.rsplit('/').nth(1).unwrap_or_default();
        let is_list = verb == Verb::Read && !last.starts_with('{');
        let kind =
            if matches!(before, "operations" | "operationresults" | "operationstatuses")
                && verb == Verb::Read
            {
                RouteKind::Operation
            } else if !is_list {
                let common = template.matches('/').count() == 2 || before == "providers";
                if common && verb == Verb::Read {
                    RouteKind::Common
                } else {
                    RouteKind::Item
                }
            } else if last == "resources" {
                RouteKind::Everything
            } else if last != "resourcegroups" && !template.contains("/providers/") {
                RouteKind::Common
            } else {
                RouteKind::List
            };
        Self { action: action_of(template, verb), verb, kind }
    }
}

impl App {
    /// Lets a call pass, or not.
    ///
    /// # Errors
    /// `AuthorizationFailed`.
    pub(crate) async fn allow(
        &self,
        call: &Call,
        asked: &Asked,
    ) -> Result<Pass, Problem> {
        let (who, scope) = (&call.caller, &call.id);
        let policy = self.access.policy();
        let in_subscription = scope.group().is_none();
        let judge = |action: &str| policy.judge(&who.id, action, scope.as_str());
        match asked.kind {
            RouteKind::Common if policy.knows(&who.id, scope.as_str()) => Ok(Pass::all()),
            RouteKind::Everything => match judge("*/read") {
                Grant::Whole => Ok(Pass::all()),
                _ if policy.knows(&who.id, scope.as_str()) => {
                    let who = who.id.clone();
                    Ok(Pass::some(move |id| {
                        let action = format!("{}/read", id.resource_type());
                        policy.judge(&who, &action, id.as_str()) == Grant::Whole
                    }))
                }
                _ => Err(self.refused(who, &asked.action, scope)),
            },
            RouteKind::Operation => {
                let asker = self.store.operation_asker(scope.name()).await?;
                if asker.as_deref() == Some(who.id.as_str())
                    || judge(&asked.action) == Grant::Whole
                {
                    return Ok(Pass::all());
                }
                Err(self.refused(who, &asked.action, scope))
            }
            _ => match (judge(&asked.action), asked.kind) {
                (Grant::Whole, _) => Ok(Pass::all()),
                (Grant::Below, RouteKind::List) => {
                    let (who, action) = (who.id.clone(), asked.action.clone());
                    Ok(Pass::some(move |id| {
                        // What a provider says of a location belongs to nobody.
                        let kind = id.resource_type();
                        let common = id.group().is_none() && kind.contains("/locations");
                        common || policy.judge(&who, &action, id.as_str()) == Grant::Whole
                    }))
                }
                (Grant::Below, RouteKind::Item)
                    if in_subscription && asked.verb == Verb::Read =>
                {
                    Ok(Pass::all())
                }
                _ => Err(self.refused(who, &asked.action, scope)),
            },
        }
    }

    /// Whether somebody may do something, and the refusal if not.
    pub(crate) fn require(
        &self,
        who: &Caller,
        action: &str,
        scope: &ResourceId,
    ) -> Result<(), Problem> {
        match self.access.policy().judge(&who.id, action, scope.as_str()) {
            Grant::Whole => Ok(()),
            _ => Err(self.refused(who, action, scope)),
        }
    }

    fn refused(&self, who: &Caller, action: &str, scope: &ResourceId) -> Problem {
        Problem::AuthorizationFailed {
            client: Caller::clone(who),
            action: action.to_owned(),
            scope: scope.to_string(),
        }
    }
}

impl Pass {
    fn all() -> Self {
        Self { some: None }
    }

    fn some(may: impl Fn(&ResourceId) -> bool + Send + 'static) -> Self {
        let known = move |item: &Value| {
            let id = item.get("id").and_then(Value::as_str).map(ResourceId::parse);
            // What has no id, or one that is no resource's, belongs to nobody.
            id.and_then(Result::ok).is_none_or(|id| may(&id))
        };
        Self { some: Some(Box::new(known)) }
    }

    /// The part of an answer that may be shown.
    pub(crate) fn shown(&self, mut answer: Answer) -> Answer {
        let Some(may) = &self.some else { return answer };
        let list = match &mut answer {
            // A page may come out short, as in Azure; the next one is still named.
            Answer::Listed(page) => Some(&mut page.items),
            Answer::Found(Value::Array(list)) => Some(list),
            Answer::Found(body) => body.get_mut("value").and_then(Value::as_array_mut),
            _ => None,
        };
        if let Some(list) = list {
            list.retain(|item| may(item));
        }
        answer
    }
}
