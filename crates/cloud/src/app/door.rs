//! Doors: what can be done to each resource type, for those inside who act as a client would.
//! A template's resources go through the same ones as any request from outside.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::{Answer, App, Call, Problem};

/// What a client can do to one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Deed {
    /// Read it.
    Get,
    /// Write it.
    Put,
    /// Change a part of it.
    Patch,
    /// Delete it.
    Delete,
}

/// A noun's function.
pub(crate) type Door = Arc<
    dyn Fn(
            Arc<App>,
            Call,
        ) -> Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>
        + Send
        + Sync,
>;

/// Every type that there is, and what can be done to it.
#[derive(Default)]
pub(crate) struct Doors {
    doors: HashMap<(Deed, String), Door>,
    types: BTreeSet<String>,
}

impl Doors {
    /// Adds a deed to a type, in Azure's spelling.
    pub(crate) fn add(&mut self, deed: Deed, kind: &str, door: Door) {
        self.types.insert(kind.to_owned());
        self.doors.insert((deed, kind.to_ascii_lowercase()), door);
    }

    /// Every type, in Azure's spelling, in order.
    pub(crate) fn types(&self) -> impl Iterator<Item = &str> {
        self.types.iter().map(String::as_str)
    }

    /// Whether resources of a type can be written.
    pub(crate) fn has(&self, deed: Deed, kind: &str) -> bool {
        self.doors.contains_key(&(deed, kind.to_ascii_lowercase()))
    }
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(&self.types).finish()
    }
}

impl App {
    /// Does to `call.id` what a client would with the same method.
    pub(crate) async fn at_door(
        self: &Arc<Self>,
        deed: Deed,
        call: Call,
    ) -> Result<Answer, Problem> {
        let kind = call.id.resource_type().to_ascii_lowercase();
        let Some(door) = self.doors.doors.get(&(deed, kind)) else {
            return Err(Problem::NoSuchRoute { path: call.id.to_string() });
        };
        door(Arc::clone(self), call).await
    }
}
