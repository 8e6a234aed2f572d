//! Cases of the gauntlet: what is broken, how, and what must be named.
//!
//! They come from the faults' own `inject` tables, or from TOML files of a
//! directory. `fault = ""` is a healthy variant: something is changed that does
//! not stop a login, and nothing may be named.

use std::fs;
use std::path::{Path, PathBuf};

use doctor::Catalogue;
use doctor::fault::Place;
use serde::Deserialize;

use crate::failure::Failure;

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    /// Its name: the fault's id, or the file's name.
    pub(crate) id: String,
    /// What may be named; empty for a healthy variant.
    pub(crate) expect: Vec<String>,
    pub(crate) place: Place,
    pub(crate) script: String,
    /// Diagnose this host name instead of the VM's address.
    pub(crate) host: Option<String>,
    /// Whether the repair must bring the login back.
    pub(crate) repairable: bool,
}

impl Case {
    /// Whether nothing is broken.
    pub(crate) fn is_healthy(&self) -> bool {
        self.expect.is_empty()
    }
}

#[derive(Deserialize)]
struct File {
    /// A fault's own file names the fault by its id.
    fault: Option<String>,
    id: Option<String>,
    inject: Option<Inject>,
    #[serde(default)]
    expect: Vec<String>,
    repairable: Option<bool>,
}

#[derive(Deserialize)]
struct Inject {
    r#where: Place,
    script: String,
    host: Option<String>,
    repairable: Option<bool>,
}

/// The cases of the catalogue: every fault that says how it is injected.
pub(crate) fn of_catalogue(catalogue: &Catalogue) -> Vec<Case> {
    catalogue
        .iter()
        .filter_map(|fault| {
            let inject = fault.inject.as_ref()?;
            Some(Case {
                id: fault.id.clone(),
                expect: vec![fault.id.clone()],
                place: inject.place,
                script: inject.script.clone(),
                host: inject.host.clone(),
                repairable: inject.repairable,
            })
        })
        .collect()
}

/// The cases of a directory and of those below it, by name.
pub(crate) fn of_directory(directory: &Path) -> Result<Vec<Case>, Failure> {
    let mut cases = Vec::new();
    for path in toml_files(directory)? {
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        let name = path.strip_prefix(directory).unwrap_or(&path).with_extension("");
        if let Some(case) = parse(&name.to_string_lossy(), &text)
            .map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?
        {
            cases.push(case);
        }
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

/// A fault's file that cannot be injected is no case.
fn parse(name: &str, text: &str) -> Result<Option<Case>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let from_fault = file.fault.is_none();
    let fault = file.fault.or(file.id).ok_or("`fault` is missing")?;
    let Some(inject) = file.inject else {
        return if from_fault {
            Ok(None)
        } else {
            Err("`[inject]` is missing".to_owned())
        };
    };
    let mut expect = file.expect;
    if !fault.is_empty() && !expect.contains(&fault) {
        expect.insert(0, fault.clone());
    }
    if fault.is_empty() && !expect.is_empty() {
        return Err("a healthy variant (`fault = \"\"`) can expect nothing".to_owned());
    }
    Ok(Some(Case {
        id: if from_fault { fault } else { name.to_owned() },
        expect,
        place: inject.r#where,
        script: inject.script,
        host: inject.host,
        repairable: file.repairable.or(inject.repairable).unwrap_or(true),
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

    #[test]
    fn a_case_expects_its_fault_and_whatever_else_is_right() {
        let case = parse("mine/bad", CASE).unwrap().unwrap();
        assert_eq!(case.id, "mine/bad");
        assert_eq!(case.expect, ["sshd.config-bad-option", "sshd.not-running"]);
        assert!(case.repairable);
    }

    #[test]
    fn a_healthy_variant_expects_nothing() {
        let text = CASE
            .replace("sshd.config-bad-option", "")
            .replace("\"sshd.not-running\"", "");
        assert!(parse("x", &text).unwrap().unwrap().is_healthy());
        let text = CASE.replace("sshd.config-bad-option", "");
        assert!(parse("x", &text).is_err());
    }

    #[test]
    fn a_faults_file_is_a_case_if_it_can_be_injected() {
        let text = CASE.replace("fault =", "id =");
        assert_eq!(parse("x", &text).unwrap().unwrap().id, "sshd.config-bad-option");
        assert_eq!(parse("x", "id = \"a.b\"").unwrap(), None);
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(parse("x", "fault = \"a.b\"").unwrap_err().contains("[inject]"));
        assert!(
            parse("x", "[inject]\nwhere = \"moon\"\nscript = \"\"")
                .unwrap_err()
                .contains("where")
        );
    }

    #[test]
    fn files_are_found_below_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        for name in ["b/2.toml", "a.toml", "c.txt"] {
            fs::write(dir.path().join(name), CASE).unwrap();
        }
        let ids: Vec<String> =
            of_directory(dir.path()).unwrap().into_iter().map(|case| case.id).collect();
        assert_eq!(ids, ["a", "b/2"]);
    }
}
