//! The formats of `-o`, and their dispatch.

use clap::ValueEnum;
use serde_json::Value;

use super::{json, table, tsv, yaml};
use crate::failure::Failure;
use crate::query::Query;

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// JSON, indented by two.
    Json,
    /// JSON in colour, where the output is a terminal.
    Jsonc,
    /// A table of the scalar columns.
    Table,
    /// Values separated by tabs, without headers.
    Tsv,
    /// YAML.
    Yaml,
    /// YAML in colour; printed plain here.
    Yamlc,
    /// Nothing but errors.
    None,
    /// For people, where the command has such a form; else JSON.
    Text,
}

/// What a table shows of a document when no query chooses.
pub(crate) type Columns = fn(&Value) -> Value;

/// Renders a document. A null is nothing at all, as in `az`.
pub(super) fn render(
    format: Format,
    document: &Value,
    query: Option<&Query>,
    columns: Option<Columns>,
    color: bool,
) -> Result<String, Failure> {
    // az hands plain objects to its tsv printer sorted, and those that a query
    // made as the query wrote them. Sorting before asking gives just that.
    let sorted;
    let document = if format == Format::Tsv {
        sorted = sort_keys(document);
        &sorted
    } else {
        document
    };
    let answer;
    let (document, asked) = match query {
        None => (document, false),
        Some(query) => {
            answer = query
                .search(document)
                .map_err(|error| Failure::new(error.to_string()))?;
            (&answer, true)
        }
    };
    if document.is_null() {
        return Ok(String::new());
    }
    match format {
        Format::Json | Format::Text => Ok(json::plain(document)),
        Format::Jsonc => {
            Ok(if color { json::colored(document) } else { json::plain(document) })
        }
        Format::Table => match columns {
            Some(columns) if !asked => Ok(table::table(&columns(document))),
            _ if asked => Ok(table::table(document)),
            _ => Ok(table::table(&sort_keys(document))),
        },
        Format::Tsv => Ok(tsv::tsv(document)),
        Format::Yaml | Format::Yamlc => Ok(yaml::yaml(document)),
        Format::None => Ok(String::new()),
    }
}

fn sort_keys(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sort_keys).collect(),
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| *key);
            Value::Object(
                pairs
                    .into_iter()
                    .map(|(key, value)| (key.clone(), sort_keys(value)))
                    .collect(),
            )
        }
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rendered(format: Format, document: &Value, query: Option<&str>) -> String {
        let query = query.map(|text| Query::parse(text).unwrap());
        render(format, document, query.as_ref(), None, false).unwrap()
    }

    #[test]
    fn tsv_sorts_what_the_query_did_not_order() {
        let vm = json!({"name": "vm1", "id": "/1", "tags": {"b": 1}, "on": true, "gone": null});
        assert_eq!(rendered(Format::Tsv, &vm, None), "None\t/1\tvm1\tTrue\t\n");
        assert_eq!(rendered(Format::Tsv, &vm, Some("{n: name, i: id}")), "vm1\t/1\n");
    }

    #[test]
    fn a_table_shows_a_querys_columns_in_its_order() {
        let vms = json!([{"name": "vm1", "size": 2, "location": "lab"}]);
        assert_eq!(
            rendered(Format::Table, &vms, Some("[].{Size: size, Name: name}")),
            "Size    Name\n------  ------\n2       vm1\n"
        );
        assert_eq!(
            rendered(Format::Table, &vms, None),
            "Location    Name    Size\n----------  ------  ------\nlab         vm1     2\n"
        );
    }

    #[test]
    fn nothing_is_printed_for_a_null() {
        for format in [Format::Json, Format::Table, Format::Tsv, Format::Yaml] {
            assert_eq!(rendered(format, &json!({"a": 1}), Some("b")), "");
        }
    }
}
