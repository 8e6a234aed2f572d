//! `-o tsv`: one line per item, values separated by tabs, for shells.
//!
//! A nested list is printed as its length and a nested object as nothing, so
//! that every line has the same number of fields.

use serde_json::Value;

use super::python;

pub(super) fn tsv(document: &Value) -> String {
    match document {
        Value::Array(items) => items.iter().map(line).collect(),
        single => line(single),
    }
}

fn line(item: &Value) -> String {
    let fields: Vec<String> = match item {
        Value::Object(map) => map.values().map(field).collect(),
        Value::Array(items) => items.iter().map(field).collect(),
        // Only alone on its line is a truth value written as shells write it.
        Value::Bool(value) => vec![value.to_string()],
        scalar => vec![field(scalar)],
    };
    fields.join("\t") + "\n"
}

fn field(value: &Value) -> String {
    match value {
        Value::Array(items) => items.len().to_string(),
        Value::Object(_) => String::new(),
        scalar => python::text(scalar),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_line_has_the_same_fields() {
        let document =
            json!([["a", [1, 2], {"x": 1}, null, true], ["b", [], {}, 2, false]]);
        assert_eq!(tsv(&document), "a\t2\t\tNone\tTrue\nb\t0\t\t2\tFalse\n");
    }

    #[test]
    fn scalars_stand_alone() {
        assert_eq!(tsv(&json!(["10.0.0.4", "10.0.0.5"])), "10.0.0.4\n10.0.0.5\n");
        assert_eq!(tsv(&json!(true)), "true\n");
        assert_eq!(tsv(&json!("x")), "x\n");
        assert_eq!(tsv(&json!([])), "");
    }
}
