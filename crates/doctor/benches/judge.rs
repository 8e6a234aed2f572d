//! Judging with 250 faults, beside reading the same case from its JSON, in one run.
//!
//! `cargo bench -p doctor --bench judge` prints divan's table and then one line with
//! the ratio. The faults are the catalogue's own, again and again under other ids; the
//! case is a VM whose configuration sshd refuses, so that every layer is asked.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use divan::Bencher;
use divan::counter::ItemsCount;
use doctor::case::Case;
use doctor::{Catalogue, Lang, judge};
use serde_json::{Value, json};

const FAULTS: usize = 250;

fn main() {
    divan::main();
    // cargo and nextest also start a bench to list it or to try it out.
    if std::env::args().any(|argument| argument == "--bench") {
        report();
    }
}

#[divan::bench]
fn judge_250_faults(bencher: Bencher<'_, '_>) {
    let (catalogue, case) = (catalogue(), read(&document()));
    bencher.counter(ItemsCount::new(FAULTS)).bench(|| judge(&case, &catalogue, Lang::En));
}

#[divan::bench]
fn read_the_case(bencher: Bencher<'_, '_>) {
    let text = document();
    bencher.bench(|| read(&text));
}

#[divan::bench(sample_count = 10)]
fn read_250_faults(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(FAULTS)).bench(catalogue);
}

/// The catalogue's faults, repeated under other ids.
fn catalogue() -> Catalogue {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../faults");
    let texts = |files: Vec<PathBuf>| -> Vec<(String, String)> {
        let text = |file: PathBuf| {
            let text = fs::read_to_string(&file).expect("a file of knowledge");
            (file.display().to_string(), text)
        };
        files.into_iter().map(text).collect()
    };
    let mut files = Vec::new();
    below(&root, &mut files).expect("faults/");
    files.sort();
    let (faults, shared): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|file| file.parent() != Some(root.as_path()));
    let faults = texts(faults);
    let repeated = faults.iter().cycle().zip(0..FAULTS).map(|((file, text), at)| {
        let round = at / faults.len();
        let (id, rest) = text.split_once('\n').expect("an id comes first");
        let id = id.trim_end_matches('"');
        // What is explained stays in the first round.
        (format!("{file}.{round}"), format!("{id}-{round}\"\n{}", without_explains(rest)))
    });
    Catalogue::parse(texts(shared).into_iter().chain(repeated)).expect("they are faults")
}

fn without_explains(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("explains"));
    lines.fold(String::new(), |text, line| text + line + "\n")
}

fn below(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            below(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

fn document() -> String {
    let mut document: Value =
        serde_json::from_str(include_str!("../tests/cases/base.json")).expect("JSON");
    let entries: Vec<Value> =
        serde_json::from_str(include_str!("../tests/cases/sshd.json")).expect("JSON");
    let wanted = |entry: &&Value| entry["name"] == "bad option in the main file";
    merge(&mut document, &entries.iter().find(wanted).expect("it is there")["changes"]);
    let refused = json!({"stage": "connect", "exit": 255, "stdout": [], "keyAccepted": false,
        "stderr": ["ssh: connect to host: Connection refused"]});
    merge(&mut document["login"]["collected"], &refused);
    document["tcp"]["collected"]["outcome"] = json!("refused");
    document.to_string()
}

fn merge(document: &mut Value, patch: &Value) {
    match (document, patch) {
        (Value::Object(document), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    document.remove(key);
                } else {
                    merge(document.entry(key.clone()).or_insert(json!({})), value);
                }
            }
        }
        (document, patch) => *document = patch.clone(),
    }
}

fn read(text: &str) -> Case {
    serde_json::from_str(text).expect("a case")
}

#[expect(clippy::print_stdout, reason = "a bench reports")]
fn report() {
    let (catalogue, text) = (catalogue(), document());
    let case = read(&text);
    let judging = fastest(|| drop(black_box(judge(&case, &catalogue, Lang::En))));
    let reading = fastest(|| drop(black_box(read(&text))));
    let ratio = judging.as_secs_f64() / reading.as_secs_f64();
    println!(
        "judging {FAULTS} faults {judging:?}, reading the case {reading:?}: {ratio:.1} times"
    );
}

fn fastest(mut run: impl FnMut()) -> Duration {
    (0..50)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed()
        })
        .min()
        .unwrap_or_default()
}
