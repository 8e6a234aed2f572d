//! Values as az reads them from the command line, and the bodies made of them.

use serde_json::{Map, Value};

use crate::failure::Failure;

/// Reads a list: words, `[a,b]` or JSON, or `null`.
pub(in crate::commands) fn list(words: &[String]) -> Value {
    match words {
        [word] if word == "null" => Value::Null,
        [word] if word.starts_with('[') && word.ends_with(']') => {
            serde_json::from_str(word).unwrap_or_else(|_| {
                let inside = word[1..word.len() - 1].split(',').map(str::trim);
                inside.filter(|item| !item.is_empty()).map(Value::from).collect()
            })
        }
        words => words
            .iter()
            .filter(|word| !word.is_empty())
            .map(|word| word.as_str())
            .collect(),
    }
}

/// A text, where `null` and the empty text take away what was there.
pub(in crate::commands) fn or_null(word: &str) -> Value {
    if word.is_empty() || word == "null" { Value::Null } else { word.into() }
}

/// An object that is filled with what was given.
#[derive(Debug, Default)]
pub(in crate::commands) struct Properties(Map<String, Value>);

impl Properties {
    /// Sets a key if there is a value.
    pub(in crate::commands) fn with(
        mut self,
        key: &str,
        value: Option<impl Into<Value>>,
    ) -> Self {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
        self
    }

    /// Sets the keys of another object; a null takes a key away.
    pub(in crate::commands) fn put_into(self, object: &mut Value) -> Result<(), Failure> {
        if object.is_null() {
            *object = Value::Object(Map::new());
        }
        let object = object
            .as_object_mut()
            .ok_or_else(|| Failure::new("the cloud's document is not an object"))?;
        for (key, value) in self.0 {
            if value.is_null() {
                object.shift_remove(&key);
            } else {
                object.insert(key, value);
            }
        }
        Ok(())
    }
}

impl From<Properties> for Value {
    fn from(properties: Properties) -> Self {
        Self::Object(properties.0)
    }
}

/// The object under a key, made if there is none.
pub(in crate::commands) fn at<'v>(document: &'v mut Value, key: &str) -> &'v mut Value {
    let value = &mut document[key];
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_words_or_shorthand_or_json() {
        let read = |words: &[&str]| {
            list(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(read(&["a", "b"]), json!(["a", "b"]));
        assert_eq!(read(&["[a, b]"]), json!(["a", "b"]));
        assert_eq!(read(&[r#"["a"]"#]), json!(["a"]));
        assert_eq!(read(&["[]"]), json!([]));
        assert_eq!(read(&[""]), json!([]));
        assert_eq!(read(&["null"]), Value::Null);
    }

    #[test]
    fn what_was_not_given_stays() {
        let mut nic = json!({"a": 1, "b": 2});
        Properties::default()
            .with("a", Some(3))
            .with("b", Some(Value::Null))
            .with("c", None::<&str>)
            .put_into(&mut nic)
            .unwrap();
        assert_eq!(nic, json!({"a": 3}));
    }
}
