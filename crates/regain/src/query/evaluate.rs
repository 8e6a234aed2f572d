//! The tree walk. What an expression selects is borrowed from the document;
//! only what it builds is owned.

use std::borrow::Cow;
use std::cmp::Ordering;

use jmespath::ast::{Ast, Comparator};
use serde_json::{Map, Value};

use super::{QueryError, functions};

pub(super) type Answer<'a> = Result<Cow<'a, Value>, QueryError>;

const NULL: Cow<'static, Value> = Cow::Owned(Value::Null);

pub(super) fn evaluate<'a>(ast: &Ast, data: &'a Value) -> Answer<'a> {
    Ok(match ast {
        Ast::Identity { .. } => Cow::Borrowed(data),
        Ast::Field { name, .. } => data.get(name).map_or(NULL, Cow::Borrowed),
        Ast::Index { idx, .. } => index(data, *idx).map_or(NULL, Cow::Borrowed),
        // A literal that was parsed is always JSON.
        Ast::Literal { value, .. } => {
            Cow::Owned(serde_json::to_value(&**value).unwrap_or_default())
        }
        Ast::Subexpr { lhs, rhs, .. } => chain(evaluate(lhs, data)?, rhs)?,
        Ast::Or { lhs, rhs, .. } => {
            let left = evaluate(lhs, data)?;
            if truthy(&left) { left } else { evaluate(rhs, data)? }
        }
        Ast::And { lhs, rhs, .. } => {
            let left = evaluate(lhs, data)?;
            if truthy(&left) { evaluate(rhs, data)? } else { left }
        }
        Ast::Not { node, .. } => {
            Cow::Owned(Value::Bool(!truthy(&*evaluate(node, data)?)))
        }
        Ast::Condition { predicate, then, .. } => {
            if truthy(&*evaluate(predicate, data)?) {
                evaluate(then, data)?
            } else {
                NULL
            }
        }
        Ast::Comparison { comparator, lhs, rhs, .. } => {
            let (left, right) = (evaluate(lhs, data)?, evaluate(rhs, data)?);
            compare(comparator, &left, &right)
                .map_or(NULL, |holds| Cow::Owned(Value::Bool(holds)))
        }
        Ast::ObjectValues { node, .. } => match evaluate(node, data)?.into_owned() {
            Value::Object(map) => {
                Cow::Owned(map.into_iter().map(|(_, value)| value).collect())
            }
            _ => NULL,
        },
        Ast::Flatten { node, .. } => match evaluate(node, data)?.into_owned() {
            Value::Array(items) => Cow::Owned(flatten(items)),
            _ => NULL,
        },
        Ast::Projection { lhs, rhs, .. } => match &*evaluate(lhs, data)? {
            Value::Array(items) => {
                let mut kept = Vec::with_capacity(items.len());
                for item in items {
                    let value = evaluate(rhs, item)?.into_owned();
                    if !value.is_null() {
                        kept.push(value);
                    }
                }
                Cow::Owned(Value::Array(kept))
            }
            _ => NULL,
        },
        Ast::MultiList { .. } | Ast::MultiHash { .. } if data.is_null() => NULL,
        Ast::MultiList { elements, .. } => {
            let values: Result<Vec<_>, _> = elements
                .iter()
                .map(|element| Ok(evaluate(element, data)?.into_owned()))
                .collect();
            Cow::Owned(Value::Array(values?))
        }
        Ast::MultiHash { elements, .. } => {
            let mut map = Map::with_capacity(elements.len());
            for pair in elements {
                map.insert(pair.key.clone(), evaluate(&pair.value, data)?.into_owned());
            }
            Cow::Owned(Value::Object(map))
        }
        Ast::Slice { start, stop, step, .. } => slice(data, *start, *stop, *step)?,
        Ast::Function { name, args, .. } => {
            Cow::Owned(functions::call(name, args, data)?)
        }
        // Only a function may take one, and that takes it as it stands.
        Ast::Expref { .. } => NULL,
    })
}

/// Evaluates on the result of an evaluation, which may be owned.
fn chain<'a>(subject: Cow<'a, Value>, ast: &Ast) -> Answer<'a> {
    match subject {
        Cow::Borrowed(value) => evaluate(ast, value),
        Cow::Owned(value) => Ok(Cow::Owned(evaluate(ast, &value)?.into_owned())),
    }
}

/// What counts as true: everything but null, false, and what is empty.
pub(super) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// Equality of JSON values: `1` equals `1.0`, `true` does not equal `1`.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| equal(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right.get(key).is_some_and(|other| equal(value, other))
                })
        }
        _ => left == right,
    }
}

/// The order of two numbers or two strings; nothing else has one. The
/// specification leaves strings out, but `az` compares dates by it.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64()?.partial_cmp(&right.as_f64()?)
        }
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn compare(comparator: &Comparator, left: &Value, right: &Value) -> Option<bool> {
    match comparator {
        Comparator::Equal => Some(equal(left, right)),
        Comparator::NotEqual => Some(!equal(left, right)),
        Comparator::LessThan => order(left, right).map(Ordering::is_lt),
        Comparator::LessThanEqual => order(left, right).map(Ordering::is_le),
        Comparator::GreaterThan => order(left, right).map(Ordering::is_gt),
        Comparator::GreaterThanEqual => order(left, right).map(Ordering::is_ge),
    }
}

fn index(data: &Value, index: i32) -> Option<&Value> {
    let items = data.as_array()?;
    match usize::try_from(index) {
        Ok(index) => items.get(index),
        Err(_) => {
            items.len().checked_sub(index.unsigned_abs() as usize).map(|at| &items[at])
        }
    }
}

fn flatten(items: Vec<Value>) -> Value {
    let mut flat = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Value::Array(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    Value::Array(flat)
}

/// `[start:stop:step]` with Python's rules for what is missing or negative.
fn slice(
    data: &Value,
    start: Option<i32>,
    stop: Option<i32>,
    step: i32,
) -> Answer<'static> {
    if step == 0 {
        return Err(QueryError::SliceStep);
    }
    let Value::Array(items) = data else { return Ok(NULL) };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let step = i64::from(step);
    // Going down, a slice may begin at the last item and end before the first.
    let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |bound: Option<i32>, default: i64| match bound.map(i64::from) {
        None => default,
        Some(bound) if bound < 0 => (bound + length).max(lowest),
        Some(bound) => bound.min(highest),
    };
    let (first, last) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
    let (mut at, end) = (place(start, first), place(stop, last));
    let mut taken = Vec::new();
    while (step > 0 && at < end) || (step < 0 && at > end) {
        if let Some(item) = usize::try_from(at).ok().and_then(|at| items.get(at)) {
            taken.push(item.clone());
        }
        at += step;
    }
    Ok(Cow::Owned(Value::Array(taken)))
}
