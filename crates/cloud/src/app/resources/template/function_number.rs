//! Functions of numbers, and comparisons.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::function::{as_text, integer, kind, one, two};

pub(super) fn call(name: &str, given: &[Value]) -> Option<Result<Value, String>> {
    let outcome = match name {
        "add" => arithmetic(given, i64::checked_add),
        "sub" => arithmetic(given, i64::checked_sub),
        "mul" => arithmetic(given, i64::checked_mul),
        "div" => arithmetic(given, i64::checked_div),
        "mod" => arithmetic(given, i64::checked_rem),
        "int" => one(given).and_then(to_integer),
        "float" => one(given).and_then(|value| {
            as_text(value)
                .parse::<f64>()
                .map(|n| json!(n))
                .map_err(|error| error.to_string())
        }),
        "min" => extreme(given, Ordering::Less),
        "max" => extreme(given, Ordering::Greater),
        "less" => compare(given, Ordering::is_lt),
        "lessorequals" => compare(given, Ordering::is_le),
        "greater" => compare(given, Ordering::is_gt),
        "greaterorequals" => compare(given, Ordering::is_ge),
        _ => return None,
    };
    Some(outcome)
}

fn arithmetic(
    given: &[Value],
    operation: fn(i64, i64) -> Option<i64>,
) -> Result<Value, String> {
    let (one, other) = two(given)?;
    let (one, other) = (integer(one)?, integer(other)?);
    operation(one, other)
        .map(|result| json!(result))
        .ok_or_else(|| format!("{one} and {other} have no such result in 64 bits"))
}

fn to_integer(value: &Value) -> Result<Value, String> {
    match value {
        Value::Number(_) => integer(value).map(|n| json!(n)),
        Value::String(text) => text
            .trim()
            .parse::<i64>()
            .map(|n| json!(n))
            .map_err(|_| format!("'{text}' is not a whole number")),
        other => Err(format!("{} is not a number", kind(other))),
    }
}

/// Of several numbers, or of those of one array.
fn extreme(given: &[Value], wanted: Ordering) -> Result<Value, String> {
    let all = match given {
        [Value::Array(all)] => all.as_slice(),
        all => all,
    };
    let mut best: Option<i64> = None;
    for value in all {
        let value = integer(value)?;
        if best.is_none_or(|best| value.cmp(&best) == wanted) {
            best = Some(value);
        }
    }
    best.map(|best| json!(best)).ok_or_else(|| "numbers are expected".to_owned())
}

fn compare(given: &[Value], holds: fn(Ordering) -> bool) -> Result<Value, String> {
    let (one, other) = two(given)?;
    let ordering = match (one, other) {
        (Value::String(one), Value::String(other)) => one.cmp(other),
        _ => integer(one)?.cmp(&integer(other)?),
    };
    Ok(json!(holds(ordering)))
}
