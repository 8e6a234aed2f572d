//! A fault is knowledge: its file lies where its id says, and speaks both
//! languages; so do the states and repairs that faults refer to.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::Table;

use super::Violation;

/// Hold every file under `faults/` against the schema's outer shape. What a
/// rule means is checked by the tests of `doctor`.
pub(crate) fn check(root: &Path) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for (name, list) in [("states.toml", "state"), ("repairs.toml", "repair")] {
        let text = fs::read_to_string(root.join("faults").join(name))
            .with_context(|| format!("reading faults/{name}"))?;
        let place = format!("faults/{name}");
        violations.extend(
            shared(list, &text)
                .into_iter()
                .map(|what| Violation { place: place.clone(), what }),
        );
    }
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
        wrong.extend(unspoken(&table, section));
    }
    for (what, key) in
        [("evidence", "evidence"), ("state", "produces"), ("repair", "repair")]
    {
        if !table.contains_key(key) {
            wrong.push(format!("every finding carries its {what}"));
        }
    }
    wrong
}

/// What is wrong with the file of states or of repairs: every entry of its list has a
/// name of its own and a title.
fn shared(list: &str, text: &str) -> Vec<String> {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return vec![format!("not TOML: {error}")],
    };
    let entries = table.get(list).and_then(|entries| entries.as_array());
    let entries = entries.map_or(&[][..], Vec::as_slice);
    let mut wrong = Vec::new();
    let mut known = Vec::new();
    for entry in entries.iter().filter_map(|entry| entry.as_table()) {
        let id = entry.get("id").and_then(|id| id.as_str()).unwrap_or_default();
        if id.is_empty() || known.contains(&id) {
            wrong.push(format!("a {list} needs a name of its own, not `{id}`"));
        }
        known.push(id);
        wrong.extend(unspoken(entry, "title").map(|what| format!("`{id}`: {what}")));
    }
    if known.is_empty() {
        wrong.push(format!("there is no {list}"));
    }
    wrong
}

/// The languages in which a text is missing.
fn unspoken(table: &Table, text: &str) -> impl Iterator<Item = String> {
    ["en", "ja"].into_iter().filter_map(move |language| {
        let words = table.get(text).and_then(|texts| texts.get(language));
        let missing = words.and_then(|words| words.as_str()).is_none_or(str::is_empty);
        missing.then(|| format!("no {text} in `{language}`"))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{read, shared};

    const WHOLE: &str = "id = 'net.nsg-deny'\nproduces = ['x']\nevidence = []\n[title]\nen = 'a'\nja = 'b'\n[explanation]\nen = 'a'\nja = 'b'\n[[repair]]\nid = 'x'\n";

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

    #[test]
    fn a_shared_entry_has_a_name_of_its_own_and_a_title() {
        let whole = "[[state]]\nid = 'a'\ntitle = { en = 'x', ja = 'y' }\n";
        assert!(shared("state", whole).is_empty());
        assert_eq!(shared("state", &format!("{whole}{whole}")).len(), 1);
        assert_eq!(shared("state", &whole.replace(", ja = 'y'", "")).len(), 1);
        assert_eq!(shared("state", "").len(), 1);
    }
}
