//! JSON as `az` prints it: indented by two, nothing escaped that need not be,
//! one newline at the end. Keys stay in their order.

use serde_json::Value;

const KEY: &str = "\u{1b}[34;1m";
const TEXT: &str = "\u{1b}[32m";
const WORD: &str = "\u{1b}[36m";
const RESET: &str = "\u{1b}[0m";

pub(super) fn plain(document: &Value) -> String {
    format!("{document:#}\n")
}

pub(super) fn colored(document: &Value) -> String {
    let mut out = String::new();
    paint(document, 0, &mut out);
    out.push('\n');
    out
}

fn paint(value: &Value, depth: usize, out: &mut String) {
    let items: Vec<(Option<&String>, &Value)> = match value {
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|v| (None, v)).collect()
        }
        Value::Object(map) if !map.is_empty() => {
            map.iter().map(|(k, v)| (Some(k), v)).collect()
        }
        Value::String(_) => return dye(TEXT, value, out),
        Value::Null | Value::Bool(_) | Value::Number(_) => return dye(WORD, value, out),
        _ => return out.push_str(&value.to_string()),
    };
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    out.push(open);
    for (at, (key, item)) in items.into_iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&"  ".repeat(depth + 1));
        if let Some(key) = key {
            dye(KEY, &Value::String(key.clone()), out);
            out.push_str(": ");
        }
        paint(item, depth + 1, out);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(close);
}

fn dye(color: &str, value: &Value, out: &mut String) {
    out.push_str(color);
    out.push_str(&value.to_string());
    out.push_str(RESET);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({"z": "日本語 \"q\"", "a": [1, 1.5, null, true], "empty": {}, "none": []})
    }

    #[test]
    fn it_is_az_json() {
        assert_eq!(
            plain(&document()),
            "{\n  \"z\": \"日本語 \\\"q\\\"\",\n  \"a\": [\n    1,\n    1.5,\n    null,\n    true\n  ],\n  \"empty\": {},\n  \"none\": []\n}\n"
        );
    }

    #[test]
    fn colour_changes_nothing_else() {
        let mut stripped = colored(&document());
        for code in [KEY, TEXT, WORD, RESET] {
            stripped = stripped.replace(code, "");
        }
        assert_eq!(stripped, plain(&document()));
    }
}
