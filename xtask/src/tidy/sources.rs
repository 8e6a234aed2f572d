//! What the sources themselves must keep: who prints, who knows axum and SQL,
//! who starts programs, and how a file opens.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Violation;

/// Text that may stand only in one place.
struct Confined {
    /// What is looked for, outside comments and tests.
    text: &'static str,
    /// Path prefixes in which it may stand.
    home: &'static [&'static str],
    /// The invariant, as ARCHITECTURE.md words it.
    why: &'static str,
}

const CONFINED: [Confined; 9] = [
    Confined {
        text: "println!",
        home: &["crates/regain/src/output", "xtask", "e2e"],
        why: "only regain/output prints",
    },
    Confined {
        text: "print!(",
        home: &["crates/regain/src/output", "xtask", "e2e"],
        why: "only regain/output prints",
    },
    Confined {
        text: "axum",
        home: &["crates/cloud/src/http"],
        why: "only cloud/http knows axum",
    },
    Confined {
        text: "sqlx",
        home: &["crates/cloud/src/store"],
        why: "only cloud/store knows SQL",
    },
    Confined {
        text: "\"systemd-nspawn\"",
        home: &["crates/machine", "crates/regain/src/lab/programs.rs"],
        why: "only machine starts VMs",
    },
    Confined {
        text: "\"nft\"",
        home: &[
            "crates/machine",
            "crates/guest",
            "crates/doctor",
            "crates/formats",
            "crates/rescue/src/report",
            "crates/regain/src/lab/programs.rs",
        ],
        why: "only machine touches the host's network",
    },
    Confined {
        text: "Command::new(\"ssh\")",
        home: &["crates/rescue", "e2e"],
        why: "only rescue runs the system's ssh",
    },
    Confined {
        text: "SystemTime::now",
        home: &[
            "crates/arm",
            "crates/cloud",
            "crates/guest",
            "crates/machine",
            "crates/probe",
            "crates/rescue",
            "crates/regain",
        ],
        why: "doctor and network read no clock",
    },
    Confined {
        text: "std::fs",
        home: &[
            "crates/arm",
            "crates/cloud",
            "crates/guest",
            "crates/machine",
            "crates/probe",
            "crates/rescue",
            "crates/regain",
            "xtask",
            "e2e",
        ],
        why: "doctor and network do no I/O",
    },
];

/// Rooms that say nothing about what is in them.
const NAMELESS: [&str; 6] = ["util", "utils", "helper", "helpers", "common", "manager"];

/// A file longer than this has outgrown its room.
const LONGEST: usize = 500;

/// Hold every source file against the invariants.
pub(crate) fn check(root: &Path) -> Result<Vec<Violation>> {
    let mut files = Vec::new();
    for top in ["crates", "xtask", "e2e"] {
        collect(&root.join(top), &mut files)?;
    }
    let mut violations = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file)
            .with_context(|| format!("reading {}", file.display()))?;
        let path =
            file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
        violations.extend(read(&path, &text));
    }
    Ok(violations)
}

/// What is wrong with one file.
fn read(path: &str, text: &str) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut say = |line: Option<usize>, what: String| {
        let place = line.map_or_else(|| path.to_owned(), |n| format!("{path}:{n}"));
        violations.push(Violation { place, what });
    };
    if !text.starts_with("//!") {
        say(None, "a module opens with what it is (`//!`)".to_owned());
    }
    let lines = text.lines().count();
    if lines > LONGEST {
        say(None, format!("{lines} lines: move a wall"));
    }
    let stem = Path::new(path).file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    if NAMELESS.contains(&stem) {
        say(None, format!("`{stem}` says nothing about what is in it"));
    }
    // A crate's tests/, benches/ and its `mod tests` at the end may do what the
    // product may not; xtask names what it looks for.
    let elsewhere = ["/tests/", "/tests.rs", "/benches/", "build.rs"];
    if elsewhere.iter().any(|place| path.contains(place)) || path.starts_with("xtask") {
        return violations;
    }
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        if line.trim_start().starts_with("//") {
            continue;
        }
        for rule in &CONFINED {
            if line.contains(rule.text)
                && !rule.home.iter().any(|home| path.starts_with(home))
            {
                say(Some(index + 1), format!("{} (`{}`)", rule.why, rule.text));
            }
        }
        if ["todo!(", "unimplemented!(", "#[ignore"]
            .iter()
            .any(|text| line.contains(text))
        {
            say(Some(index + 1), "unfinished work is a defect".to_owned());
        }
    }
    violations
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
    use super::read;

    #[test]
    fn printing_outside_output_is_found() {
        let text = "//! A room.\nfn f() { println!(\"x\"); }\n";
        assert_eq!(read("crates/doctor/src/judge.rs", text).len(), 1);
        assert!(read("crates/regain/src/output/text.rs", text).is_empty());
    }

    #[test]
    fn tests_may_do_what_the_product_may_not() {
        let text = "//! A room.\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert!(read("crates/doctor/src/judge.rs", text).is_empty());
    }

    #[test]
    fn a_file_opens_with_what_it_is() {
        assert_eq!(read("crates/arm/src/id.rs", "use std::fmt;\n").len(), 1);
    }
}
