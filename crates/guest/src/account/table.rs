//! An account file in the guest: read from there, and written back if it was changed.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use formats::accounts;

use crate::edit::{self, Attributes, EditError};
use crate::undo::{Journal, UndoError};

#[derive(Debug)]
pub(super) struct Table {
    path: &'static str,
    lines: accounts::Table,
}

impl Table {
    /// `None`: there is no such file.
    pub(super) fn read(
        root: &Path,
        path: &'static str,
    ) -> Result<Option<Table>, EditError> {
        let content = edit::read(root, path)?;
        Ok(content.map(|content| Table { path, lines: accounts::Table::parse(&content) }))
    }

    pub(super) fn save(
        &self,
        journal: &mut Journal,
        new: &Attributes,
    ) -> Result<(), UndoError> {
        if self.lines.is_changed() {
            journal.write(self.path, &self.lines.to_bytes(), new)?;
        }
        Ok(())
    }
}

impl Deref for Table {
    type Target = accounts::Table;

    fn deref(&self) -> &accounts::Table {
        &self.lines
    }
}

impl DerefMut for Table {
    fn deref_mut(&mut self) -> &mut accounts::Table {
        &mut self.lines
    }
}
