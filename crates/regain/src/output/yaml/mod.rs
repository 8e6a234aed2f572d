//! `-o yaml`, byte for byte as `az` prints it, which is as PyYAML's `safe_dump`
//! does: block style, sorted keys, lists not indented below their key, lines
//! folded at 80 columns.
//!
//! ```text
//! emitter (where a value stands) ─ scalar (plain, quoted, escaped; folded)
//!                                     └ resolve (what a plain text would mean)
//! ```

mod resolve;
mod scalar;

use serde_json::{Map, Value};

use super::python;
use scalar::{Place, Style};

const STEP: usize = 2;
/// A longer key does not fit before its colon: it gets `?` and a line of its own.
const LONGEST_SIMPLE_KEY: usize = 128;

pub(super) fn yaml(document: &Value) -> String {
    let mut emitter = Emitter { out: String::new(), column: 0 };
    match document {
        Value::Object(map) if !map.is_empty() => emitter.mapping(map, 0),
        Value::Array(items) if !items.is_empty() => emitter.sequence(items, 0),
        // A plain text at the root could go on: the end of the document is said.
        scalar => {
            if emitter.leaf(scalar, Place { indent: STEP, key: false }) {
                emitter.text("\n...");
            }
        }
    }
    emitter.text("\n");
    emitter.out
}

/// Writes, and knows in which column it is.
struct Emitter {
    out: String,
    column: usize,
}

impl Emitter {
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => self.column + text.chars().count(),
        };
    }

    fn line(&mut self, indent: usize) {
        self.text("\n");
        self.text(&" ".repeat(indent));
    }

    /// Keys and values; the first stands where the emitter is.
    fn mapping(&mut self, map: &Map<String, Value>, indent: usize) {
        let mut pairs: Vec<(&String, &Value)> = map.iter().collect();
        pairs.sort_unstable_by_key(|(key, _)| *key);
        for (at, (key, value)) in pairs.into_iter().enumerate() {
            if at > 0 {
                self.line(indent);
            }
            if scalar::is_simple_key(key, LONGEST_SIMPLE_KEY) {
                self.string(key, Place { indent: indent + STEP, key: true });
                self.text(":");
            } else {
                self.text("? ");
                self.string(key, Place { indent: indent + STEP, key: false });
                self.line(indent);
                self.text(": ");
                self.beside(value, indent);
                continue;
            }
            self.below(value, indent);
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.line(indent);
            }
            self.text("- ");
            self.beside(item, indent);
        }
    }

    /// What stands after an indicator, in the same line.
    fn beside(&mut self, value: &Value, indent: usize) {
        let indent = indent + STEP;
        match value {
            Value::Object(map) if !map.is_empty() => self.mapping(map, indent),
            Value::Array(items) if !items.is_empty() => self.sequence(items, indent),
            leaf => {
                self.leaf(leaf, Place { indent, key: false });
            }
        }
    }

    /// The value of a key.
    fn below(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.line(indent + STEP);
                self.mapping(map, indent + STEP);
            }
            Value::Array(items) if !items.is_empty() => {
                self.line(indent);
                self.sequence(items, indent);
            }
            leaf => {
                self.text(" ");
                self.leaf(leaf, Place { indent: indent + STEP, key: false });
            }
        }
    }

    /// A value without parts; says whether it is plain.
    fn leaf(&mut self, value: &Value, place: Place) -> bool {
        let word = match value {
            Value::String(text) => return self.string(text, place) == Style::Plain,
            Value::Array(_) | Value::Object(_) => {
                self.text(&value.to_string());
                return false;
            }
            Value::Number(number) if number.is_f64() => {
                let text = python::number(number);
                // YAML 1.1 has no float without a point.
                if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
            }
            other => other.to_string(),
        };
        self.text(&word);
        true
    }

    fn string(&mut self, text: &str, place: Place) -> Style {
        let style = scalar::style(text, place);
        let written = scalar::write(text, style, place, self.column);
        self.text(&written);
        style
    }
}

#[cfg(test)]
mod tests;
