//! What settings are read and refused.

use std::fs;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;

fn file(content: &[u8]) -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), content).unwrap();
    let path = file.path().display().to_string();
    (file, path)
}

#[test]
fn pythons_words_are_understood_as_az_does() {
    for text in [
        r#"{"reset_ssh":True, "x":"True", "y":None}"#,
        "{'reset_ssh': True, 'x': 'True', 'y': None,}",
        "{\n  'reset_ssh': true,\n  \"x\": 'True', 'y': null\n}\n",
    ] {
        assert_eq!(
            read("--settings", text).unwrap(),
            json!({"reset_ssh": true, "x": "True", "y": null}),
            "{text}"
        );
    }
}

#[test]
fn escaped_quotes_end_no_string() {
    assert_eq!(
        read("--settings", r#"{"a": "say \"True\" None", "b": True}"#).unwrap(),
        json!({"a": "say \"True\" None", "b": true})
    );
    assert_eq!(
        read(
            "--settings",
            r"{'a': 'it\'s True', 'b': '\x41\u00e9\U0001F600\ud83d\ude00'}"
        )
        .unwrap(),
        json!({"a": "it's True", "b": "Aé😀😀"})
    );
}

#[test]
fn a_file_is_read_with_or_without_its_mark() {
    let utf16: Vec<u8> =
        "\u{feff}{\"a\": \"é\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for content in
        [b"{\"a\": \"\xc3\xa9\"}".as_slice(), b"\xef\xbb\xbf{'a': '\xc3\xa9'}", &utf16]
    {
        let (_file, path) = file(content);
        assert_eq!(read("--settings", &path).unwrap(), json!({"a": "é"}));
        assert_eq!(read("--settings", &format!("@{path}")).unwrap(), json!({"a": "é"}));
    }
}

#[test]
fn what_is_wrong_is_said_by_its_place_and_without_the_text() {
    for (text, said) in [
        (
            r#"{"password": hunter2}"#,
            "not JSON at line 1, column 14: a value is expected; texts stand in quotes",
        ),
        (
            "{\n 'password': 'hunter2\n}",
            "not JSON at line 2, column 14: a string does not end in its line",
        ),
        (
            "{\"password\": \"hunter2\" ",
            "not JSON at line 1, column 24: `,` or `}` is expected",
        ),
        (
            "{'hunter2': 1} hunter2",
            "not JSON at line 1, column 16: something follows its end",
        ),
        ("['hunter2']", "it is a list, and not an object"),
        ("'hunter2'", "it is a text, and not an object"),
        (
            "hunter2",
            "neither JSON nor a file that can be read: No such file or directory (os error 2)",
        ),
    ] {
        let failure = read("--protected-settings", text).unwrap_err();
        assert_eq!(failure.chain(), format!("--protected-settings: {said}"), "{text}");
        assert_eq!(failure.exit_code(), 2);
        assert!(!failure.next_step().unwrap_or_default().contains("hunter2"));
    }
}

#[test]
fn files_that_hold_nothing_are_named() {
    for (content, why) in [
        (b"".as_slice(), "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xff{", "is not a text in UTF-8"),
    ] {
        let (_file, path) = file(content);
        let said = read("--settings", &path).unwrap_err().chain();
        assert_eq!(said, format!("--settings: {path} {why}"));
    }
    let said = read("--settings", "@/nonexistent").unwrap_err().chain();
    assert!(said.starts_with("--settings: cannot read /nonexistent: "), "{said}");
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    let deep = format!("{}{}", "{'a':".repeat(5000), "}".repeat(5000));
    assert!(read("--settings", &deep).is_err());
}

/// The value as Python's `repr` writes it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => {
            let text =
                text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
            format!("'{text}'")
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| {
                    format!("{}: {}", python(&key.as_str().into()), python(value))
                })
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        number => number.to_string(),
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        r#"["'\\{}:, \nTrueFalseNone]{0,12}"#.prop_map(|text| text),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..4)
                .prop_map(|pairs| Value::Object(Map::from_iter(pairs))),
        ]
    })
}

proptest! {
    #[test]
    fn no_string_is_ever_changed(value in any_value()) {
        prop_assert_eq!(&literal::parse(&value.to_string()).unwrap(), &value);
        prop_assert_eq!(&literal::parse(&python(&value)).unwrap(), &value);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = literal::parse(&text);
    }
}
