//! An error and everything below it, in one line.

use std::error::Error;

/// The error's text and that of each source, divided by colons. Display of an error
/// here does not repeat its source, so an operator needs all of them.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(source) = below {
        text.push_str(": ");
        text.push_str(&source.to_string());
        below = source.source();
    }
    text
}
