//! `--tags`.

use clap::Args;
use serde_json::{Map, Value};

/// Tags, as KEY=VALUE.
#[derive(Debug, Clone, Args)]
pub(crate) struct Tags {
    /// Space-separated tags: key[=value] [key[=value] ...]. Use "" to clear existing tags.
    #[arg(long, num_args = 0.., value_name = "KEY=VALUE")]
    tags: Option<Vec<String>>,
}

impl Tags {
    /// Keys and values, if the flag was given.
    pub(crate) fn given(&self) -> Option<Map<String, Value>> {
        let tags = self.tags.as_ref()?.iter().filter(|tag| !tag.is_empty());
        Some(
            tags.map(|tag| tag.split_once('=').unwrap_or((tag, "")))
                .map(|(key, value)| (key.to_owned(), value.into()))
                .collect(),
        )
    }

    /// Keys and values; none without the flag.
    pub(crate) fn map(&self) -> Map<String, Value> {
        self.given().unwrap_or_default()
    }
}
