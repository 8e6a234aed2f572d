//! `--query`: JMESPath over what a command prints.
//!
//! The `jmespath` crate parses; evaluation is ours, because the crate keeps
//! objects in sorted maps and a `--query '[].{Name:name, Id:id}'` must come out
//! in the order in which it was written.
//!
//! ```text
//! text ─ jmespath::parse ─ Ast ─ evaluate (tree) ─ functions (calls) ─ Value
//! ```

mod evaluate;
mod functions;
mod signature;

use std::fmt;

use jmespath::ast::Ast;
use serde_json::Value;

/// A query that has been parsed.
#[derive(Clone)]
pub(crate) struct Query {
    text: String,
    ast: Ast,
}

/// A query that cannot be parsed or carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueryError {
    /// The text is not JMESPath.
    #[error("invalid jmespath_type value: '{text}': {why}")]
    Syntax { text: String, why: String },
    /// There is no such function.
    #[error("Unknown function: {0}()")]
    UnknownFunction(String),
    /// A call has too few or too many arguments.
    #[error("Expected {expected} for function {function}(), received {received}")]
    Arity { function: String, expected: String, received: usize },
    /// An argument has the wrong type.
    #[error("In function {function}(), expected {expected}, received {received}")]
    Type { function: String, expected: String, received: String },
    /// A slice with step 0.
    #[error("Slice step cannot be 0")]
    SliceStep,
}

impl Query {
    /// Parses a query.
    pub(crate) fn parse(text: &str) -> Result<Self, QueryError> {
        let ast = jmespath::parse(text).map_err(|error| {
            let mut words = error.reason.to_string();
            words = words.trim().trim_start_matches("Parse error: ").to_owned();
            let why = format!("{words} (at character {})", error.offset);
            QueryError::Syntax { text: text.to_owned(), why }
        })?;
        Ok(Self { text: text.to_owned(), ast })
    }

    /// Asks a document.
    pub(crate) fn search(&self, document: &Value) -> Result<Value, QueryError> {
        evaluate::evaluate(&self.ast, document).map(std::borrow::Cow::into_owned)
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Query({:?})", self.text)
    }
}

#[cfg(test)]
mod tests;
