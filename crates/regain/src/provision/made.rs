//! What a run has made, so that it can be taken back.

use arm::{Client, Error, ResourceId};
use serde_json::Value;

use crate::api;

/// Resources in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Made {
    resources: Vec<(ResourceId, &'static str)>,
}

impl Made {
    /// Makes a resource that did not exist. It is noted before it is asked for,
    /// because a PUT that fails can leave half of it behind.
    pub(super) async fn put(
        &mut self,
        client: &Client,
        id: &ResourceId,
        version: &'static str,
        body: &Value,
    ) -> Result<(), Error> {
        self.resources.push((id.clone(), version));
        client.put(&api::path(id, version), body).await.map(drop)
    }

    /// Whether nothing was made yet.
    pub(super) fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// Deletes all of it, last first. What cannot be deleted is logged: the
    /// failure that led here is the one to report.
    pub(super) async fn remove(self, client: &Client) {
        for (id, version) in self.resources.into_iter().rev() {
            match client.delete(&api::path(&id, version)).await {
                Ok(()) => {}
                Err(error) if error.is_not_found() => {}
                Err(error) => tracing::warn!(%id, %error, "left behind"),
            }
        }
    }
}
