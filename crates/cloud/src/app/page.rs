//! Lists a page at a time.
//!
//! Items come in the order of their keys, and a page goes on after the key at which
//! the one before it ended: what is added or removed meanwhile moves nothing.

use serde_json::Value;

use super::{App, Call, Page, Problem};
use crate::store::{Resource, key_of};

impl App {
    /// One page of the resources of a type (in lower case) in the group or in the
    /// subscription that `call` is about, and the key that the next one goes on
    /// after.
    pub(crate) async fn page(
        &self,
        call: &Call,
        kind: &str,
    ) -> Result<(Vec<Resource>, Option<String>), Problem> {
        if call.id.group().is_some() {
            self.group_of(&call.id).await?;
        }
        let most = call.top(self.limits.page)?;
        let after = call.after.as_deref().unwrap_or_default();
        let mut found = self.store.page(&call.id, kind, after, most + 1).await?;
        let more = found.len() > most;
        found.truncate(most);
        let next = found.last().filter(|_| more).map(|last| key_of(&last.id));
        Ok((found, next))
    }
}

impl Page {
    /// A list that is short enough to be one page.
    pub(crate) fn whole(items: impl IntoIterator<Item = Value>) -> Self {
        Self { items: items.into_iter().collect(), next: None }
    }
}
