//! The files under `faults/`, as a whole.

use std::fs;
use std::path::Path;

use doctor::fault::Layer;
use doctor::{Catalogue, CatalogueError, Text, VERBS};

fn builtin() -> Catalogue {
    Catalogue::builtin().unwrap_or_else(|error| panic!("{}", chain(&error)))
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

/// Paths of the files of faults.
fn files() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../faults");
    let layers =
        fs::read_dir(root).expect("faults/").map(|entry| entry.expect("a layer"));
    let layers = layers.filter(|layer| layer.path().is_dir());
    layers
        .flat_map(|layer| fs::read_dir(layer.path()).expect("a directory"))
        .map(|file| file.expect("a file").path().display().to_string())
        .collect()
}

#[test]
fn every_file_is_a_fault_and_every_fault_a_file() {
    assert!(files().iter().all(|file| file.ends_with(".toml")));
    assert_eq!(builtin().iter().count(), files().len());
}

#[test]
fn every_layer_has_faults() {
    let catalogue = builtin();
    for layer in [
        Layer::Client,
        Layer::Name,
        Layer::Network,
        Layer::Platform,
        Layer::Boot,
        Layer::Firewall,
        Layer::Sshd,
        Layer::Auth,
        Layer::Session,
    ] {
        assert!(catalogue.iter().any(|fault| fault.layer == layer), "{layer}");
    }
}

/// Verbs that no fault of the catalogue uses, and why they are there.
const UNUSED: &[(&str, &str)] = &[];

#[test]
fn every_verb_is_some_faults_repair() {
    let catalogue = builtin();
    let mut used: Vec<&str> = catalogue
        .iter()
        .flat_map(|fault| &fault.repairs)
        .flat_map(|repair| repair.action.verbs())
        .collect();
    used.extend(UNUSED.iter().map(|(verb, _)| *verb));
    for (verb, ..) in VERBS {
        assert!(used.contains(verb), "{verb} is nobody's");
    }
}

#[test]
fn every_shared_repair_is_shared() {
    let catalogue = builtin();
    for shared in catalogue.repairs() {
        let files = files();
        let used = files.iter().any(|file| {
            let text = fs::read_to_string(file).expect("a file");
            text.contains(&format!("use = \"{}\"", shared.id))
        });
        assert!(used, "{} is nobody's", shared.id);
    }
}

#[test]
fn every_state_is_produced_by_some_fault() {
    let catalogue = builtin();
    for state in catalogue.states() {
        let produced = catalogue
            .iter()
            .any(|fault| fault.states.iter().any(|its| its.id == state.id));
        assert!(produced, "{} comes from nothing", state.id);
    }
}

#[test]
fn states_stand_along_the_way_in() {
    let catalogue = builtin();
    let stages: Vec<_> = catalogue
        .states()
        .into_iter()
        .map(|state| state.shows.iter().map(|shown| shown.symptom.stage()).min())
        .collect();
    assert!(stages.is_sorted(), "{stages:?}");
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

fn speaks(whose: &str, text: &Text) {
    assert!(!text.en.trim().is_empty() && text.en.is_ascii(), "{whose}: en");
    assert!(text.ja.chars().any(|c| ('ぁ'..='ヿ').contains(&c)), "{whose}: ja");
}

#[test]
fn everything_speaks_both_languages() {
    let catalogue = builtin();
    for fault in catalogue.iter() {
        assert!(!fault.references.is_empty(), "{}", fault.id);
        assert!(!fault.title.en.ends_with('.'), "{}: a title is no sentence", fault.id);
        for text in [&fault.title, &fault.explanation] {
            speaks(&fault.id, text);
        }
        for doubt in &fault.doubts {
            speaks(&fault.id, &doubt.text);
        }
        for repair in &fault.repairs {
            speaks(&format!("{}: {}", fault.id, repair.id), &repair.title);
        }
    }
    for state in catalogue.states() {
        speaks(&state.id, &state.title);
        for doubt in &state.doubts {
            speaks(&state.id, &doubt.text);
        }
    }
}

#[test]
fn a_catalogue_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&builtin());
}

// What a wrong file is told.

const STATES: &str = "[[state]]\nid = \"gone\"\ntitle = { en = \"a\", ja = \"b\" }\n\
                      shows = [\"tcp.refused\"]\n";
const REPAIRS: &str = "[[repair]]\nid = \"shared\"\ntitle = { en = \"a\", ja = \"b\" }\n\
                       risk = \"edit\"\nparameters = [\"who\"]\n\
                       edits = [{ verb = \"set-shell\", user = \"who\" }]\n";

fn file(id: &str, extra: &str) -> (String, String) {
    let text = format!(
        "id = \"{id}\"\nlayer = \"sshd\"\nproduces = [\"gone\"]\nwhen = \"true\"\n\
         basis = \"said\"\nevidence = [\"'x'\"]\nreferences = []\n\
         title = {{ en = \"a\", ja = \"b\" }}\nexplanation = {{ en = \"a\", ja = \"b\" }}\n\
         {extra}\n"
    );
    (format!("{id}.toml"), text)
}

fn read(files: Vec<(String, String)>) -> Result<Catalogue, CatalogueError> {
    let shared = [("states.toml", STATES), ("repairs.toml", REPAIRS)];
    let shared = shared.map(|(name, text)| (name.to_owned(), text.to_owned()));
    Catalogue::parse(shared.into_iter().chain(files))
}

fn error(files: Vec<(String, String)>) -> String {
    chain(&read(files).expect_err("the file is wrong"))
}

#[test]
fn a_wrong_file_is_named_with_its_field() {
    assert!(read(vec![file("sshd.x", "")]).is_ok());
    let text = error(vec![file("sshd.x", "explians = []")]);
    assert!(
        text.contains("sshd.x.toml") && text.contains("unknown field `explians`"),
        "{text}"
    );
    for (from, to, expected) in [
        ("\"true\"", "\"sshd.\"", "sshd.x.toml: when"),
        ("\"gone\"", "\"lost\"", "sshd.x.toml: produces: there is no state `lost`"),
        ("when = \"true\"\n", "", "sshd.x.toml: when: only what restates a state"),
        ("\"said\"", "\"guessed\"", "unknown variant `guessed`"),
        (
            "[\"gone\"]",
            "[]",
            "sshd.x.toml: produces: a fault produces at least one state",
        ),
    ] {
        let (name, text) = file("sshd.x", "");
        let text = error(vec![(name, text.replace(from, to))]);
        assert!(text.contains(expected), "{text}");
    }
    let text = error(vec![file("auth.x", "")]);
    assert!(text.contains("begin with `sshd.`"), "{text}");
}

#[test]
fn a_wrong_repair_is_named_with_its_field() {
    let title = "title = { en = \"a\", ja = \"b\" }";
    for (repair, expected) in [
        ("use = \"shared\"", "repair `shared`: with: `shared` takes exactly: who"),
        ("use = \"other\"", "repair `other`: use: there is no repair `other`"),
        ("use = \"shared\"\nwith = { who = \"'a'\", x = \"1\" }", "takes exactly: who"),
        (
            "id = \"r\"\nrisk = \"edit\"\nTITLE\nedits = [{ verb = \"reboot\" }]",
            "repair `r`: edits: `reboot` is no verb",
        ),
        (
            "id = \"r\"\nrisk = \"edit\"\nTITLE\nedits = [{ verb = \"set-shell\" }]",
            "repair `r`: edits: `set-shell` takes exactly: user",
        ),
        (
            "id = \"r\"\nrisk = \"edit\"\nTITLE\nedits = [{ verb = \"set-shell\", user = \"(\" }]",
            "repair `r`: edits: set-shell: user: `(` is not a CEL expression",
        ),
        (
            "id = \"r\"\nrisk = \"edit\"\nTITLE\nedits = [{ verb = \"lift-ban\", client = \"'a'\" }]",
            "repair `r`: risk: what it does is at least `open`",
        ),
        (
            "id = \"r\"\nrisk = \"reset\"\nTITLE\naction = \"restart-vm\"",
            "repair `r`: risk: what it does is at least `reboot`",
        ),
        (
            "id = \"r\"\nrisk = \"edit\"\nTITLE",
            "exactly one of use, edits, action and command",
        ),
        (
            "id = \"r\"\nrisk = \"edit\"\naction = \"start-vm\"",
            "repair `r`: title: is missing",
        ),
        (
            "id = \"r\"\nrisk = \"edit\"\nTITLE\nparameters = [\"who\"]\nedits = []",
            "repair `r`: parameters: only a repair of the shared file",
        ),
    ] {
        let repair = format!("[[repair]]\n{}", repair.replace("TITLE", title));
        let text = error(vec![file("sshd.x", &repair)]);
        assert!(text.contains("sshd.x.toml") && text.contains(expected), "{text}");
    }
}

#[test]
fn a_wrong_state_is_named_with_its_field() {
    let states = |text: String| {
        let files = [("d/states.toml".to_owned(), text)];
        chain(&Catalogue::parse(files.into_iter()).expect_err("it is wrong"))
    };
    let text = states(STATES.replace("tcp.refused", "tcp.lost"));
    assert!(text.contains("state `gone`: shows: `tcp.lost` is no symptom"), "{text}");
    let text = states(STATES.replace("[\"tcp.refused\"]", "[]"));
    assert!(text.contains("a state needs at least one symptom"), "{text}");
    let text = states(format!("{STATES}{STATES}"));
    assert!(text.contains("`gone` is there already"), "{text}");
}

#[test]
fn what_a_fault_explains_must_exist_and_must_not_explain_it() {
    let text = error(vec![file("sshd.x", "explains = [\"sshd.y\"]")]);
    assert!(text.contains("`sshd.x` explains `sshd.y`"), "{text}");
    let circle = vec![
        file("sshd.x", "explains = [\"sshd.y\"]"),
        file("sshd.y", "explains = [\"sshd.x\"]"),
    ];
    let error = read(circle).expect_err("x explains itself");
    assert!(matches!(error, CatalogueError::Circle { .. }), "{error}");
}

#[test]
fn a_users_file_replaces_a_fault_with_the_same_id() {
    let mut catalogue = builtin();
    let before = catalogue.iter().count();
    let (name, text) = file("sshd.not-running", "");
    catalogue
        .extend([(name, text.replace("gone", "sshd-absent"))].into_iter())
        .expect("the file is right");
    assert_eq!(catalogue.iter().count(), before);
    assert_eq!(catalogue.get("sshd.not-running").map(|f| f.title.en.as_str()), Some("a"));
}
