//! `-o table`: one row per item, one column per scalar, as `az` lays it out.
//!
//! Left out are nulls, nested values, and the keys `id`, `type` and `etag`
//! (a query shows them under another name). A row that is a list gets columns
//! `Column1…`, a scalar the column `Result`. az counts characters, so that its
//! columns are crooked in Japanese; tables of ours count what a terminal shows.

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::python;

const SKIPPED: [&str; 3] = ["id", "type", "etag"];
const GAP: &str = "  ";

type Row = Vec<(String, String)>;

pub(super) fn table(document: &Value) -> String {
    let rows: Vec<Row> = match document {
        Value::Array(items) => items.iter().map(row).collect(),
        single => vec![row(single)],
    };
    let mut headers: Vec<&str> = Vec::new();
    for (header, _) in rows.iter().flatten() {
        if !headers.contains(&header.as_str()) {
            headers.push(header);
        }
    }
    if headers.is_empty() {
        return "\n".to_owned();
    }
    let cells: Vec<Vec<&str>> = rows
        .iter()
        .map(|row| {
            let cell = |header: &&str| {
                // Of a key that two keys become, the later value stays.
                row.iter()
                    .rfind(|(name, _)| name == header)
                    .map_or("", |(_, text)| text.trim())
            };
            headers.iter().map(cell).collect()
        })
        .collect();
    layout(&headers, &cells, |text| text.chars().count())
}

fn row(item: &Value) -> Row {
    match item {
        Value::Object(map) => map
            .iter()
            .filter(|(key, value)| {
                let shown = value.is_string() || value.is_number() || value.is_boolean();
                shown && !SKIPPED.contains(&key.as_str())
            })
            .map(|(key, value)| (capitalized(key), python::text(value)))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, value)| (format!("Column{}", at + 1), cell(value)))
            .collect(),
        scalar => vec![("Result".to_owned(), cell(scalar))],
    }
}

/// Nothing is shown as nothing.
fn cell(value: &Value) -> String {
    if value.is_null() { String::new() } else { python::text(value) }
}

fn capitalized(key: &str) -> String {
    let mut characters = key.chars();
    characters
        .next()
        .map(char::to_uppercase)
        .into_iter()
        .flatten()
        .chain(characters)
        .collect()
}

/// A table for people, in the same layout.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    headers: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(crate) fn new(headers: [&'static str; N], rows: Vec<[String; N]>) -> Self {
        Self { headers, rows }
    }
}

impl<const N: usize> std::fmt::Display for Table<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows: Vec<Vec<&str>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(String::as_str).collect())
            .collect();
        f.write_str(&layout(&self.headers, &rows, UnicodeWidthStr::width))
    }
}

/// Columns are as wide as their widest cell, and at least two wider than their
/// header.
fn layout(
    headers: &[&str],
    rows: &[Vec<&str>],
    width_of: impl Fn(&str) -> usize,
) -> String {
    let widths: Vec<usize> = headers
        .iter()
        .enumerate()
        .map(|(column, header)| {
            let lines = rows.iter().flat_map(|row| row[column].split('\n'));
            lines.map(&width_of).max().unwrap_or(0).max(width_of(header) + 2)
        })
        .collect();
    let mut out = String::new();
    line(&mut out, headers, &widths, &width_of);
    let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    out.push_str(&rules.join(GAP));
    out.push('\n');
    for row in rows {
        let height = row.iter().map(|cell| cell.split('\n').count()).max().unwrap_or(1);
        for at in 0..height {
            let part: Vec<&str> =
                row.iter().map(|cell| cell.split('\n').nth(at).unwrap_or("")).collect();
            line(&mut out, &part, &widths, &width_of);
        }
    }
    out
}

fn line(
    out: &mut String,
    cells: &[&str],
    widths: &[usize],
    width_of: impl Fn(&str) -> usize,
) {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        text.push_str(cell);
        text.push_str(&" ".repeat(width.saturating_sub(width_of(cell))));
        text.push_str(GAP);
    }
    out.push_str(text.trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_values_nulls_and_ids_are_left_out() {
        let vms = json!([
            {"id": "/1", "name": "vm1", "zones": null, "tags": {}, "ok": true},
            {"id": "/2", "name": "vm2", "ok": false, "late": 3},
        ]);
        assert_eq!(
            table(&vms),
            "Name    Ok     Late\n------  -----  ------\nvm1     True\nvm2     False  3\n"
        );
    }

    #[test]
    fn lists_and_scalars_have_columns_too() {
        assert_eq!(
            table(&json!([["a", 1]])),
            "Column1    Column2\n---------  ---------\na          1\n"
        );
        assert_eq!(table(&json!("x")), "Result\n--------\nx\n");
    }

    #[test]
    fn az_counts_characters_and_we_count_columns() {
        let faults = json!([{"title": "鍵が読まれる", "n": 1}, {"title": "key", "n": 2}]);
        assert_eq!(
            table(&faults),
            "Title    N\n-------  ---\n鍵が読まれる   1\nkey      2\n"
        );
        let rows = vec![["鍵が読まれる".into(), "1".into()], ["key".into(), "2".into()]];
        assert_eq!(
            Table::new(["Title", "N"], rows).to_string(),
            "Title         N\n------------  ---\n鍵が読まれる  1\nkey           2\n"
        );
    }

    #[test]
    fn a_cell_with_lines_takes_as_many() {
        let text = table(&json!([{"a": "1\n2", "b": "x"}]));
        assert_eq!(text, "A    B\n---  ---\n1    x\n2\n");
    }

    #[test]
    fn nothing_to_show_is_an_empty_line() {
        for nothing in [json!([]), json!([{"tags": {}}]), json!({"a": null})] {
            assert_eq!(table(&nothing), "\n");
        }
    }
}
