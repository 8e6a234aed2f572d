//! Parameters: what the template declares, and the values that are given.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::expression::{self, Expression, Written};
use super::function;
use super::scope::{Fault, Frame, Scope, Surroundings, find};

/// The value of every parameter of a template, checked.
pub(crate) fn values(
    template: &Value,
    given: &Value,
    around: &Surroundings,
) -> Result<Map<String, Value>, Fault> {
    let none = Map::new();
    let declared = section(template, "parameters")?.unwrap_or(&none);
    let given = match given {
        Value::Null => &none,
        Value::Object(given) => given,
        _ => return Err(Fault::new("parameters", "an object is expected")),
    };
    let mut unknown: Vec<&str> = given
        .keys()
        .filter(|name| find(declared, name).is_none())
        .map(String::as_str)
        .collect();
    unknown.sort_unstable();
    if !unknown.is_empty() {
        let names: Vec<&str> = declared.keys().map(String::as_str).collect();
        return Err(Fault::new(
            "parameters",
            format!(
                "the template parameters '{}' are not valid; they are not present in the \
                 original template and can therefore not be provided at deployment time. The \
                 only supported parameters for this template are '{}'",
                unknown.join(", "),
                names.join(", ")
            ),
        ));
    }
    let mut values = Map::new();
    for (name, declaration) in declared {
        let place = format!("parameters.{name}");
        let value = match (find(given, name), declaration.get("defaultValue")) {
            (Some(given), _) => given_value(given, &place)?,
            (None, Some(default)) => {
                // A default may refer to parameters that come before it.
                let scope = Scope::new(template, &values, around);
                default_value(&scope, default, &place)?
            }
            (None, None) => {
                return Err(Fault::new(
                    &place,
                    format!(
                        "the value for the template parameter '{name}' is not provided"
                    ),
                ));
            }
        };
        check(name, declaration, &value, &place)?;
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// Whether a type's values are shown to nobody.
pub(crate) fn is_secure(declaration: &Value) -> bool {
    declaration["type"]
        .as_str()
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("secure"))
}

/// A type as ARM shows it: `SecureString` for `securestring`.
pub(crate) fn shown_type(declaration: &Value) -> &'static str {
    match declaration["type"].as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
        "securestring" => "SecureString",
        "secureobject" => "SecureObject",
        "int" => "Int",
        "bool" => "Bool",
        "object" => "Object",
        "array" => "Array",
        _ => "String",
    }
}

/// A section of a template that must be an object, if it is there.
pub(super) fn section<'t>(
    template: &'t Value,
    name: &str,
) -> Result<Option<&'t Map<String, Value>>, Fault> {
    match template.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(section)) => Ok(Some(section)),
        Some(_) => Err(Fault::new(name, "an object is expected")),
    }
}

fn given_value(given: &Value, place: &str) -> Result<Value, Fault> {
    if given.get("reference").is_some() {
        return Err(Fault::new(
            place,
            "a reference to a key vault cannot be followed: this cloud has none; give the value",
        ));
    }
    given.get("value").cloned().ok_or_else(|| {
        Fault::new(place, "an object with a 'value' is expected for a parameter")
    })
}

/// Only here may a value be another one each time.
fn default_value(
    scope: &Scope<'_>,
    default: &Value,
    place: &str,
) -> Result<Value, Fault> {
    if let Value::String(text) = default
        && let Ok(Written::Expression(Expression::Call(name, arguments))) =
            expression::read(text)
    {
        match (name.as_str(), arguments.as_slice()) {
            ("newguid", []) => return Ok(json!(Uuid::new_v4())),
            ("utcnow", []) => {
                return Ok(json!(
                    Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string()
                ));
            }
            ("utcnow", [Expression::Text(shape)]) => return utc_now(shape, place),
            _ => {}
        }
    }
    scope.value(default, Frame::new(&[], false), place)
}

fn utc_now(shape: &str, place: &str) -> Result<Value, Fault> {
    let format = match shape {
        "d" => "%m/%d/%Y",
        "u" => "%Y-%m-%d %H:%M:%SZ",
        "yyyy-MM-dd" => "%Y-%m-%d",
        "yyyyMMdd" => "%Y%m%d",
        "yyyyMMddHHmmss" => "%Y%m%d%H%M%S",
        "yyyyMMddTHHmmssZ" => "%Y%m%dT%H%M%SZ",
        _ => {
            return Err(Fault::new(
                place,
                format!("utcNow() does not understand the format '{shape}' here"),
            ));
        }
    };
    Ok(json!(Timestamp::now().strftime(format).to_string()))
}

fn check(
    name: &str,
    declaration: &Value,
    value: &Value,
    place: &str,
) -> Result<(), Fault> {
    let wanted = declaration["type"].as_str().ok_or_else(|| {
        Fault::new(place, format!("the template parameter '{name}' has no type"))
    })?;
    let fits = match wanted.to_ascii_lowercase().as_str() {
        "string" | "securestring" => value.is_string(),
        "int" => value.is_i64() || value.is_u64(),
        "bool" => value.is_boolean(),
        "object" | "secureobject" => value.is_object(),
        "array" => value.is_array(),
        _ => {
            return Err(Fault::new(
                place,
                format!(
                    "the template parameter '{name}' has the unknown type '{wanted}'"
                ),
            ));
        }
    };
    let optional = declaration["nullable"] == true && value.is_null();
    if !fits && !optional {
        return Err(Fault::new(
            place,
            format!(
                "the template parameter '{name}' is not valid: expected type '{wanted}', and {} \
                 is given",
                function::kind(value)
            ),
        ));
    }
    // The value itself may be a secret, so it is not repeated.
    if let Some(allowed) = declaration["allowedValues"].as_array()
        && !allowed.iter().any(|one| function::equal(one, value))
        && !(value.is_array()
            && value
                .as_array()
                .is_some_and(|all| all.iter().all(|one| allowed.contains(one))))
    {
        let allowed: Vec<String> = allowed.iter().map(function::as_text).collect();
        return Err(Fault::new(
            place,
            format!(
                "the provided value for the template parameter '{name}' is not valid: it is not \
                 part of the allowed value(s): '{}'",
                allowed.join(",")
            ),
        ));
    }
    let bounds = [
        ("minValue", value.as_i64(), true),
        ("maxValue", value.as_i64(), false),
        ("minLength", length(value), true),
        ("maxLength", length(value), false),
    ];
    for (bound, actual, least) in bounds {
        if let (Some(limit), Some(actual)) = (declaration[bound].as_i64(), actual)
            && (if least { actual < limit } else { actual > limit })
        {
            return Err(Fault::new(
                place,
                format!(
                    "the provided value for the template parameter '{name}' is not valid: its \
                     {bound} is {limit}"
                ),
            ));
        }
    }
    Ok(())
}

fn length(value: &Value) -> Option<i64> {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(all) => all.len(),
        _ => return None,
    };
    i64::try_from(length).ok()
}
