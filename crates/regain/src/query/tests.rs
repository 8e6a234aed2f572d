//! Queries against what they should give. The expectations follow the
//! specification (jmespath.org) and, where it is silent, Python's jmespath,
//! which is what `az` runs.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Query, QueryError};

fn ask(document: &Value, query: &str) -> Value {
    Query::parse(query).unwrap().search(document).unwrap()
}

fn refusal(query: &str) -> QueryError {
    match Query::parse(query) {
        Ok(query) => query.search(&json!({"a": [1, "x"], "t": "x"})).unwrap_err(),
        Err(error) => error,
    }
}

fn vms() -> Value {
    json!([
        {"name": "b", "id": "/2", "size": 2, "tags": {"env": "test"}, "nics": [{"ip": "10.0.0.5"}]},
        {"name": "a", "id": "/1", "size": 1, "tags": null, "nics": [{"ip": "10.0.0.4"}, {"ip": null}]},
    ])
}

#[test]
fn columns_come_out_in_the_order_in_which_they_were_asked_for() {
    let answer = ask(&vms(), "[].{Name:name, Id:id, Again:name}");
    assert_eq!(
        answer.to_string(),
        r#"[{"Name":"b","Id":"/2","Again":"b"},{"Name":"a","Id":"/1","Again":"a"}]"#
    );
}

#[test]
fn an_objects_own_order_is_kept() {
    let document = json!({"z": 1, "a": {"y": 2, "b": 3}});
    assert_eq!(ask(&document, "@").to_string(), document.to_string());
    assert_eq!(ask(&document, "keys(a)"), json!(["y", "b"]));
    assert_eq!(ask(&document, "a.*"), json!([2, 3]));
}

#[test]
fn selections() {
    for (query, expected) in [
        ("[0].name", json!("b")),
        ("[-1].name", json!("a")),
        ("[5]", Value::Null),
        ("[-3]", Value::Null),
        ("[].name", json!(["b", "a"])),
        ("[*].tags.env", json!(["test"])),
        ("[].nics[].ip", json!(["10.0.0.5", "10.0.0.4"])),
        ("[].nics[*].ip", json!([["10.0.0.5"], ["10.0.0.4"]])),
        ("[?name=='a'].id | [0]", json!("/1")),
        ("[?size > `1`].name", json!(["b"])),
        ("[?size >= `1` && name != 'b'].name", json!(["a"])),
        ("[?!tags].name", json!(["a"])),
        ("[?tags || size == `1`] | length(@)", json!(2)),
        ("[?contains(name, 'b')].id", json!(["/2"])),
        ("[].[name, size]", json!([["b", 2], ["a", 1]])),
        ("sort_by(@, &name)[].name", json!(["a", "b"])),
        ("max_by(@, &size).name", json!("b")),
        ("min_by(@, &size).name", json!("a")),
        ("map(&size, @)", json!([2, 1])),
        ("missing.deeper", Value::Null),
        ("[].missing", json!([])),
        ("length([])", json!(2)),
        ("@[0].tags.{e: env}", json!({"e": "test"})),
        ("[1].tags.{e: env}", Value::Null),
        ("`{\"a\": [1, 2]}`.a[1]", json!(2)),
        ("'raw' ", json!("raw")),
    ] {
        assert_eq!(ask(&vms(), query), expected, "{query}");
    }
}

#[test]
fn functions() {
    let document = json!({
        "n": [3, 1, 2], "f": [1.5, -2.5], "s": ["b", "a"], "e": [], "t": "text",
        "o": {"k": 1, "j": null}, "neg": -4, "odd": [1, "x", null, true, {}],
    });
    for (query, expected) in [
        ("abs(neg)", json!(4)),
        ("abs(f[1])", json!(2.5)),
        ("ceil(f[0])", json!(2)),
        ("floor(f[1])", json!(-3)),
        ("avg(n)", json!(2.0)),
        ("avg(e)", Value::Null),
        ("sum(n)", json!(6)),
        ("sum(f)", json!(-1.0)),
        ("sum(e)", json!(0)),
        ("max(n)", json!(3)),
        ("min(s)", json!("a")),
        ("max(e)", Value::Null),
        ("sort(n)", json!([1, 2, 3])),
        ("sort(s)", json!(["a", "b"])),
        ("reverse(n)", json!([2, 1, 3])),
        ("reverse(t)", json!("txet")),
        ("join('-', s)", json!("b-a")),
        ("length(t)", json!(4)),
        ("length(o)", json!(2)),
        ("values(o)", json!([1, null])),
        ("merge(o, `{\"k\": 2}`)", json!({"k": 2, "j": null})),
        ("not_null(o.j, missing, t)", json!("text")),
        ("not_null(o.j)", Value::Null),
        ("starts_with(t, 'te')", json!(true)),
        ("ends_with(t, 'te')", json!(false)),
        ("contains(odd, `true`)", json!(true)),
        ("contains(odd, `false`)", json!(false)),
        ("contains(t, `1`)", json!(false)),
        ("to_array(t)", json!(["text"])),
        ("to_array(n)", json!([3, 1, 2])),
        ("to_string(n)", json!("[3,1,2]")),
        ("to_string(t)", json!("text")),
        ("to_number('12')", json!(12)),
        ("to_number('1.5')", json!(1.5)),
        ("to_number('x')", Value::Null),
        ("to_number(o)", Value::Null),
        ("odd[].type(@)", json!(["number", "string", "null", "boolean", "object"])),
        ("map(&type(@), odd)", json!(["number", "string", "null", "boolean", "object"])),
        ("max_by(`[]`, &a)", Value::Null),
        ("sort_by(`[]`, &a)", json!([])),
    ] {
        assert_eq!(ask(&document, query), expected, "{query}");
    }
}

#[test]
fn comparisons() {
    let document = json!({"i": 1, "f": 1.0, "t": true, "d": "2026-01-02", "n": null});
    for (query, expected) in [
        ("i == f", json!(true)),
        ("i == t", json!(false)),
        ("d > '2026-01-01'", json!(true)),
        ("d > i", Value::Null),
        ("n == `null`", json!(true)),
        ("n < i", Value::Null),
        ("!n", json!(true)),
        ("n || d", json!("2026-01-02")),
        ("t && i", json!(1)),
    ] {
        assert_eq!(ask(&document, query), expected, "{query}");
    }
}

#[test]
fn mistakes_are_explained() {
    assert_eq!(refusal("nope(@)"), QueryError::UnknownFunction("nope".into()));
    assert_eq!(
        refusal("length()").to_string(),
        "Expected 1 argument for function length(), received 0"
    );
    assert_eq!(
        refusal("merge()").to_string(),
        "Expected at least 1 argument for function merge(), received 0"
    );
    assert_eq!(
        refusal("abs(t)").to_string(),
        r#"In function abs(), expected a number, received string: "x""#
    );
    assert_eq!(
        refusal("sort(a)").to_string(),
        r#"In function sort(), expected an array of numbers or an array of strings, received array: [1,"x"]"#
    );
    assert!(refusal("sort_by(a, &@)").to_string().contains("all numbers or all strings"));
    assert!(refusal("sort_by(a, a)").to_string().contains("expected an expression"));
    assert_eq!(refusal("a[::0]"), QueryError::SliceStep);
    let syntax = refusal("a[").to_string();
    assert!(syntax.starts_with("invalid jmespath_type value: 'a['"), "{syntax}");
}

/// Python's slice, written as its reference says: indices first, then a walk.
fn slice_by_reference(
    n: i64,
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
) -> Vec<i64> {
    let inside = |bound: i64| if bound < 0 { bound + n } else { bound };
    (0..n)
        .filter(|&i| {
            let first = start.map_or(if step > 0 { 0 } else { n - 1 }, |s| {
                let s = inside(s);
                if step > 0 { s.max(0) } else { s.min(n - 1) }
            });
            let beyond = match stop.map(inside) {
                None => false,
                Some(stop) if step > 0 => i >= stop,
                Some(stop) => i <= stop,
            };
            let distance = if step > 0 { i - first } else { first - i };
            !beyond && distance >= 0 && distance % step.abs() == 0
        })
        .collect()
}

proptest! {
    #[test]
    fn a_slice_is_pythons_slice(
        n in 0_i64..8,
        start in proptest::option::of(-10_i64..10),
        stop in proptest::option::of(-10_i64..10),
        step in prop_oneof![-4_i64..0, 1_i64..5],
    ) {
        let text = |bound: Option<i64>| bound.map(|b| b.to_string()).unwrap_or_default();
        let query = format!("[{}:{}:{step}]", text(start), text(stop));
        let document: Value = (0..n).collect();
        let mut expected = slice_by_reference(n, start, stop, step);
        if step < 0 {
            expected.reverse();
        }
        prop_assert_eq!(ask(&document, &query), json!(expected));
    }

    #[test]
    fn sorting_orders_and_keeps_every_item(numbers in proptest::collection::vec(-50_i64..50, 0..20)) {
        let mut expected = numbers.clone();
        expected.sort_unstable();
        prop_assert_eq!(ask(&json!(numbers), "sort(@)"), json!(expected.clone()));
        let objects: Vec<Value> = numbers.iter().map(|n| json!({"k": n})).collect();
        prop_assert_eq!(ask(&json!(objects), "sort_by(@, &k)[].k"), json!(expected));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[a-z@\\[\\]{}().,:&|*?!`'\"<>= 0-9-]{0,20}") {
        if let Ok(query) = Query::parse(&text) {
            let _ = query.search(&json!({"a": [1, {"b": "c"}]}));
        }
    }
}
