//! Settings as operators keep them: JSON on the command line or in a file, also
//! with Python's `True`, `False`, `None` and single quotes, which az takes and
//! its users have in their runbooks.
//!
//! What is wrong is said by its place: the text itself may be secret.

mod literal;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::failure::Failure;

/// Reads the object that `flag` was given: JSON, `@FILE`, or a file's path.
pub(crate) fn read(flag: &str, text: &str) -> Result<Value, Failure> {
    let (text, place) = source(flag, text)?;
    let value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(_) => literal::parse(&text).map_err(|wrong| {
            Failure::usage(format!("{flag}: {wrong}{place}"))
                .next("settings are a JSON object, as in {\"reset_ssh\": true}")
        })?,
    };
    let kind = match value {
        Value::Object(_) => return Ok(value),
        Value::Array(_) => "a list",
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) => "a truth value",
        Value::Null => "nothing",
    };
    Err(Failure::usage(format!("{flag}: it is {kind}, and not an object{place}"))
        .next("settings are a JSON object, as in {\"reset_ssh\": true}"))
}

/// The text, and where it is from in words.
fn source(flag: &str, given: &str) -> Result<(String, String), Failure> {
    let path = given.strip_prefix('@').unwrap_or(given);
    let inline = given.trim_start().starts_with(['{', '[', '"', '\'']);
    if inline {
        return Ok((given.to_owned(), String::new()));
    }
    let path = expanded(path);
    let shown = path.display();
    let bytes = fs::read(&path).map_err(|error| {
        // What was typed may be a secret without its braces: it is not repeated
        // unless it was meant as a file.
        if given.starts_with('@') || error.kind() != std::io::ErrorKind::NotFound {
            Failure::usage(format!("{flag}: cannot read {shown}")).because(error)
        } else {
            Failure::usage(format!("{flag}: neither JSON nor a file that can be read"))
                .because(error)
        }
    })?;
    let place = format!(" in {shown}");
    let text = decoded(&bytes).ok_or_else(|| {
        Failure::usage(format!("{flag}: {shown} is not a text in UTF-8"))
    })?;
    if text.trim().is_empty() {
        return Err(Failure::usage(format!("{flag}: {shown} is empty")));
    }
    Ok((text, place))
}

/// UTF-8 with or without a mark, or UTF-16 with one, as PowerShell writes it.
fn decoded(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], word: fn([u8; 2]) -> u16| {
        let words: Vec<u16> =
            bytes.chunks_exact(2).map(|pair| word([pair[0], pair[1]])).collect();
        bytes.len().is_multiple_of(2).then(|| String::from_utf16(&words).ok())?
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => String::from_utf8(rest.to_vec()).ok(),
    }
}

fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests;
