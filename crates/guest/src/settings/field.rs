//! Reading single fields out of a JSON object, strictly.

use serde_json::{Map, Value};

use super::SettingsError;

/// One JSON object of settings; absent and null count as empty.
pub(super) struct Section<'a> {
    map: Option<&'a Map<String, Value>>,
}

impl<'a> Section<'a> {
    /// `known` are the keys that may occur; the check ignores none.
    pub(super) fn new(
        name: &'static str,
        value: Option<&'a Value>,
        known: &[&str],
    ) -> Result<Self, SettingsError> {
        let map = match value {
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => Some(map),
            Some(_) => return Err(SettingsError::NotAnObject { section: name }),
        };
        let unknown =
            map.iter().flat_map(|map| map.keys()).find(|k| !known.contains(&k.as_str()));
        match unknown {
            Some(key) => Err(SettingsError::UnknownKey {
                section: name,
                key: key.clone(),
                known: known.join(", "),
            }),
            None => Ok(Section { map }),
        }
    }

    /// The value of a key; null counts as absent.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.and_then(|map| map.get(key)).filter(|value| !value.is_null())
    }

    pub(super) fn text(
        &self,
        key: &'static str,
    ) -> Result<Option<&'a str>, SettingsError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(key, "a string", other)),
        }
    }

    /// `true`, `false`, and the same as strings: `az` cannot always send a bool.
    /// Anything else is refused: Microsoft's handler takes the string "false" for
    /// true.
    pub(super) fn flag(&self, key: &'static str) -> Result<bool, SettingsError> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(other) => Err(wrong_type(key, "true or false", other)),
        }
    }
}

pub(super) fn wrong_type(
    key: &'static str,
    wanted: &'static str,
    found: &Value,
) -> SettingsError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::String(_) => "another string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    SettingsError::WrongType { key, wanted, found }
}
