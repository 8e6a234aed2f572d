//! nftables' JSON written as nft would write it, for a reader's eyes.
//!
//! Only what rules about a login usually hold is written out; anything else
//! appears by its kind. The text is evidence, it is never read back.

use serde_json::Value;

/// A rule's statements on one line.
pub(super) fn rule_text(statements: &[Value]) -> String {
    let words: Vec<String> = statements.iter().filter_map(statement).collect();
    words.join(" ")
}

/// One statement, or the word for one that says nothing.
pub(super) fn statement_text(one: &Value) -> String {
    statement(one).unwrap_or_else(|| "a statement".to_owned())
}

fn statement(statement: &Value) -> Option<String> {
    let (kind, body) = statement.as_object()?.iter().next()?;
    let of = |name: &str| body.get(name).map(value).unwrap_or_default();
    Some(match kind.as_str() {
        "match" => {
            let op = match body.get("op").and_then(Value::as_str) {
                Some("==" | "in") | None => String::new(),
                Some(op) => format!("{op} "),
            };
            format!("{} {op}{}", of("left"), of("right"))
        }
        "counter" => return None,
        "jump" | "goto" => format!("{kind} {}", of("target")),
        "vmap" => format!("{} vmap {}", of("key"), of("data")),
        "reject" => match (body.get("type"), body.get("expr")) {
            (Some(kind), None) => format!("reject with {}", value(kind)),
            (Some(kind), Some(code)) => {
                format!("reject with {} {}", value(kind), value(code))
            }
            _ => "reject".to_owned(),
        },
        "limit" => format!("limit rate {}/{}", of("rate"), of("per")),
        "xt" => match body.get("name") {
            Some(name) => format!("xt {}", value(name)),
            None => "xt".to_owned(),
        },
        _ => kind.clone(),
    })
}

/// A field or a value.
pub(super) fn value(expression: &Value) -> String {
    match expression {
        Value::String(text) => text.clone(),
        Value::Array(items) => list(items),
        Value::Object(object) => object
            .iter()
            .next()
            .map_or_else(String::new, |(kind, body)| typed(kind, body)),
        other => other.to_string(),
    }
}

fn typed(kind: &str, body: &Value) -> String {
    let of = |name: &str| body.get(name).map(value).unwrap_or_default();
    let parts = |separator: &str| {
        let items = body.as_array().map_or(&[][..], Vec::as_slice);
        items.iter().map(value).collect::<Vec<_>>().join(separator)
    };
    match kind {
        "payload" if body.get("base").is_some() => {
            format!("@{},{},{}", of("base"), of("offset"), of("len"))
        }
        "payload" => format!("{} {}", of("protocol"), of("field")),
        "meta" => match of("key").as_str() {
            key @ ("iifname" | "oifname" | "iif" | "oif") => key.to_owned(),
            key => format!("meta {key}"),
        },
        "ct" => format!("ct {}", of("key")),
        "fib" => {
            format!("fib {} {}", of("flags").trim_matches(['{', '}', ' ']), of("result"))
        }
        "prefix" => format!("{}/{}", of("addr"), of("len")),
        "range" => parts("-"),
        "concat" => parts(" . "),
        "&" | "|" => parts(&format!(" {kind} ")),
        "set" => value(body),
        "elem" => of("val"),
        "jump" | "goto" => format!("{kind} {}", of("target")),
        other => other.to_owned(),
    }
}

fn list(items: &[Value]) -> String {
    let text = |item: &Value| match item.as_array().map(Vec::as_slice) {
        Some([key, verdict]) => format!("{} : {}", value(key), value(verdict)),
        _ => value(item),
    };
    format!("{{ {} }}", items.iter().map(text).collect::<Vec<_>>().join(", "))
}
