//! JSON as `az` prints it: keys sorted, indented by two, nothing escaped that
//! need not be, floats as Python writes them, one newline at the end.

use serde_json::Value;

use super::python;

const KEY: &str = "\u{1b}[34;1m";
const TEXT: &str = "\u{1b}[32m";
const WORD: &str = "\u{1b}[36m";
const RESET: &str = "\u{1b}[0m";

pub(super) fn plain(document: &Value) -> String {
    render(document, false)
}

pub(super) fn colored(document: &Value) -> String {
    render(document, true)
}

fn render(document: &Value, color: bool) -> String {
    let mut out = String::new();
    Writer { out: &mut out, color }.value(document, 0);
    out.push('\n');
    out
}

struct Writer<'a> {
    out: &'a mut String,
    color: bool,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Array(items) if items.is_empty() => self.out.push_str("[]"),
            Value::Object(map) if map.is_empty() => self.out.push_str("{}"),
            Value::Array(items) => {
                self.out.push('[');
                for (at, item) in items.iter().enumerate() {
                    self.line(at, depth + 1);
                    self.value(item, depth + 1);
                }
                self.close(']', depth);
            }
            Value::Object(map) => {
                self.out.push('{');
                let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
                pairs.sort_unstable_by_key(|(key, _)| *key);
                for (at, (key, item)) in pairs.into_iter().enumerate() {
                    self.line(at, depth + 1);
                    self.scalar(KEY, &quoted(key));
                    self.out.push_str(": ");
                    self.value(item, depth + 1);
                }
                self.close('}', depth);
            }
            Value::String(text) => self.scalar(TEXT, &quoted(text)),
            Value::Number(number) => self.scalar(WORD, &python::number(number)),
            word @ (Value::Null | Value::Bool(_)) => {
                self.scalar(WORD, &word.to_string());
            }
        }
    }

    fn line(&mut self, at: usize, depth: usize) {
        self.out.push_str(if at == 0 { "\n" } else { ",\n" });
        self.out.extend(std::iter::repeat_n("  ", depth));
    }

    fn close(&mut self, bracket: char, depth: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", depth));
        self.out.push(bracket);
    }

    fn scalar(&mut self, color: &str, text: &str) {
        if !self.color {
            self.out.push_str(text);
            return;
        }
        for part in [color, text, RESET] {
            self.out.push_str(part);
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({"z": "日本語 \"q\"\u{7f}\u{1}", "a": [1, 1e-7, null, true], "empty": {}, "none": [], "Z": 1.0})
    }

    #[test]
    fn it_is_az_json() {
        assert_eq!(
            plain(&document()),
            "{\n  \"Z\": 1.0,\n  \"a\": [\n    1,\n    1e-07,\n    null,\n    true\n  ],\n  \"empty\": {},\n  \"none\": [],\n  \"z\": \"日本語 \\\"q\\\"\u{7f}\\u0001\"\n}\n"
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
