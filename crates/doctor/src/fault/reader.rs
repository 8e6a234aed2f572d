//! One file of knowledge being read: knows its name, for errors.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Doubt, Expression, FaultError};
use crate::lang::Text;

/// What in a case speaks against a fault, as a file says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DoubtTable {
    when: String,
    en: String,
    ja: String,
}

#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
}

impl Reader<'_> {
    pub(super) fn toml<T: DeserializeOwned>(self, text: &str) -> Result<T, FaultError> {
        toml::from_str(text).map_err(|source| FaultError::Toml {
            file: self.file.to_owned(),
            source: Box::new(source),
        })
    }

    pub(super) fn refuse(
        self,
        field: impl Into<String>,
        problem: impl Into<String>,
    ) -> FaultError {
        FaultError::Field {
            file: self.file.to_owned(),
            field: field.into(),
            problem: problem.into(),
        }
    }

    pub(super) fn expression(
        self,
        field: &str,
        source: &str,
    ) -> Result<Expression, FaultError> {
        Expression::compile(source).map_err(|source| FaultError::Expression {
            file: self.file.to_owned(),
            field: field.to_owned(),
            source,
        })
    }

    pub(super) fn optional(
        self,
        field: &str,
        source: Option<&String>,
    ) -> Result<Option<Expression>, FaultError> {
        source.map(|source| self.expression(field, source)).transpose()
    }

    pub(super) fn doubts(
        self,
        field: &str,
        tables: Vec<DoubtTable>,
    ) -> Result<Vec<Doubt>, FaultError> {
        let doubt = |table: DoubtTable| {
            let when = self.expression(field, &table.when)?;
            Ok(Doubt { when, text: Text { en: table.en, ja: table.ja } })
        };
        tables.into_iter().map(doubt).collect()
    }
}
