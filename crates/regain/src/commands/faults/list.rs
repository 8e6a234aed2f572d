//! `faults list`

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;
use crate::knowledge;
use crate::output::{Answer, Table};

pub(super) fn run(
    layer: Option<&str>,
    directories: &[PathBuf],
    context: &Context,
) -> Result<Answer, Failure> {
    let catalogue = knowledge::catalogue(directories)?;
    let rows: Vec<Value> = catalogue
        .iter()
        .filter(|fault| layer.is_none_or(|layer| fault.layer.to_string() == layer))
        .map(|fault| {
            json!({
                "fault": fault.id,
                "layer": fault.layer,
                "title": fault.title.get(context.lang()),
            })
        })
        .collect();
    if let (Some(layer), true) = (layer, rows.is_empty()) {
        return Err(Failure::usage(format!(
            "there are no faults of the layer '{layer}'"
        )));
    }
    let of = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let lines = rows.iter().map(|row| [of(row, "fault"), of(row, "title")]).collect();
    let lang = context.lang();
    let headers = [lang.pick("Fault", "障害"), lang.pick("What is wrong", "内容")];
    let text = Table::new(headers, lines).to_string();
    Ok(Answer::new(Value::Array(rows)).with_text(text))
}
