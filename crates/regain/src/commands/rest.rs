//! `rest`: a request of one's own, sent and shown as it is.

use std::fs;

use arm::{Method, Raw};
use serde_json::Value;

use crate::api;
use crate::args::rest::Rest;
use crate::context::Context;
use crate::failure::Failure;
use crate::file_or_text;
use crate::output::Answer;

pub(super) async fn run(args: Rest, context: &Context) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    let mut url = args.url.replace("{subscriptionId}", &session.subscription);
    if !url.contains("://") {
        // Not a second host, whatever stands in front.
        url = format!("/{}", url.trim_start_matches('/'));
    }
    for (key, value) in pairs(&args.uri_parameters, "--uri-parameters")? {
        let separator = if url.contains('?') { '&' } else { '?' };
        url = format!("{url}{separator}{}={}", api::encoded(&key), api::encoded(&value));
    }
    let mut headers = pairs(&args.headers, "--headers")?;
    let body = match args.body.as_deref() {
        Some(body) => Some(file_or_text::text(body)?),
        None => None,
    };
    let is_json =
        body.as_deref().is_some_and(|body| serde_json::from_str::<Value>(body).is_ok());
    if is_json
        && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
    {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let method = Method::from_bytes(args.method.to_uppercase().as_bytes())
        .map_err(|error| Failure::usage("that is no HTTP method").because(error))?;
    let signed = !args.skip_authorization_header;
    let answer = session.client.send(Raw { method, url, headers, body, signed }).await?;
    let text = String::from_utf8_lossy(&answer.body);
    if !answer.ok {
        let reason = &answer.reason;
        return Err(Failure::new(if text.is_empty() {
            reason.clone()
        } else {
            format!("{reason}({text})")
        }));
    }
    if let Some(path) = &args.output_file {
        fs::write(path, &answer.body).map_err(|error| {
            Failure::new(format!("cannot write {}", path.display())).because(error)
        })?;
        return Ok(Answer::done());
    }
    if answer.body.is_empty() {
        return Ok(Answer::done());
    }
    match serde_json::from_slice(&answer.body) {
        Ok(document) => Ok(Answer::new(document)),
        Err(_) => {
            context.printer.note(
                "WARNING: Not a json response, outputting to stdout. For binary data suggest \
                 use \"--output-file\" to write to a file",
            );
            context.printer.pass_through(&answer.body, b"\n");
            Ok(Answer::done())
        }
    }
}

/// KEY=VALUE, or JSON objects of them, or files that hold such.
fn pairs(words: &[String], flag: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs = Vec::new();
    for word in words {
        let word = file_or_text::text(word)?;
        if let Ok(Value::Object(map)) = serde_json::from_str(&word) {
            pairs.extend(map.into_iter().map(|(key, value)| {
                let text =
                    value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (key, text)
            }));
        } else {
            let (key, value) = word.split_once('=').ok_or_else(|| {
                Failure::new(format!("{flag} takes KEY=VALUE or JSON, and not '{word}'"))
            })?;
            pairs.push((key.to_owned(), value.to_owned()));
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_words_or_json() {
        let words = ["a=1=2".to_owned(), r#"{"b": "x", "c": 3}"#.to_owned()];
        let pairs = pairs(&words, "--headers").unwrap();
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("a", "1=2"), ("b", "x"), ("c", "3")]);
    }
}
