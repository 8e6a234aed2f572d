//! What can be wrong with a file of knowledge.

use crate::fault::ExpressionError;
use crate::symptom::UnknownSymptom;

/// What is wrong with a file of faults, states or repairs.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// It is not TOML, or has a field too many or too few.
    #[error("{file} is not a fault's file")]
    Toml {
        /// The file.
        file: String,
        /// What TOML's reader says, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// An expression does not compile.
    #[error("{file}: {field}")]
    Expression {
        /// The file.
        file: String,
        /// The field, with the name of what it belongs to.
        field: String,
        /// The expression and what is wrong with it.
        #[source]
        source: ExpressionError,
    },
    /// A symptom does not exist.
    #[error("{file}: {field}")]
    Symptom {
        /// The file.
        file: String,
        /// The field, with the name of what it belongs to.
        field: String,
        /// The word.
        #[source]
        source: UnknownSymptom,
    },
    /// A field has a value that makes no sense there.
    #[error("{file}: {field}: {problem}")]
    Field {
        /// The file.
        file: String,
        /// The field, with the name of what it belongs to.
        field: String,
        /// What is wrong, in one sentence.
        problem: String,
    },
}
