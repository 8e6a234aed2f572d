//! What PyYAML writes, and so do we.

use super::*;
use serde_json::json;

#[test]
fn lists_are_not_indented_below_their_key() {
    let document = json!({
        "name": "vm1",
        "nics": [{"id": "/1", "primary": true, "x": []}],
        "tags": {},
        "a": [[1, 2], []],
    });
    assert_eq!(
        yaml(&document),
        "a:\n- - 1\n  - 2\n- []\nname: vm1\nnics:\n- id: /1\n  primary: true\n  x: []\ntags: {}\n"
    );
}

#[test]
fn texts_that_look_like_something_else_are_quoted() {
    let document = json!({
        "a": "true", "b": "1", "c": null, "d": "no: x", "e": "é\nf", "f": "",
        "g": "12:30", "h": "2026-01-01", "i": "~", "j": "- x", "k": "'q' it",
        "l": "tab\t", "m": " x", "n": 1.0, "o": 1e16, "p": "W/\"1\"",
    });
    assert_eq!(
        yaml(&document),
        "a: 'true'\nb: '1'\nc: null\nd: 'no: x'\ne: 'é\n\n  f'\nf: ''\ng: '12:30'\n\
         h: '2026-01-01'\ni: '~'\nj: '- x'\nk: '''q'' it'\nl: \"tab\\t\"\nm: ' x'\nn: 1.0\n\
         o: 1.0e+16\np: W/\"1\"\n"
    );
}

#[test]
fn the_end_of_a_plain_text_alone_is_said() {
    assert_eq!(yaml(&json!("x")), "x\n...\n");
    assert_eq!(yaml(&json!("1")), "'1'\n");
    assert_eq!(yaml(&json!([])), "[]\n");
}

#[test]
fn long_texts_are_folded() {
    assert_eq!(
        yaml(&json!(["a b ".repeat(30)])),
        "- 'a b a b a b a b a b a b a b a b a b a b a b a b a b a b a b a b a b a b a b a b\n  \
         a b a b a b a b a b a b a b a b a b a b '\n"
    );
    let message =
        format!("Enable succeeded: \n[stdout]\n{}\n[stderr]\n", "hello 'x' ".repeat(12));
    assert_eq!(
        yaml(&json!({ "k": message })),
        "k: \"Enable succeeded: \\n[stdout]\\nhello 'x' hello 'x' hello 'x' hello 'x' hello 'x'\\\n  \
         \\ hello 'x' hello 'x' hello 'x' hello 'x' hello 'x' hello 'x' hello 'x' \\n[stderr]\\n\"\n"
    );
}

#[test]
fn a_key_that_does_not_fit_gets_a_line() {
    let long = "a".repeat(130);
    assert_eq!(
        yaml(&json!({ "": 1, &long: { "b": 1 } })),
        format!("? ''\n: 1\n? {long}\n: b: 1\n")
    );
}
