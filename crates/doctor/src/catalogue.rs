//! All faults that a diagnosis knows: those of the binary, and the user's own.
//!
//! This crate does no I/O: the built-in files are text in the binary (see
//! `build.rs`), and whoever wants more reads the files and hands the texts in.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::{panic, thread};

use crate::fault::{Fault, FaultError, Repair, Shared, State};

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// The file of states, in any directory.
const STATES: &str = "states.toml";
/// The file of shared repairs, in any directory.
const REPAIRS: &str = "repairs.toml";

/// Faults by their id, and what their files refer to.
#[derive(Debug, Default)]
pub struct Catalogue {
    faults: BTreeMap<String, Fault>,
    shared: Shared,
}

/// What is wrong with a set of faults.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// One file can not be read.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// Two files of one set have the same id.
    #[error("{file}: id: `{id}` is the id of another file, too")]
    Duplicate {
        /// The second file.
        file: String,
        /// The id.
        id: String,
    },
    /// A state or a shared repair has the name of another.
    #[error("{file}: `{id}` is there already: faults refer to it, so it is not replaced")]
    Taken {
        /// The file.
        file: String,
        /// The name.
        id: String,
    },
    /// A fault explains one that does not exist.
    #[error("`{id}` explains `{unknown}`, which is no fault")]
    UnknownConsequence {
        /// The fault.
        id: String,
        /// What it claims to explain.
        unknown: String,
    },
    /// A fault explains itself, so that it could never be the root.
    #[error("`{id}` explains itself through the faults that it explains")]
    Circle {
        /// The fault.
        id: String,
    },
}

impl Catalogue {
    /// The faults that come with the binary.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::parse(
            BUILTIN.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
        )
    }

    /// Faults from files: their names (for errors) and their texts. `states.toml` and
    /// `repairs.toml` are what the others refer to.
    pub fn parse(
        files: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        catalogue.extend(files)?;
        Ok(catalogue)
    }

    /// Adds faults from files. A file whose id is known already replaces that
    /// fault, so that an operator can correct a rule without a new release.
    pub fn extend(
        &mut self,
        files: impl Iterator<Item = (String, String)>,
    ) -> Result<(), CatalogueError> {
        let mut texts = Vec::new();
        for (file, text) in files {
            if named(&file, STATES) {
                self.add_states(&file, &text)?;
            } else if named(&file, REPAIRS) {
                self.add_repairs(&file, &text)?;
            } else {
                texts.push((file, text));
            }
        }
        let mut added = BTreeMap::new();
        for (file, fault) in self.read_all(&texts) {
            let fault = fault?;
            if added.contains_key(&fault.id) {
                return Err(CatalogueError::Duplicate {
                    file: file.clone(),
                    id: fault.id,
                });
            }
            added.insert(fault.id.clone(), fault);
        }
        self.faults.extend(added);
        self.check()
    }

    /// Reads a fault's file with this catalogue's states and repairs, and adds
    /// nothing.
    pub fn read(&self, file: &str, text: &str) -> Result<Fault, FaultError> {
        Fault::parse(file, text, &self.shared)
    }

    /// Reads faults on every core: their expressions are most of the time that a short
    /// diagnosis spends on itself.
    fn read_all<'a>(
        &self,
        texts: &'a [(String, String)],
    ) -> Vec<(&'a String, Result<Fault, FaultError>)> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let read = |part: &'a [(String, String)]| -> Vec<_> {
            part.iter().map(|(file, text)| (file, self.read(file, text))).collect()
        };
        let mut parts = texts.chunks(texts.len().div_ceil(cores).max(1));
        thread::scope(|scope| {
            let own = parts.next().unwrap_or_default();
            let others: Vec<_> =
                parts.map(|part| scope.spawn(move || read(part))).collect();
            let mut all = read(own);
            for other in others {
                // A thread that panicked leaves nothing to go on with.
                all.extend(other.join().unwrap_or_else(|why| panic::resume_unwind(why)));
            }
            all
        })
    }

    fn add_states(&mut self, file: &str, text: &str) -> Result<(), CatalogueError> {
        for state in State::parse_all(file, text, self.shared.states.len())? {
            let id = state.id.clone();
            if self.shared.states.insert(id.clone(), Arc::new(state)).is_some() {
                return Err(CatalogueError::Taken { file: file.to_owned(), id });
            }
        }
        Ok(())
    }

    fn add_repairs(&mut self, file: &str, text: &str) -> Result<(), CatalogueError> {
        for repair in Repair::parse_all(file, text)? {
            let id = repair.id.clone();
            if self.shared.repairs.insert(id.clone(), repair).is_some() {
                return Err(CatalogueError::Taken { file: file.to_owned(), id });
            }
        }
        Ok(())
    }

    /// Every state, in the order of the way in.
    pub fn states(&self) -> Vec<&State> {
        let mut states: Vec<&State> =
            self.shared.states.values().map(Arc::as_ref).collect();
        states.sort_by_key(|state| state.place);
        states
    }

    /// Every shared repair, by name.
    pub fn repairs(&self) -> impl Iterator<Item = &Repair> {
        self.shared.repairs.values()
    }

    /// A fault by its id.
    pub fn get(&self, id: &str) -> Option<&Fault> {
        self.faults.get(id)
    }

    /// All faults, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.values()
    }

    /// Every fault that `id` explains, directly or through others.
    pub(crate) fn consequences(&self, id: &str) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        let mut open: Vec<&Fault> = self.get(id).into_iter().collect();
        while let Some(fault) = open.pop() {
            for consequence in &fault.explains {
                if !found.contains(&consequence.as_str()) {
                    found.push(consequence);
                    open.extend(self.get(consequence));
                }
            }
        }
        found
    }

    /// Checks that `explains` names only known faults and never runs in a circle.
    fn check(&self) -> Result<(), CatalogueError> {
        for fault in self.iter() {
            if let Some(unknown) = fault.explains.iter().find(|id| self.get(id).is_none())
            {
                return Err(CatalogueError::UnknownConsequence {
                    id: fault.id.clone(),
                    unknown: unknown.clone(),
                });
            }
        }
        for fault in self.iter() {
            if self.consequences(&fault.id).contains(&fault.id.as_str()) {
                return Err(CatalogueError::Circle { id: fault.id.clone() });
            }
        }
        Ok(())
    }
}

/// Whether a path ends with a file of this name.
fn named(path: &str, name: &str) -> bool {
    Path::new(path).file_name().is_some_and(|file| file == name)
}
