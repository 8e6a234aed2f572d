//! Functions of texts.

use aws_lc_rs::digest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::function::{
    LONGEST, as_text, bounded, expected, integer, kind, one, string, two,
};

pub(super) fn call(name: &str, given: &[Value]) -> Option<Result<Value, String>> {
    let outcome = match name {
        "tolower" => one(given).and_then(|text| Ok(json!(string(text)?.to_lowercase()))),
        "toupper" => one(given).and_then(|text| Ok(json!(string(text)?.to_uppercase()))),
        "trim" => one(given).and_then(|text| Ok(json!(string(text)?.trim()))),
        "startswith" => ends(given, |text, part| text.starts_with(part)),
        "endswith" => ends(given, |text, part| text.ends_with(part)),
        "indexof" => place(given, |text, part| text.find(part)),
        "lastindexof" => place(given, |text, part| text.rfind(part)),
        "replace" => match given {
            [text, old, new] => replace(text, old, new),
            _ => Err(expected("three arguments", given)),
        },
        "split" => two(given).and_then(|(text, by)| split(text, by)),
        "join" => two(given).and_then(|(all, by)| join(all, by)),
        "substring" => substring(given),
        "padleft" => pad_left(given),
        "format" => format_text(given),
        "uniquestring" => unique_string(given),
        "guid" => guid(given),
        "uricomponent" => {
            one(given).and_then(|text| bounded(percent_encoded(string(text)?)))
        }
        "uri" => two(given).and_then(|(base, relative)| {
            let (base, relative) = (string(base)?, string(relative)?);
            bounded(format!(
                "{}/{}",
                base.trim_end_matches('/'),
                relative.trim_start_matches('/')
            ))
        }),
        _ => return None,
    };
    Some(outcome)
}

fn ends(given: &[Value], holds: fn(&str, &str) -> bool) -> Result<Value, String> {
    let (text, part) = two(given)?;
    Ok(json!(holds(&string(text)?.to_lowercase(), &string(part)?.to_lowercase())))
}

fn place(
    given: &[Value],
    find: fn(&str, &str) -> Option<usize>,
) -> Result<Value, String> {
    let (text, part) = two(given)?;
    if let Value::Array(all) = text {
        let at = all.iter().position(|one| one == part);
        return Ok(json!(at.map_or(-1, |at| i64::try_from(at).unwrap_or(i64::MAX))));
    }
    let (text, part) = (string(text)?.to_lowercase(), string(part)?.to_lowercase());
    let at = find(&text, &part).map(|at| text[..at].chars().count());
    Ok(json!(at.map_or(-1, |at| i64::try_from(at).unwrap_or(i64::MAX))))
}

fn replace(text: &Value, old: &Value, new: &Value) -> Result<Value, String> {
    let (text, old, new) = (string(text)?, string(old)?, string(new)?);
    if old.is_empty() {
        return Err("the text to replace is empty".to_owned());
    }
    let longest = text.matches(old).count().saturating_mul(new.len());
    if longest > LONGEST {
        return Err(format!("its value is longer than {LONGEST} bytes"));
    }
    bounded(text.replace(old, new))
}

/// By one delimiter, or by each of several.
fn split(text: &Value, by: &Value) -> Result<Value, String> {
    let text = string(text)?;
    let delimiters: Vec<&str> = match by {
        Value::Array(all) => all.iter().map(string).collect::<Result<_, _>>()?,
        one => vec![string(one)?],
    };
    let mut parts = vec![text];
    for delimiter in delimiters.into_iter().filter(|delimiter| !delimiter.is_empty()) {
        parts = parts.into_iter().flat_map(|part| part.split(delimiter)).collect();
    }
    Ok(json!(parts))
}

fn join(all: &Value, by: &Value) -> Result<Value, String> {
    let all = all
        .as_array()
        .ok_or_else(|| format!("an array is expected, {} is given", kind(all)))?;
    let by = string(by)?;
    let mut joined = String::new();
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            joined += by;
        }
        joined += &as_text(one);
        if joined.len() > LONGEST {
            break;
        }
    }
    bounded(joined)
}

fn substring(given: &[Value]) -> Result<Value, String> {
    let (text, from, length) = match given {
        [text, from] => (text, from, None),
        [text, from, length] => (text, from, Some(integer(length)?)),
        _ => return Err(expected("two or three arguments", given)),
    };
    let characters: Vec<char> = string(text)?.chars().collect();
    let outside = || {
        format!(
            "the part must be within the text, which has {} characters",
            characters.len()
        )
    };
    let from = usize::try_from(integer(from)?).map_err(|_| outside())?;
    let rest = characters.get(from..).ok_or_else(outside)?;
    let part = match length {
        None => rest,
        Some(length) => {
            let length = usize::try_from(length).map_err(|_| outside())?;
            rest.get(..length).ok_or_else(outside)?
        }
    };
    Ok(json!(part.iter().collect::<String>()))
}

fn pad_left(given: &[Value]) -> Result<Value, String> {
    let (text, width, with) = match given {
        [text, width] => (text, width, ' '),
        [text, width, with] => {
            let mut with = string(with)?.chars();
            match (with.next(), with.next()) {
                (Some(one), None) => (text, width, one),
                _ => return Err("one character to pad with is expected".to_owned()),
            }
        }
        _ => return Err(expected("two or three arguments", given)),
    };
    let text = as_text(text);
    let width = usize::try_from(integer(width)?).unwrap_or(0).min(LONGEST);
    let missing = width.saturating_sub(text.chars().count());
    bounded(std::iter::repeat_n(with, missing).collect::<String>() + &text)
}

/// `{0}` and `{0:D3}`; `{{` and `}}` stand for themselves.
fn format_text(given: &[Value]) -> Result<Value, String> {
    let (pattern, values) = given.split_first().ok_or("a text is expected")?;
    let pattern = string(pattern)?;
    let mut formatted = String::new();
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' if rest.next_if_eq(&'{').is_some() => formatted.push('{'),
            '}' => {
                rest.next_if_eq(&'}').ok_or("a '}' has no '{' before it")?;
                formatted.push('}');
            }
            '{' => {
                let mut inside = String::new();
                loop {
                    match rest.next() {
                        Some('}') => break,
                        Some(c) => inside.push(c),
                        None => return Err("a '{' has no '}' after it".to_owned()),
                    }
                }
                formatted += &placed(&inside, values)?;
            }
            c => formatted.push(c),
        }
        if formatted.len() > LONGEST {
            break;
        }
    }
    bounded(formatted)
}

fn placed(inside: &str, values: &[Value]) -> Result<String, String> {
    let (index, shape) = inside.split_once(':').unwrap_or((inside, ""));
    let value = index
        .trim()
        .parse::<usize>()
        .ok()
        .and_then(|index| values.get(index))
        .ok_or_else(|| format!("'{{{inside}}}' has no argument"))?;
    let zeros = match shape.strip_prefix(['D', 'd']) {
        Some(digits) => digits.parse().unwrap_or(0),
        None if shape.chars().all(|c| c == '0') => shape.len(),
        None => return Err(format!("'{{{inside}}}' has a shape that is not understood")),
    };
    let text = as_text(value);
    let missing = zeros.min(64).saturating_sub(text.len());
    Ok("0".repeat(missing) + &text)
}

/// Thirteen letters and digits that depend on the arguments and on nothing else.
/// Azure's are made otherwise, but nobody can know them beforehand either.
fn unique_string(given: &[Value]) -> Result<Value, String> {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let all: Vec<&str> = given.iter().map(string).collect::<Result<_, _>>()?;
    if all.is_empty() {
        return Err("arguments are expected".to_owned());
    }
    let hash = digest::digest(&digest::SHA256, all.join("-").as_bytes());
    let letters = hash.as_ref().iter().take(13);
    Ok(json!(
        letters
            .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
            .collect::<String>()
    ))
}

/// A UUID of version 5 in Azure's own namespace for it.
fn guid(given: &[Value]) -> Result<Value, String> {
    const NAMESPACE: Uuid = Uuid::from_u128(0x11fb_06fb_712d_4ddd_98c7_e71b_bd58_8830);
    let all: Vec<&str> = given.iter().map(string).collect::<Result<_, _>>()?;
    if all.is_empty() {
        return Err("arguments are expected".to_owned());
    }
    let mut named = NAMESPACE.as_bytes().to_vec();
    named.extend(all.join("-").as_bytes());
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &named);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    Ok(json!(uuid::Builder::from_sha1_bytes(bytes).into_uuid().to_string()))
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}
