//! Edits of an ARM document by path: `--set`, `--add`, `--remove`.
//!
//! Paths are those of the document as it is printed, where ARM's `properties`
//! are merged up: `securityRules[0].access`, `subnets[name=s1].addressPrefix`,
//! `tags.owner`.

use serde_json::{Map, Value};

use crate::args::noun::{Edit, Edits};
use crate::failure::Failure;

/// What stands beside `properties`; everything else belongs into it.
const ENVELOPE: [&str; 14] = [
    "id",
    "name",
    "type",
    "location",
    "tags",
    "etag",
    "sku",
    "zones",
    "identity",
    "plan",
    "kind",
    "managedBy",
    "extendedLocation",
    "properties",
];

/// Applies the edits, in their order.
pub(crate) fn apply(document: &mut Value, edits: &Edits) -> Result<(), Failure> {
    for edit in &edits.edits {
        match edit {
            Edit::Set(expression) => set(document, expression, edits.force_string)?,
            Edit::Add { path, values } => {
                add(document, path, values, edits.force_string)?;
            }
            Edit::Remove { path, index } => remove(document, path, index.as_deref())?,
        }
    }
    Ok(())
}

fn set(
    document: &mut Value,
    expression: &str,
    force_string: bool,
) -> Result<(), Failure> {
    let Some((key, value)) = split(expression) else {
        return Err(Failure::new(
            "invalid syntax: --set property1.property2=<value>".to_owned(),
        ));
    };
    let mut path = steps(&key);
    let Some(last) = path.pop() else {
        return Err(Failure::new(
            "Empty key in --set. Correct syntax: --set KEY=VALUE [KEY=VALUE ...]",
        ));
    };
    let value = read(value, force_string);
    let mut parent = document;
    for step in &path {
        parent = into(parent, step, true)?;
    }
    match last {
        Step::At(index) => {
            let slot = parent.as_array_mut().and_then(|items| items.get_mut(index));
            *slot.ok_or_else(|| missing(&last))? = value;
        }
        Step::Where(..) => *into(parent, &last, false)? = value,
        Step::Key(key) => {
            home(parent, &key)
                .ok_or_else(|| missing(&Step::Key(key.clone())))?
                .insert(key, value);
        }
    }
    Ok(())
}

fn add(
    document: &mut Value,
    path: &str,
    values: &[String],
    force_string: bool,
) -> Result<(), Failure> {
    let usage = || {
        Failure::new(
            "invalid syntax: --add property.listProperty <key=value, string or JSON string>",
        )
    };
    let mut list = document;
    let steps = steps(path);
    for (at, step) in steps.iter().enumerate() {
        let (parent, last) = (list, at + 1 == steps.len());
        if last && let Step::Key(key) = step {
            let home = home(parent, key).ok_or_else(usage)?;
            list = home.entry(key.clone()).or_insert_with(|| Value::Array(Vec::new()));
        } else {
            list = into(parent, step, true)?;
        }
    }
    let items = list.as_array_mut().ok_or_else(usage)?;
    let mut object = Map::new();
    for value in values {
        if let Some((key, value)) = value.split_once('=') {
            object.insert(key.to_owned(), value.into());
            continue;
        }
        if !object.is_empty() {
            items.push(Value::Object(std::mem::take(&mut object)));
        }
        items.push(read(value, force_string));
    }
    if !object.is_empty() {
        items.push(Value::Object(object));
    }
    Ok(())
}

fn remove(document: &mut Value, path: &str, index: Option<&str>) -> Result<(), Failure> {
    let mut path = steps(path);
    let Some(last) = path.pop() else {
        return Err(Failure::new(
            "invalid syntax: --remove property.list <indexToRemove> OR --remove propertyToRemove",
        ));
    };
    let mut parent = document;
    for step in &path {
        parent = into(parent, step, false)?;
    }
    if let Some(index) = index {
        let items = into(parent, &last, false)?.as_array_mut();
        let at = index.parse::<usize>().ok();
        return match (items, at) {
            (Some(items), Some(at)) if at < items.len() => {
                items.remove(at);
                Ok(())
            }
            _ => Err(Failure::new(format!("index {index} doesn't exist on {last}"))),
        };
    }
    match &last {
        Step::Key(key) => {
            let home = home(parent, key).ok_or_else(|| missing(&last))?;
            match home.get_mut(key) {
                Some(Value::Array(items)) => items.clear(),
                Some(_) => drop(home.shift_remove(key)),
                None => return Err(missing(&last)),
            }
        }
        Step::At(at) => match parent.as_array_mut() {
            Some(items) if *at < items.len() => drop(items.remove(*at)),
            _ => return Err(missing(&last)),
        },
        Step::Where(..) => return Err(missing(&last)),
    }
    Ok(())
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    At(usize),
    Where(String, String),
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::At(index) => write!(f, "[{index}]"),
            Self::Where(key, value) => write!(f, "[{key}={value}]"),
        }
    }
}

/// Splits at the first `=` that is not in brackets.
fn split(expression: &str) -> Option<(String, &str)> {
    let mut depth = 0;
    let at = expression.char_indices().find(|(_, c)| {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        *c == '=' && depth == 0
    })?;
    Some((expression[..at.0].to_owned(), &expression[at.0 + 1..]))
}

fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (inside, after) = inner.split_once(']').unwrap_or((inner, ""));
            steps.push(match (inside.split_once('='), inside.parse()) {
                (Some((key, value)), _) => Step::Where(key.to_owned(), value.to_owned()),
                (None, Ok(index)) => Step::At(index),
                (None, Err(_)) => Step::Key(inside.to_owned()),
            });
            rest = after.strip_prefix('.').unwrap_or(after);
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end > 0 {
                steps.push(Step::Key(rest[..end].to_owned()));
            }
            rest = rest[end..].strip_prefix('.').unwrap_or(&rest[end..]);
        }
    }
    steps
}

/// The object that a key belongs to: this one, or its `properties`.
fn home<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Map<String, Value>> {
    let object = value.as_object_mut()?;
    let envelope = object.contains_key(key) || ENVELOPE.contains(&key);
    if !envelope && object.get("properties").is_some_and(Value::is_object) {
        return object.get_mut("properties")?.as_object_mut();
    }
    Some(object)
}

fn into<'v>(
    value: &'v mut Value,
    step: &Step,
    make: bool,
) -> Result<&'v mut Value, Failure> {
    match step {
        Step::Key(key) => {
            let object = home(value, key).ok_or_else(|| missing(step))?;
            if make && object.get(key).is_none_or(Value::is_null) {
                object.insert(key.clone(), Value::Object(Map::new()));
            }
            object.get_mut(key)
        }
        Step::At(index) => value.as_array_mut().and_then(|items| items.get_mut(*index)),
        Step::Where(key, wanted) => value
            .as_array_mut()
            .into_iter()
            .flatten()
            .find(|item| holds(item, key, wanted)),
    }
    .ok_or_else(|| missing(step))
}

fn holds(item: &Value, key: &str, wanted: &str) -> bool {
    let found = item.get(key).or_else(|| item.get("properties")?.get(key));
    match found {
        Some(Value::String(text)) => text == wanted,
        Some(other) => *other == read(wanted, false),
        None => false,
    }
}

fn missing(step: &Step) -> Failure {
    match step {
        Step::Key(key) => Failure::new(format!("Couldn't find '{key}' in the document.")),
        Step::At(index) => Failure::new(format!("index {index} doesn't exist")),
        Step::Where(key, value) => Failure::new(format!(
            "item with value '{value}' doesn't exist for key '{key}'"
        )),
    }
}

/// JSON if it is JSON, or Python's words for it; else a text.
fn read(text: &str, force_string: bool) -> Value {
    if force_string {
        return text.into();
    }
    match text {
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        "None" => Value::Null,
        _ => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn edited(mut document: Value, edits: &[Edit]) -> Result<Value, Failure> {
        apply(&mut document, &Edits { edits: edits.to_vec(), force_string: false })?;
        Ok(document)
    }

    fn set(text: &str) -> Edit {
        Edit::Set(text.to_owned())
    }

    #[test]
    fn a_property_is_found_where_arm_keeps_it() {
        let nsg = json!({
            "name": "n", "tags": {},
            "properties": {"securityRules": [{"name": "ssh", "properties": {"priority": 100}}]},
        });
        let edits = [
            set("tags.owner=me"),
            set("securityRules[name=ssh].priority=200"),
            set("securityRules[0].access=Deny"),
            set("flushConnection=true"),
        ];
        assert_eq!(
            edited(nsg, &edits).unwrap(),
            json!({
                "name": "n", "tags": {"owner": "me"},
                "properties": {
                    "securityRules": [
                        {"name": "ssh", "properties": {"priority": 200, "access": "Deny"}},
                    ],
                    "flushConnection": true,
                },
            })
        );
    }

    #[test]
    fn lists_grow_and_shrink() {
        let vnet = json!({"properties": {"dhcpOptions": {"dnsServers": ["1.1.1.1"]}}});
        let path = || "dhcpOptions.dnsServers".to_owned();
        let added = Edit::Add { path: path(), values: vec!["8.8.8.8".to_owned()] };
        let removed = Edit::Remove { path: path(), index: Some("0".to_owned()) };
        assert_eq!(
            edited(vnet.clone(), &[added, removed]).unwrap(),
            json!({"properties": {"dhcpOptions": {"dnsServers": ["8.8.8.8"]}}})
        );
        let emptied = Edit::Remove { path: path(), index: None };
        assert_eq!(
            edited(vnet, &[emptied]).unwrap(),
            json!({"properties": {"dhcpOptions": {"dnsServers": []}}})
        );
    }

    #[test]
    fn what_is_not_there_is_refused() {
        for edit in [
            set("=1"),
            set("a"),
            set("list[3]=1"),
            Edit::Remove { path: "gone".to_owned(), index: None },
            Edit::Remove { path: "list".to_owned(), index: Some("3".to_owned()) },
        ] {
            let document = json!({"list": [1]});
            let failure = edited(document, std::slice::from_ref(&edit)).unwrap_err();
            assert_eq!(failure.exit_code(), 1, "{edit:?}");
        }
    }
}
