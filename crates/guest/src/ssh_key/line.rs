//! One line of `authorized_keys`: `[options] type base64 [comment]`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::blob::{self, KeyType};
use super::{KeyError, PublicKey};

/// Type names that are recognised only to say why they are refused.
const REFUSED: [(&str, &str); 2] = [
    ("ssh-dss", "which current servers no longer accept"),
    ("ssh-rsa1", "which no current server knows"),
];

pub(super) fn parse(line: &str) -> Result<PublicKey, KeyError> {
    if let Some(key) = typed(line) {
        return key.map(|(kind, blob, comment)| PublicKey {
            options: None,
            kind,
            blob,
            comment,
        });
    }
    let (options, rest) = split_options(line)?;
    let (kind, blob, comment) = typed(rest.trim_start()).ok_or(KeyError::Unknown)??;
    Ok(PublicKey { options: Some(options.to_owned()), kind, blob, comment })
}

type Typed = (KeyType, Vec<u8>, String);

/// `None`: the first word is no key type.
fn typed(text: &str) -> Option<Result<Typed, KeyError>> {
    let (name, rest) = first_word(text);
    if let Some((kind, reason)) = REFUSED.into_iter().find(|(kind, _)| *kind == name) {
        return Some(Err(KeyError::Refused { kind, reason }));
    }
    if name.ends_with("-cert-v01@openssh.com") {
        return Some(Err(KeyError::Refused {
            kind: "OpenSSH certificate",
            reason: "which authorized_keys does not accept",
        }));
    }
    let kind = KeyType::from_name(name)?;
    let (encoded, comment) = first_word(rest);
    if encoded.is_empty() {
        return Some(Err(KeyError::TypeOnly(kind.name())));
    }
    let decoded = STANDARD.decode(encoded).map_err(|e| KeyError::Damaged {
        kind: kind.name(),
        reason: format!("it is not base64: {e}"),
    });
    Some(decoded.and_then(|bytes| {
        blob::check(kind, &bytes)?;
        let comment: String =
            comment.trim().chars().filter(|c| !c.is_control()).collect();
        Ok((kind, bytes, comment))
    }))
}

fn first_word(text: &str) -> (&str, &str) {
    text.split_once([' ', '\t'])
        .map_or((text, ""), |(word, rest)| (word, rest.trim_start()))
}

/// Splits at the first blank outside double quotes, as sshd does.
fn split_options(line: &str) -> Result<(&str, &str), KeyError> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in line.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => {
                let options = &line[..at];
                let rest = &line[at..];
                // A word that could not be an option means: no options at all.
                let plausible = options.starts_with(|c: char| c.is_ascii_alphabetic())
                    && typed(rest.trim_start()).is_some();
                return if plausible {
                    Ok((options, rest))
                } else {
                    Err(KeyError::Unknown)
                };
            }
            _ => {}
        }
    }
    if quoted && line.contains('=') {
        return Err(KeyError::Options("a double quote is not closed"));
    }
    Err(KeyError::Unknown)
}
