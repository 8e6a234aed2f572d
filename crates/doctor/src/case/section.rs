//! One layer's evidence, or why there is none.

use serde::{Deserialize, Serialize};

/// Evidence of one layer.
///
/// The difference between the last two matters to an operator: `Failed` says
/// that a door was tried and stayed shut, `NotTried` that nobody knocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Section<T> {
    /// The evidence.
    Collected(T),
    /// It was tried and could not be had: why, in one sentence.
    Failed(String),
    /// It was not tried: why, in one sentence.
    NotTried(String),
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self::NotTried("nothing asked for it".to_owned())
    }
}

impl<T> Section<T> {
    /// The evidence, if it was collected.
    pub fn collected(&self) -> Option<&T> {
        match self {
            Self::Collected(evidence) => Some(evidence),
            Self::Failed(_) | Self::NotTried(_) => None,
        }
    }

    /// Why there is no evidence, if there is none.
    pub fn why_not(&self) -> Option<&str> {
        match self {
            Self::Collected(_) => None,
            Self::Failed(why) | Self::NotTried(why) => Some(why),
        }
    }
}

impl<T, E: std::fmt::Display> From<Result<T, E>> for Section<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(evidence) => Self::Collected(evidence),
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}
