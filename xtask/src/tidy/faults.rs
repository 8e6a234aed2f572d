//! A fault is knowledge: its file lies where its id says, and speaks both
//! languages.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::Table;

use super::Violation;

/// Hold every file under `faults/` against the schema's outer shape. What a
/// rule means is checked by the tests of `doctor`.
pub(crate) fn check(root: &Path) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for layer in fs::read_dir(root.join("faults")).context("reading faults/")? {
        let layer = layer?.path();
        if !layer.is_dir() {
            continue;
        }
        for file in fs::read_dir(&layer)? {
            let file = file?.path();
            let text = fs::read_to_string(&file)?;
            let place = file.strip_prefix(root).unwrap_or(&file).display().to_string();
            violations.extend(
                read(&file, &text)
                    .into_iter()
                    .map(|what| Violation { place: place.clone(), what }),
            );
        }
    }
    Ok(violations)
}

fn read(file: &Path, text: &str) -> Vec<String> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return vec![format!("not TOML: {error}")],
    };
    let mut wrong = Vec::new();
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let id = table.get("id").and_then(|id| id.as_str()).unwrap_or_default();
    if id.split_once('.').map(|(_, name)| name) != Some(stem) {
        wrong.push(format!("id `{id}` and file name `{stem}` differ"));
    }
    for section in ["title", "explanation"] {
        for language in ["en", "ja"] {
            let words = table.get(section).and_then(|texts| texts.get(language));
            if words.and_then(|text| text.as_str()).is_none_or(str::is_empty) {
                wrong.push(format!("no {section} in `{language}`"));
            }
        }
    }
    for (what, key) in [("evidence", "evidence"), ("cause", "when"), ("repair", "repair")]
    {
        if !table.contains_key(key) {
            wrong.push(format!("every finding carries its {what}"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::read;

    const WHOLE: &str = "id = 'net.nsg-deny'\nwhen = 'true'\nevidence = []\n[title]\nen = 'a'\nja = 'b'\n[explanation]\nen = 'a'\nja = 'b'\n[[repair]]\nid = 'x'\n";

    #[test]
    fn a_whole_fault_passes() {
        assert!(read(Path::new("faults/network/nsg-deny.toml"), WHOLE).is_empty());
    }

    #[test]
    fn a_fault_that_speaks_one_language_does_not() {
        let text = WHOLE.replace("ja = 'b'\n", "");
        assert_eq!(read(Path::new("faults/network/nsg-deny.toml"), &text).len(), 2);
    }

    #[test]
    fn a_fault_lies_where_its_id_says() {
        assert_eq!(read(Path::new("faults/network/other.toml"), WHOLE).len(), 1);
    }
}
