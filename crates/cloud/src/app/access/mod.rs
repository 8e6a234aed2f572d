//! Who may do what: role-based access control, as Azure decides it.
//!
//! An [action](action) is derived from a route and its verb. A [role](role) grants
//! actions by [patterns](pattern). A [policy](policy) is who has which role where;
//! it decides in memory, without a word to the database, and is replaced as a whole
//! when anything in it changes. [Access] is the policy in force.

mod action;
mod built_in;
mod gate;
pub(super) mod graph;
mod identity;
mod pattern;
mod policy;
mod role;
pub(crate) mod role_assignment;
pub(crate) mod role_definition;

use std::sync::{Arc, PoisonError, RwLock};

use arm::ResourceId;
use uuid::Uuid;

pub(crate) use action::Verb;
pub(crate) use built_in::OWNER;
pub(crate) use gate::Asked;
pub(crate) use policy::{covers, normal};
pub(crate) use role::Role;

use self::policy::Policy;
use crate::app::Problem;
use crate::store::{Assignment, Store};

/// The lock of everything that decides who may do what.
const LOCK: &str = "access";

/// The policy in force.
#[derive(Debug, Default)]
pub(crate) struct Access {
    policy: RwLock<Arc<Policy>>,
}

impl Access {
    /// The policy in force at this moment.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        let policy = self.policy.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&policy)
    }

    /// Puts in force what the store says.
    pub(crate) async fn reload(&self, store: &Store) -> Result<(), Problem> {
        let mut roles: Vec<Arc<Role>> =
            built_in::roles().into_iter().map(Arc::new).collect();
        for definition in store.definitions().await? {
            match Role::of_definition(&definition) {
                Ok(role) => roles.push(Arc::new(role)),
                // It was checked before it was stored.
                Err(problem) => tracing::error!(%problem, "a stored role is left out"),
            }
        }
        let assignments = store.assignments().await?;
        let policy = Arc::new(Policy::new(roles, assignments));
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
        Ok(())
    }

    /// Gives a role that this server promises, unless it was given before.
    pub(crate) async fn promise(
        store: &Store,
        principal: &str,
        role: &str,
        scope: &str,
    ) -> Result<(), Problem> {
        let name = Uuid::new_v4().to_string();
        Ok(store.put_assignment(&Assignment::new(&name, scope, role, principal)).await?)
    }
}

/// The GUID that an id ends with.
fn guid(id: &ResourceId, what: &str, code: &'static str) -> Result<String, Problem> {
    Uuid::try_parse(id.name()).map(|name| name.to_string()).map_err(|_| {
        Problem::Invalid {
            code,
            message: format!(
                "The {what} ID '{0}' is not valid. It must be a GUID.",
                id.name()
            ),
            target: None,
        }
    })
}
