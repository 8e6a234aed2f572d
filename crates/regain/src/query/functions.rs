//! The functions of JMESPath.
//!
//! Arguments arrive checked by [`signature`](super::signature), so that each
//! function here is what it computes and nothing else.

use std::cmp::Ordering;

use jmespath::ast::Ast;
use serde_json::{Map, Number, Value};

use super::QueryError;
use super::evaluate::{evaluate, order};
use super::signature::{self, Argument, type_name};

/// Calls a function by name.
pub(super) fn call(
    name: &str,
    arguments: &[Ast],
    data: &Value,
) -> Result<Value, QueryError> {
    let signature = signature::of(name)
        .ok_or_else(|| QueryError::UnknownFunction(name.to_owned()))?;
    let mut bound = signature.bind(name, arguments, data)?.into_iter();
    let mut next = || bound.next().map(Argument::into_value).unwrap_or_default();
    Ok(match name {
        "abs" => whole_or_float(next(), i64::checked_abs, f64::abs),
        "ceil" => rounded(next(), f64::ceil),
        "floor" => rounded(next(), f64::floor),
        "avg" => average(&numbers(&next())),
        "sum" => sum(&next()),
        "contains" => contains(&next(), &next()),
        "starts_with" => Value::Bool(text(&next()).starts_with(text(&next()))),
        "ends_with" => Value::Bool(text(&next()).ends_with(text(&next()))),
        "join" => join(text(&next()), &items(next())),
        "keys" => object(next()).into_iter().map(|(key, _)| Value::String(key)).collect(),
        "values" => object(next()).into_iter().map(|(_, value)| value).collect(),
        "merge" => {
            let mut merged = Map::new();
            merged.extend(bound.flat_map(|argument| object(argument.into_value())));
            Value::Object(merged)
        }
        "length" => length(&next()),
        "max" => extreme(items(next()), Ordering::Greater),
        "min" => extreme(items(next()), Ordering::Less),
        "sort" => {
            let mut items = items(next());
            items.sort_by(|left, right| order(left, right).unwrap_or(Ordering::Equal));
            Value::Array(items)
        }
        "reverse" => reverse(next()),
        "not_null" => bound
            .map(Argument::into_value)
            .find(|value| !value.is_null())
            .unwrap_or_default(),
        "to_array" => match next() {
            array @ Value::Array(_) => array,
            other => Value::Array(vec![other]),
        },
        "to_number" => to_number(next()),
        "to_string" => match next() {
            text @ Value::String(_) => text,
            other => Value::String(other.to_string()),
        },
        "type" => type_name(&next()).into(),
        _ => return by_expression(name, bound.collect()),
    })
}

impl Argument<'_> {
    fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value.into_owned(),
            Self::Expression(_) => Value::Null,
        }
    }
}

/// `map`, `sort_by`, `max_by` and `min_by`: those that take an expression.
fn by_expression(name: &str, bound: Vec<Argument<'_>>) -> Result<Value, QueryError> {
    let mut expression = None;
    let mut subject = Vec::new();
    for argument in bound {
        match argument {
            Argument::Expression(ast) => expression = Some(ast),
            Argument::Value(value) => subject = items(value.into_owned()),
        }
    }
    let Some(expression) = expression else { return Ok(Value::Null) };
    let keys: Result<Vec<Value>, _> =
        subject.iter().map(|item| Ok(evaluate(expression, item)?.into_owned())).collect();
    let keys = keys?;
    if name == "map" {
        return Ok(Value::Array(keys));
    }
    comparable(name, &keys)?;
    let mut keyed: Vec<(Value, Value)> = keys.into_iter().zip(subject).collect();
    let by_key =
        |left: &Value, right: &Value| order(left, right).unwrap_or(Ordering::Equal);
    if name == "sort_by" {
        keyed.sort_by(|(left, _), (right, _)| by_key(left, right));
        return Ok(keyed.into_iter().map(|(_, item)| item).collect());
    }
    let wanted = if name == "max_by" { Ordering::Greater } else { Ordering::Less };
    let best = keyed.into_iter().reduce(|best, item| {
        if by_key(&item.0, &best.0) == wanted { item } else { best }
    });
    Ok(best.map(|(_, item)| item).unwrap_or_default())
}

/// Keys to sort by must be all numbers or all strings.
fn comparable(function: &str, keys: &[Value]) -> Result<(), QueryError> {
    let wrong = keys.iter().find(|key| {
        !(key.is_number() || key.is_string()) || type_name(key) != type_name(&keys[0])
    });
    match wrong {
        None => Ok(()),
        Some(key) => Err(QueryError::Type {
            function: function.to_owned(),
            expected: "keys that are all numbers or all strings".to_owned(),
            received: format!("{}: {key}", type_name(key)),
        }),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn whole_or_float(
    value: Value,
    whole: fn(i64) -> Option<i64>,
    fraction: fn(f64) -> f64,
) -> Value {
    match (value.as_i64().and_then(whole), value.as_f64()) {
        (Some(result), _) => result.into(),
        (None, Some(number)) if !value.is_u64() => float(fraction(number)),
        _ => value,
    }
}

/// Rounded to an integer, which is printed without a fraction.
fn rounded(value: Value, round: fn(f64) -> f64) -> Value {
    if value.is_i64() || value.is_u64() {
        return value;
    }
    let rounded = value.as_f64().map(round).unwrap_or_default();
    // Beyond 2^53 a float has no fraction and may not fit an integer.
    if rounded.abs() < 9_007_199_254_740_992.0 {
        format!("{rounded:.0}")
            .parse::<i64>()
            .map_or_else(|_| float(rounded), Value::from)
    } else {
        float(rounded)
    }
}

fn average(numbers: &[f64]) -> Value {
    let count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    if count == 0 {
        Value::Null
    } else {
        float(numbers.iter().sum::<f64>() / f64::from(count))
    }
}

/// Whole numbers add up to a whole number.
fn sum(value: &Value) -> Value {
    let whole: Option<i64> = value
        .as_array()
        .into_iter()
        .flatten()
        .try_fold(0_i64, |sum, item| sum.checked_add(item.as_i64()?));
    whole.map_or_else(|| float(numbers(value).iter().sum()), Value::from)
}

fn contains(subject: &Value, search: &Value) -> Value {
    Value::Bool(match (subject, search) {
        (Value::Array(items), search) => items.contains(search),
        (Value::String(text), Value::String(part)) => text.contains(part),
        _ => false,
    })
}

fn join(glue: &str, items: &[Value]) -> Value {
    items.iter().map(text).collect::<Vec<_>>().join(glue).into()
}

fn length(value: &Value) -> Value {
    match value {
        Value::String(text) => text.chars().count().into(),
        Value::Array(items) => items.len().into(),
        Value::Object(map) => map.len().into(),
        _ => Value::Null,
    }
}

fn extreme(items: Vec<Value>, wanted: Ordering) -> Value {
    items
        .into_iter()
        .reduce(
            |best, item| if order(&item, &best) == Some(wanted) { item } else { best },
        )
        .unwrap_or_default()
}

fn reverse(value: Value) -> Value {
    match value {
        Value::String(text) => text.chars().rev().collect::<String>().into(),
        Value::Array(mut items) => {
            items.reverse();
            Value::Array(items)
        }
        other => other,
    }
}

fn to_number(value: Value) -> Value {
    match value {
        number @ Value::Number(_) => number,
        Value::String(text) => text.parse::<Number>().map_or(Value::Null, Value::Number),
        _ => Value::Null,
    }
}
