//! The files under `faults/`, as a whole.

use doctor::{Catalogue, CatalogueError};

fn builtin() -> Catalogue {
    Catalogue::builtin().unwrap_or_else(|error| {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text.push_str(&format!("\n{cause}"));
            source = cause.source();
        }
        panic!("{text}")
    })
}

#[test]
fn every_file_is_a_fault() {
    assert!(builtin().iter().count() >= 14);
}

#[test]
fn every_fault_can_be_injected_or_says_why_not() {
    for fault in builtin().iter() {
        assert!(
            fault.inject.is_some() != fault.not_injected.is_some(),
            "{}: inject or not_injected, and not both",
            fault.id
        );
    }
}

#[test]
fn every_fault_has_references_and_texts() {
    for fault in builtin().iter() {
        assert!(!fault.references.is_empty(), "{}", fault.id);
        for text in [&fault.title, &fault.explanation] {
            assert!(!text.en.trim().is_empty() && text.en.is_ascii(), "{}: en", fault.id);
            assert!(
                text.ja.chars().any(|c| ('ぁ'..='ヿ').contains(&c)),
                "{}: ja",
                fault.id
            );
        }
        assert!(!fault.title.en.ends_with('.'), "{}: a title is no sentence", fault.id);
    }
}

#[test]
fn a_catalogue_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&builtin());
}

fn file(id: &str, extra: &str) -> (String, String) {
    let text = format!(
        "id = \"{id}\"\nlayer = \"sshd\"\nsymptoms = [\"tcp.refused\"]\nwhen = \"true\"\n\
         confidence = \"certain\"\nevidence = [\"'x'\"]\nreferences = []\n{extra}\n\
         title = {{ en = \"a\", ja = \"b\" }}\nexplanation = {{ en = \"a\", ja = \"b\" }}\n"
    );
    (format!("{id}.toml"), text)
}

fn error(files: Vec<(String, String)>) -> String {
    let error = Catalogue::parse(files.into_iter()).expect_err("the file is wrong");
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn a_wrong_file_is_named_with_its_field() {
    let text = error(vec![file("sshd.x", "explians = []")]);
    let expected = "unknown field `explians`";
    assert!(text.contains("sshd.x.toml") && text.contains(expected), "{text}");
    let (name, text) = file("sshd.x", "");
    let text = error(vec![(name, text.replace("\"true\"", "\"sshd.\""))]);
    assert!(text.contains("sshd.x.toml: when"), "{text}");
    let (name, text) = file("sshd.x", "");
    let text = error(vec![(name, text.replace("tcp.refused", "tcp.lost"))]);
    assert!(text.contains("symptoms: `tcp.lost` is no symptom"), "{text}");
    let text = error(vec![file("auth.x", "")]);
    assert!(text.contains("begin with `sshd.`"), "{text}");
}

#[test]
fn what_a_fault_explains_must_exist_and_must_not_explain_it() {
    let text = error(vec![file("sshd.x", "explains = [\"sshd.y\"]")]);
    assert!(text.contains("`sshd.x` explains `sshd.y`"), "{text}");
    let circle = [
        file("sshd.x", "explains = [\"sshd.y\"]"),
        file("sshd.y", "explains = [\"sshd.x\"]"),
    ];
    let error = Catalogue::parse(circle.into_iter()).expect_err("x explains itself");
    assert!(matches!(error, CatalogueError::Circle { .. }), "{error}");
}

#[test]
fn a_users_file_replaces_a_fault_with_the_same_id() {
    let mut catalogue = builtin();
    let before = catalogue.iter().count();
    catalogue
        .extend([file("sshd.not-running", "")].into_iter())
        .expect("the file is right");
    assert_eq!(catalogue.iter().count(), before);
    assert_eq!(catalogue.get("sshd.not-running").map(|f| f.title.en.as_str()), Some("a"));
}
