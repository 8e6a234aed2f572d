//! Tags: names and values that the owner hangs on a group or a resource.

use serde_json::{Map, Value, json};

use crate::app::Problem;

/// How many a resource can have.
const MOST: usize = 50;
const NAME: usize = 512;
const VALUE: usize = 256;

/// What no name may have.
const RESERVED: [char; 7] = ['<', '>', '%', '&', '\\', '?', '/'];

/// The tags of a body as they are stored. Null and nothing are no tags.
///
/// # Errors
/// They are not names with texts, or more or longer than Azure takes.
pub(crate) fn of(body: &Map<String, Value>) -> Result<Option<Value>, Problem> {
    match body.get("tags") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(tags)) => Ok(Some(json!(checked(tags)?))),
        Some(_) => {
            Err(Problem::InvalidContent { why: "'tags' is not an object".to_owned() })
        }
    }
}

/// The same tags, each value a text.
pub(crate) fn checked(tags: &Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let invalid =
        |code, message| Err(Problem::Invalid { code, message, target: Some("tags") });
    if tags.len() > MOST {
        return invalid(
            "TooManyTags",
            format!(
                "A resource can have at most {MOST} tags, and {} are given.",
                tags.len()
            ),
        );
    }
    let mut names: Vec<String> = tags.keys().map(|name| name.to_lowercase()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return invalid(
            "DuplicateTagNames",
            format!(
                "The tag name '{}' is given twice: names differ in case only.",
                pair[0]
            ),
        );
    }
    let mut all = Map::new();
    for (name, value) in tags {
        let value = match value {
            Value::String(value) => value.clone(),
            Value::Null => String::new(),
            // Clients of typed languages send these.
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(Problem::InvalidContent {
                    why: format!("the value of the tag '{name}' is not a text"),
                });
            }
        };
        if name.trim().is_empty() || name.chars().count() > NAME {
            return invalid(
                "InvalidTagName",
                format!(
                    "Tag name too large or empty. Following tag name '{name}' is not between 1 \
                     and the maximum length. Maximum allowed length for tag name - '{NAME}' \
                     characters."
                ),
            );
        }
        let hidden = name.starts_with("hidden-") || name.starts_with("link:");
        if name.chars().any(|c| c.is_control() || (RESERVED.contains(&c) && !hidden)) {
            return invalid(
                "InvalidTagNameCharacters",
                format!(
                    "The tag names '{name}' have reserved characters '<,>,%,&,\\,?,/' or \
                     control characters."
                ),
            );
        }
        if value.chars().count() > VALUE {
            return invalid(
                "InvalidTagValueLength",
                format!(
                    "Tag value too large. Following tag value '{value}' exceeded the maximum \
                     length. Maximum allowed length for tag value - '{VALUE}' characters."
                ),
            );
        }
        all.insert(name.clone(), json!(value));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(tags: impl serde::Serialize) -> String {
        let body = json!({ "tags": tags });
        match of(body.as_object().unwrap()) {
            Ok(_) => String::new(),
            Err(problem) => problem.code().to_owned(),
        }
    }

    #[test]
    fn tags_beyond_azures_limits_are_refused_each_with_its_code() {
        assert_eq!(code(json!({ "a": "b", "hidden-link:/x": "y", "n": 1 })), "");
        assert_eq!(code(json!({ "a/b": "" })), "InvalidTagNameCharacters");
        assert_eq!(code(json!({ "a".repeat(513): "" })), "InvalidTagName");
        assert_eq!(code(json!({ "a": "b".repeat(257) })), "InvalidTagValueLength");
        assert_eq!(code(json!({ "a": "", "A": "" })), "DuplicateTagNames");
        assert_eq!(code(json!(["a"])), "InvalidRequestContent");
        assert_eq!(code(json!({ "a": {} })), "InvalidRequestContent");
        let many: Map<String, Value> =
            (0..51).map(|n| (format!("t{n}"), json!(""))).collect();
        assert_eq!(code(json!(many)), "TooManyTags");
    }
}
