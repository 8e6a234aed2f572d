//! The catalogue of faults: the binary's own, and those of `--faults`.

use std::fs;
use std::path::PathBuf;

use doctor::Catalogue;

use crate::failure::Failure;
use crate::lab::case::toml_files;

/// The built-in faults and those of these directories. A file whose id is
/// built in replaces that fault.
pub(crate) fn catalogue(directories: &[PathBuf]) -> Result<Catalogue, Failure> {
    let mut catalogue = Catalogue::builtin().map_err(|error| {
        Failure::new("the built-in faults are damaged").because(error)
    })?;
    for directory in directories {
        let mut files = Vec::new();
        for path in toml_files(directory)? {
            let text = fs::read_to_string(&path).map_err(|error| {
                Failure::usage(format!("cannot read {}", path.display())).because(error)
            })?;
            files.push((path.display().to_string(), text));
        }
        catalogue
            .extend(files.into_iter())
            .map_err(|error| Failure::usage(error.to_string()))?;
    }
    Ok(catalogue)
}
