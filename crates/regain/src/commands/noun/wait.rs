//! `wait`: until a resource is what the operator waits for.

use std::time::Duration;

use serde_json::Value;

use super::ids;
use crate::args::noun::{Conditions, Noun, Wait};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;
use crate::shape::flat;

/// Waits for what was named.
pub(in crate::commands) async fn wait<N: Noun>(
    args: Wait<N>,
    context: &Context,
) -> Result<Answer, Failure> {
    let session = context.sign_in().await?;
    for place in ids(&args.target, &session)? {
        until(&args.until, &session, &place.path::<N>(), flat).await?;
    }
    Ok(Answer::done())
}

/// Polls the document at `path`, in the shape that az's command prints, until a
/// condition holds.
pub(in crate::commands) async fn until(
    conditions: &Conditions,
    session: &Session,
    path: &str,
    shape: fn(Value) -> Value,
) -> Result<(), Failure> {
    let Conditions { created, updated, deleted, exists, custom, interval, timeout } =
        conditions;
    if !(*created || *updated || *deleted || *exists || custom.is_some()) {
        return Err(Failure::new(
            "incorrect usage: --created | --updated | --deleted | --exists | --custom JMESPATH",
        ));
    }
    for _ in 0..timeout.div_ceil(*interval) {
        match session.client.get(path).await {
            Ok(_) if *exists => return Ok(()),
            Ok(document) => {
                let state =
                    document["properties"]["provisioningState"].as_str().unwrap_or("");
                if state.eq_ignore_ascii_case("failed") {
                    return Err(Failure::new("The operation failed"));
                }
                let succeeded = state.eq_ignore_ascii_case("succeeded");
                let document = shape(document);
                let holds = match custom {
                    Some(query) => is_true(
                        &query
                            .search(&document)
                            .map_err(|error| Failure::new(error.to_string()))?,
                    ),
                    None => false,
                };
                if (*created || *updated) && succeeded || holds {
                    return Ok(());
                }
            }
            Err(error) if error.is_not_found() => {
                if *deleted {
                    return Ok(());
                }
                if !(*created || *exists || custom.is_some()) {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(Duration::from_secs(*interval)).await;
    }
    Err(Failure::new(format!("Wait operation timed-out after {timeout} seconds")))
}

/// Truth as Python sees it.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
