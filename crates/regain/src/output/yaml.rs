//! `-o yaml`.

use serde_json::Value;

use crate::failure::Failure;

pub(super) fn yaml(document: &Value) -> Result<String, Failure> {
    let options = serde_saphyr::ser_options! {
        indent_step: 2,
        compact_list_indent: true,
        prefer_block_scalars: false,
    };
    let mut text = serde_saphyr::to_string_with_options(document, options)
        .map_err(|source| Failure::new("cannot write YAML").because(source))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_not_indented_below_their_key() {
        let document =
            json!({"name": "vm1", "nics": [{"id": "/1", "primary": true}], "tags": {}});
        assert_eq!(
            yaml(&document).unwrap(),
            "name: vm1\nnics:\n- id: /1\n  primary: true\ntags: {}\n"
        );
    }

    #[test]
    fn texts_that_look_like_something_else_stay_texts() {
        let document =
            json!({"a": "true", "b": "1", "c": null, "d": "no: x", "e": "é\nf"});
        let text = yaml(&document).unwrap();
        let back: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(back, document, "{text}");
    }
}
