//! What the sources themselves must keep: how a file opens, how long and how
//! named it is, and what the rooms may have ([`confined`], [`unfinished`]).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::tokens::Tokens;
use super::{Violation, confined, unfinished};

/// Rooms that say nothing about what is in them.
const NAMELESS: [&str; 6] = ["util", "utils", "helper", "helpers", "common", "manager"];

/// A file longer than this has outgrown its room.
const LONGEST: usize = 500;

/// One file, and whether only tests see it.
struct Source {
    path: String,
    text: String,
    tokens: Tokens,
    test: bool,
}

/// Hold every source file against the invariants.
pub(crate) fn check(root: &Path) -> Result<Vec<Violation>> {
    let mut files = Vec::new();
    for top in ["crates", "xtask", "e2e", "fuzz"].map(|top| root.join(top)) {
        if top.is_dir() {
            collect(&top, &mut files)?;
        }
    }
    let mut sources = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("reading {}", file.display()))?;
        let path =
            file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        sources.push(Source::read(path, text)?);
    }
    let hidden: Vec<PathBuf> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        source.test |= hidden.iter().any(|module| is_part(&source.path, module));
    }
    Ok(sources.iter().flat_map(Source::violations).collect())
}

impl Source {
    fn read(path: String, text: String) -> Result<Self> {
        let tokens = Tokens::read(&text).with_context(|| format!("reading {path}"))?;
        // A crate's tests/, benches/ and build script are no part of the product.
        let mut rooms = path.split('/').skip(1);
        let of_crate =
            if path.starts_with("crates/") { rooms.nth(1) } else { rooms.next() };
        let test = matches!(of_crate, Some("tests" | "benches" | "build.rs"));
        Ok(Self { path, text, tokens, test })
    }

    /// The modules in files of their own that it hides from the product, as paths
    /// without an extension.
    fn test_modules(&self) -> impl Iterator<Item = PathBuf> {
        let own = Path::new(&self.path).with_extension("");
        let directory = match own.file_name().and_then(|name| name.to_str()) {
            Some("mod" | "lib" | "main") => own.parent().unwrap_or(&own).to_owned(),
            _ => own,
        };
        self.tokens.test_modules.iter().map(move |name| directory.join(name))
    }

    fn violations(&self) -> Vec<Violation> {
        let Self { path, text, tokens, test } = self;
        let mut violations = Vec::new();
        let mut say = |line: Option<usize>, what: String| {
            let place = line.map_or_else(|| path.clone(), |n| format!("{path}:{n}"));
            violations.push(Violation { place, what });
        };
        if !text.starts_with("//!") {
            say(None, "a module opens with what it is (`//!`)".to_owned());
        }
        let lines = text.lines().count();
        if lines > LONGEST {
            say(None, format!("{lines} lines: move a wall"));
        }
        for room in Path::new(path).with_extension("").iter() {
            if let Some(name) = NAMELESS.iter().find(|name| room == **name) {
                say(None, format!("`{name}` says nothing about what is in it"));
            }
        }
        let mut broken = unfinished::check(&tokens.all);
        if !test {
            broken.extend(confined::check(path, &tokens.all));
        }
        broken.sort();
        for (line, what) in broken {
            say(Some(line), what);
        }
        violations
    }
}

/// Whether a file is a module or lies below it.
fn is_part(path: &str, module: &Path) -> bool {
    let path = Path::new(path);
    path.with_extension("") == *module || path.starts_with(module)
}

pub(super) fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(directory)
        .with_context(|| format!("reading the directory {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::check;

    /// What is wrong with a tree that has these files.
    fn places(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().expect("a directory");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, text).expect("a file");
        }
        let violations = check(root.path()).expect("Rust");
        let mut places: Vec<String> = violations.into_iter().map(|v| v.place).collect();
        places.sort();
        places
    }

    #[test]
    fn a_file_opens_with_what_it_is() {
        let path = "crates/arm/src/id.rs";
        assert_eq!(places(&[(path, "use std::fmt;\n")]), [path]);
    }

    #[test]
    fn a_module_of_tests_does_not_hide_the_rest_of_its_file() {
        let text = "//! A room.\n#[cfg(test)]\nmod tests;\nuse std::fs;\n";
        let tests = "//! Tests.\nuse std::fs;\n";
        assert_eq!(
            places(&[
                ("crates/doctor/src/judge/mod.rs", text),
                ("crates/doctor/src/judge/tests.rs", tests),
            ]),
            ["crates/doctor/src/judge/mod.rs:4"]
        );
    }

    #[test]
    fn a_file_called_tests_that_the_product_has_is_product() {
        let files = [
            ("crates/doctor/src/lib.rs", "//! A room.\nmod tests;\n"),
            ("crates/doctor/src/tests.rs", "//! A room.\nuse std::fs;\n"),
        ];
        assert_eq!(places(&files), ["crates/doctor/src/tests.rs:2"]);
    }

    #[test]
    fn tests_outside_the_product_are_finished_too() {
        let text = "//! Tests.\nuse std::fs;\n#[test]\n#[ignore]\nfn a() {}\n";
        assert_eq!(
            places(&[("crates/doctor/tests/a.rs", text), ("e2e/tests/b.rs", text)]),
            ["crates/doctor/tests/a.rs:4", "e2e/tests/b.rs:4"]
        );
    }

    #[test]
    fn a_room_has_a_name_that_says_something() {
        assert_eq!(places(&[("crates/arm/src/util/mod.rs", "//! X.\n")]).len(), 1);
        assert_eq!(places(&[("crates/arm/src/common.rs", "//! X.\n")]).len(), 1);
    }
}
