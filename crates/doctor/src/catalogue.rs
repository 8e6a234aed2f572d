//! All faults that a diagnosis knows: those of the binary, and the user's own.
//!
//! This crate does no I/O: the built-in files are text in the binary (see
//! `build.rs`), and whoever wants more reads the files and hands the texts in.

use std::collections::BTreeMap;

use crate::fault::{Fault, FaultError};

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// Faults by their id.
#[derive(Debug, Default)]
pub struct Catalogue {
    faults: BTreeMap<String, Fault>,
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

    /// Faults from files: their names (for errors) and their texts.
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
        let mut added = BTreeMap::new();
        for (file, text) in files {
            let fault = Fault::parse(&file, &text)?;
            if added.contains_key(&fault.id) {
                return Err(CatalogueError::Duplicate { file, id: fault.id });
            }
            added.insert(fault.id.clone(), fault);
        }
        self.faults.extend(added);
        self.check()
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
