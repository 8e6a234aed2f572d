//! The functions that need nothing but their arguments.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::function_number as number;
use super::function_text as text;

/// No value may become longer than this, whatever is doubled how often.
pub(super) const LONGEST: usize = 1 << 20;

/// What a call gives. `None`: there is no such function here.
pub(super) fn call(name: &str, given: &[Value]) -> Option<Result<Value, String>> {
    let outcome = match name {
        "concat" => concat(given),
        "length" => one(given).and_then(|value| length(value).map(|n| json!(n))),
        "empty" => one(given).map(|value| {
            json!(value.is_null() || length(value).is_ok_and(|length| length == 0))
        }),
        "contains" => two(given).map(|(all, part)| json!(contains(all, part))),
        "first" | "last" => one(given).and_then(|value| end_of(value, name == "first")),
        "skip" | "take" => {
            two(given).and_then(|(all, n)| part_of(all, n, name == "skip"))
        }
        "createarray" => Ok(json!(given)),
        "createobject" => create_object(given),
        "array" => one(given).map(|value| match value {
            Value::Array(_) => value.clone(),
            other => json!([other]),
        }),
        "union" => union(given),
        "intersection" => intersection(given),
        "range" => two(given).and_then(|(from, count)| range(from, count)),
        "items" => one(given).and_then(items),
        "objectkeys" => one(given).and_then(|value| {
            let object = value.as_object().ok_or("an object is expected")?;
            Ok(object.keys().map(|key| json!(key)).collect())
        }),
        "flatten" => one(given).and_then(flatten),
        "coalesce" => {
            Ok(given.iter().find(|value| !value.is_null()).cloned().unwrap_or_default())
        }
        "null" => none(given).map(|()| Value::Null),
        "true" => none(given).map(|()| json!(true)),
        "false" => none(given).map(|()| json!(false)),
        "equals" => two(given).map(|(one, other)| json!(equal(one, other))),
        "not" => one(given).and_then(|value| Ok(json!(!boolean(value)?))),
        "bool" => one(given).and_then(to_boolean),
        "string" => one(given).map(|value| json!(as_text(value))),
        "json" => one(given).and_then(|value| {
            serde_json::from_str(string(value)?).map_err(|error| error.to_string())
        }),
        "base64" => {
            one(given).and_then(|value| Ok(json!(STANDARD.encode(string(value)?))))
        }
        "base64tostring" => one(given).and_then(|value| Ok(json!(from_base64(value)?))),
        "base64tojson" => one(given).and_then(|value| {
            serde_json::from_str(&from_base64(value)?).map_err(|error| error.to_string())
        }),
        _ => return text::call(name, given).or_else(|| number::call(name, given)),
    };
    Some(outcome)
}

pub(super) fn none(given: &[Value]) -> Result<(), String> {
    if given.is_empty() { Ok(()) } else { Err(expected("no arguments", given)) }
}

pub(super) fn one(given: &[Value]) -> Result<&Value, String> {
    match given {
        [one] => Ok(one),
        _ => Err(expected("one argument", given)),
    }
}

pub(super) fn two(given: &[Value]) -> Result<(&Value, &Value), String> {
    match given {
        [one, two] => Ok((one, two)),
        _ => Err(expected("two arguments", given)),
    }
}

pub(super) fn expected(what: &str, given: &[Value]) -> String {
    format!("{what} expected, {} given", given.len())
}

pub(super) fn string(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("a text is expected, {} is given", kind(value)))
}

pub(super) fn integer(value: &Value) -> Result<i64, String> {
    value
        .as_i64()
        .ok_or_else(|| format!("a whole number is expected, {} is given", kind(value)))
}

pub(super) fn boolean(value: &Value) -> Result<bool, String> {
    value
        .as_bool()
        .ok_or_else(|| format!("true or false is expected, {} is given", kind(value)))
}

/// A value's type, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A value as it stands within a text.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A text that is not too long.
pub(super) fn bounded(text: String) -> Result<Value, String> {
    if text.len() > LONGEST {
        return Err(format!("its value is longer than {LONGEST} bytes"));
    }
    Ok(Value::String(text))
}

/// Texts are equal without regard to case, as everything in ARM.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => {
            one.to_lowercase() == other.to_lowercase()
        }
        _ => one == other,
    }
}

fn concat(given: &[Value]) -> Result<Value, String> {
    if given.iter().any(Value::is_array) {
        let mut all = Vec::new();
        for value in given {
            all.extend(
                value.as_array().ok_or("arrays and texts cannot be joined")?.clone(),
            );
        }
        if all.len() > LONGEST / 64 {
            return Err("its array is too long".to_owned());
        }
        return Ok(json!(all));
    }
    let mut joined = String::new();
    for value in given {
        if value.is_object() {
            return Err("an object cannot be joined".to_owned());
        }
        joined += &as_text(value);
        if joined.len() > LONGEST {
            break;
        }
    }
    bounded(joined)
}

fn length(value: &Value) -> Result<usize, String> {
    match value {
        Value::String(text) => Ok(text.chars().count()),
        Value::Array(all) => Ok(all.len()),
        Value::Object(all) => Ok(all.len()),
        other => Err(format!("{} has no length", kind(other))),
    }
}

fn contains(all: &Value, part: &Value) -> bool {
    match all {
        Value::String(text) => part
            .as_str()
            .is_some_and(|part| text.to_lowercase().contains(&part.to_lowercase())),
        Value::Array(all) => all.iter().any(|one| one == part),
        Value::Object(all) => part
            .as_str()
            .is_some_and(|part| all.keys().any(|key| key.eq_ignore_ascii_case(part))),
        _ => false,
    }
}

fn end_of(value: &Value, first: bool) -> Result<Value, String> {
    match value {
        Value::Array(all) => {
            Ok(if first { all.first() } else { all.last() }.cloned().unwrap_or_default())
        }
        Value::String(text) => {
            let c = if first { text.chars().next() } else { text.chars().next_back() };
            Ok(json!(c.map(String::from).unwrap_or_default()))
        }
        other => Err(format!("an array or a text is expected, {} is given", kind(other))),
    }
}

fn part_of(all: &Value, count: &Value, skip: bool) -> Result<Value, String> {
    let count = usize::try_from(integer(count)?).unwrap_or(0);
    match all {
        Value::Array(all) => Ok(if skip {
            json!(all.iter().skip(count).collect::<Vec<_>>())
        } else {
            json!(all.iter().take(count).collect::<Vec<_>>())
        }),
        Value::String(text) => Ok(json!(if skip {
            text.chars().skip(count).collect::<String>()
        } else {
            text.chars().take(count).collect::<String>()
        })),
        other => Err(format!("an array or a text is expected, {} is given", kind(other))),
    }
}

fn create_object(given: &[Value]) -> Result<Value, String> {
    if !given.len().is_multiple_of(2) {
        return Err("names and values are expected in pairs".to_owned());
    }
    let pairs =
        given.chunks(2).map(|pair| Ok((string(&pair[0])?.to_owned(), pair[1].clone())));
    pairs.collect::<Result<Map<_, _>, String>>().map(Value::Object)
}

fn union(given: &[Value]) -> Result<Value, String> {
    if given.iter().all(Value::is_object) && !given.is_empty() {
        let mut all = Map::new();
        for object in given.iter().filter_map(Value::as_object) {
            for (key, value) in object {
                let merged = match (all.get(key), value) {
                    (Some(old @ Value::Object(_)), Value::Object(_)) => {
                        union(&[old.clone(), value.clone()])?
                    }
                    _ => value.clone(),
                };
                all.insert(key.clone(), merged);
            }
        }
        return Ok(Value::Object(all));
    }
    let mut all: Vec<Value> = Vec::new();
    for array in given {
        for value in
            array.as_array().ok_or("arrays only, or objects only, are expected")?
        {
            if !all.contains(value) {
                all.push(value.clone());
            }
        }
    }
    Ok(json!(all))
}

fn intersection(given: &[Value]) -> Result<Value, String> {
    let (first, rest) = given.split_first().ok_or("arguments are expected")?;
    match first {
        Value::Array(all) => {
            let mut common = Vec::new();
            for value in all {
                let everywhere = rest.iter().all(|other| {
                    other.as_array().is_some_and(|other| other.contains(value))
                });
                if everywhere && !common.contains(value) {
                    common.push(value.clone());
                }
            }
            Ok(json!(common))
        }
        Value::Object(all) => Ok(Value::Object(
            all.iter()
                .filter(|(key, value)| {
                    rest.iter().all(|other| other.get(key) == Some(value))
                })
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )),
        other => Err(format!("arrays or objects are expected, {} is given", kind(other))),
    }
}

fn range(from: &Value, count: &Value) -> Result<Value, String> {
    let (from, count) = (integer(from)?, integer(count)?);
    if !(0..=10_000).contains(&count) {
        return Err(format!("a count from 0 to 10000 is expected, {count} is given"));
    }
    let end = from.checked_add(count).ok_or("the numbers become too large")?;
    Ok(json!((from..end).collect::<Vec<i64>>()))
}

fn items(value: &Value) -> Result<Value, String> {
    let object = value.as_object().ok_or("an object is expected")?;
    Ok(object.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect())
}

fn flatten(value: &Value) -> Result<Value, String> {
    let arrays = value.as_array().ok_or("an array of arrays is expected")?;
    let mut all = Vec::new();
    for array in arrays {
        all.extend(array.as_array().ok_or("an array of arrays is expected")?.clone());
    }
    Ok(json!(all))
}

fn to_boolean(value: &Value) -> Result<Value, String> {
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::Number(number) => Ok(json!(number.as_f64() != Some(0.0))),
        Value::String(text) if text.eq_ignore_ascii_case("true") || text == "1" => {
            Ok(json!(true))
        }
        Value::String(text) if text.eq_ignore_ascii_case("false") || text == "0" => {
            Ok(json!(false))
        }
        other => Err(format!("{} is neither true nor false", kind(other))),
    }
}

fn from_base64(value: &Value) -> Result<String, String> {
    let bytes = STANDARD.decode(string(value)?).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}
