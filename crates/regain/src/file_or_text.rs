//! Values that may stand in a file: `@FILE`, as in az.

use std::fs;

use serde_json::Value;

use crate::failure::Failure;

/// The text itself, or what the file after `@` holds.
pub(crate) fn text(value: &str) -> Result<String, Failure> {
    match value.strip_prefix('@') {
        None => Ok(value.to_owned()),
        Some(path) => fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("cannot read {path}")).because(error)
        }),
    }
}

/// JSON, of the text or of the file.
pub(crate) fn json(value: &str, flag: &str) -> Result<Value, Failure> {
    serde_json::from_str(&text(value)?).map_err(|error| {
        Failure::new(format!("the value of {flag} is not JSON")).because(error)
    })
}
