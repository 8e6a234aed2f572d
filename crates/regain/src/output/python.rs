//! Scalars as Python's `str` writes them, because `az` prints with it.

use serde_json::Value;

/// `True`, `False`, `None`; a text as it is; a number as in JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    }
}
