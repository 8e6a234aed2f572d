//! Who asks: principals, by the ids by which they sign in and are given roles.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::store::{Kind, Principal, Store};

use super::Problem;

/// A principal that asks for something.
pub(crate) type Caller = Arc<Principal>;

/// Everybody who can ask, in memory: every request wants to know.
#[derive(Debug, Default)]
pub(crate) struct Directory(RwLock<Everybody>);

#[derive(Debug, Default)]
struct Everybody {
    by_id: HashMap<String, Caller>,
    by_app: HashMap<String, Caller>,
    /// In the order in which they came.
    order: Vec<Caller>,
}

impl Directory {
    /// Reads everybody from the store.
    pub(crate) async fn reload(&self, store: &Store) -> Result<(), Problem> {
        let order: Vec<Caller> =
            store.principals().await?.into_iter().map(Arc::new).collect();
        let by = |key: fn(&Principal) -> &String| {
            order.iter().map(|one| (key(one).clone(), Arc::clone(one))).collect()
        };
        let everybody = Everybody {
            by_id: by(|one| &one.id),
            by_app: by(|one| &one.app_id),
            order: order.clone(),
        };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = everybody;
        Ok(())
    }

    /// The principal of this object id.
    pub(crate) fn principal(&self, id: &str) -> Option<Caller> {
        self.look(|everybody| everybody.by_id.get(&id.to_ascii_lowercase()).cloned())
    }

    /// The principal of this application.
    pub(crate) fn of_app(&self, app_id: &str) -> Option<Caller> {
        self.look(|everybody| everybody.by_app.get(&app_id.to_ascii_lowercase()).cloned())
    }

    /// The identity of a virtual machine, by its key.
    pub(crate) fn of_machine(&self, machine: &str) -> Option<Caller> {
        self.look(|everybody| {
            let mut all = everybody.order.iter();
            all.find(|one| one.machine.as_deref() == Some(machine)).cloned()
        })
    }

    /// Everybody, in the order in which they came.
    pub(crate) fn everybody(&self) -> Vec<Caller> {
        self.look(|everybody| everybody.order.clone())
    }

    fn look<T>(&self, at: impl FnOnce(&Everybody) -> T) -> T {
        at(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Principal {
    /// What role assignments call it.
    pub(crate) fn principal_type(&self) -> &'static str {
        "ServicePrincipal"
    }

    /// What Graph calls it.
    pub(crate) fn service_principal_type(&self) -> &'static str {
        match self.kind {
            Kind::Application => "Application",
            Kind::ManagedIdentity => "ManagedIdentity",
        }
    }
}
