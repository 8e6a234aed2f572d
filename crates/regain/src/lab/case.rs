//! Cases of the gauntlet: what is broken, how, and what must be named.
//!
//! They come from the faults' own `inject` tables, or from TOML files of a
//! directory. `fault = ""` is a healthy variant: something is changed that does
//! not stop a login, and nothing may be named.

use std::fs;
use std::path::{Path, PathBuf};

use doctor::Catalogue;
use doctor::fault::{Fault, Place};
use serde::Deserialize;

use crate::failure::Failure;

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    /// Its name: the fault's id, or the file's name.
    pub(crate) id: String,
    /// What may be named; empty for a healthy variant.
    pub(crate) expect: Vec<String>,
    /// How the VM is broken, one after the other.
    pub(crate) injections: Vec<Injection>,
    /// Diagnose this host name instead of the VM's address.
    pub(crate) host: Option<String>,
    /// Whether the repair must bring the login back.
    pub(crate) repairable: bool,
}

/// One script that breaks a VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Injection {
    pub(crate) place: Place,
    pub(crate) script: String,
}

impl Case {
    /// Whether nothing is broken.
    pub(crate) fn is_healthy(&self) -> bool {
        self.expect.is_empty()
    }
}

/// A case's file.
#[derive(Deserialize)]
struct File {
    fault: String,
    inject: Inject,
    #[serde(default)]
    expect: Vec<String>,
    repairable: Option<bool>,
}

#[derive(Deserialize)]
struct Inject {
    r#where: Place,
    script: String,
    host: Option<String>,
}

/// The cases of the catalogue: every fault that says how it is injected.
pub(crate) fn of_catalogue(catalogue: &Catalogue) -> Vec<Case> {
    catalogue.iter().filter_map(of_fault).collect()
}

/// The case of one fault, if it can be injected.
pub(crate) fn of_fault(fault: &Fault) -> Option<Case> {
    let inject = fault.inject.as_ref()?;
    Some(Case {
        id: fault.id.clone(),
        expect: vec![fault.id.clone()],
        injections: vec![Injection {
            place: inject.place,
            script: inject.script.clone(),
        }],
        host: inject.host.clone(),
        repairable: inject.repairable,
    })
}

/// The cases of a directory and of those below it, by name. `catalogue` says of
/// a fault whether it can be repaired, where the case does not.
pub(crate) fn of_directory(
    directory: &Path,
    catalogue: &Catalogue,
) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    // What faults refer to is no case.
    let shared = ["states.toml", "repairs.toml"];
    let is_case = |path: &PathBuf| !shared.iter().any(|name| path.ends_with(name));
    for path in toml_files(directory)?.into_iter().filter(is_case) {
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        let name = path.strip_prefix(directory).unwrap_or(&path).with_extension("");
        let case = parse(&name.to_string_lossy(), &text, catalogue)
            .map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?;
        cases.extend(case);
    }
    if cases.is_empty() {
        return Err(Failure::usage(format!(
            "there is no case in {}",
            directory.display()
        ))
        .next("a case is a TOML file with `fault` and `[inject]`"));
    }
    Ok(cases)
}

/// Reads a case's file, or a fault's own, which names itself by `id`; a fault
/// that cannot be injected is no case.
fn parse(name: &str, text: &str, catalogue: &Catalogue) -> Result<Option<Case>, String> {
    let table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
    if !table.contains_key("fault") && table.contains_key("id") {
        let fault = catalogue.read(name, text).map_err(|error| error.to_string())?;
        return Ok(of_fault(&fault));
    }
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut expect = file.expect;
    if file.fault.is_empty() && !expect.is_empty() {
        return Err("a healthy variant (`fault = \"\"`) can expect nothing".to_owned());
    }
    if !file.fault.is_empty() && !expect.contains(&file.fault) {
        expect.insert(0, file.fault.clone());
    }
    let known = catalogue.get(&file.fault).and_then(of_fault);
    Ok(Some(Case {
        id: name.to_owned(),
        expect,
        injections: vec![Injection {
            place: file.inject.r#where,
            script: file.inject.script,
        }],
        host: file.inject.host,
        repairable: file.repairable.or(known.map(|case| case.repairable)).unwrap_or(true),
    }))
}

/// Every `*.toml` below a directory, ordered by path.
pub(crate) fn toml_files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries =
            fs::read_dir(&directory).map_err(|error| unreadable(&directory, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&directory, error))?;
            let path = entry.path();
            // The entry's own type: a symbolic link to a directory may be a circle.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, error: std::io::Error) -> Failure {
    Failure::usage(format!("cannot read {}", path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = r#"
        fault = "sshd.config-bad-option"
        expect = ["sshd.not-running"]
        [inject]
        where = "guest"
        script = "true"
    "#;

    fn read(name: &str, text: &str) -> Result<Option<Case>, String> {
        parse(name, text, &Catalogue::builtin().unwrap())
    }

    #[test]
    fn a_case_expects_its_fault_and_whatever_else_is_right() {
        let case = read("mine/bad", CASE).unwrap().unwrap();
        assert_eq!(case.id, "mine/bad");
        assert_eq!(case.expect, ["sshd.config-bad-option", "sshd.not-running"]);
        assert!(case.repairable);
    }

    #[test]
    fn a_healthy_variant_expects_nothing() {
        let text = CASE.replace("sshd.config-bad-option", "");
        assert!(read("x", &text).is_err());
        let text = text.replace("\"sshd.not-running\"", "");
        assert!(read("x", &text).unwrap().unwrap().is_healthy());
    }

    #[test]
    fn the_fault_says_whether_it_can_be_repaired_unless_the_case_does() {
        let text = CASE.replace("sshd.config-bad-option", "name.nxdomain");
        assert!(!read("x", &text).unwrap().unwrap().repairable);
        let text = format!("repairable = true\n{text}");
        assert!(read("x", &text).unwrap().unwrap().repairable);
    }

    #[test]
    fn the_faults_own_files_are_the_catalogues_cases() {
        let catalogue = Catalogue::builtin().unwrap();
        let faults = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../faults");
        let mut cases = of_directory(&faults, &catalogue).unwrap();
        cases.sort_by(|left, right| left.id.cmp(&right.id));
        assert_eq!(cases, of_catalogue(&catalogue));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(read("x", "fault = \"a.b\"").unwrap_err().contains("inject"));
        assert!(read("x", "expect = []").unwrap_err().contains("fault"));
        let elsewhere = CASE.replace("guest", "moon");
        assert!(read("x", &elsewhere).unwrap_err().contains("where"));
    }

    #[test]
    fn files_are_found_below_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        for name in ["b/2.toml", "a.toml", "c.txt"] {
            fs::write(dir.path().join(name), CASE).unwrap();
        }
        let ids: Vec<String> = of_directory(dir.path(), &Catalogue::default())
            .unwrap()
            .into_iter()
            .map(|case| case.id)
            .collect();
        assert_eq!(ids, ["a", "b/2"]);
    }
}
