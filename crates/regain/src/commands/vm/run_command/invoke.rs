//! `vm run-command invoke`

use std::fs;

use arm::Method;
use serde_json::{Value, json};

use super::super::{side_by_side, targets};
use crate::api::{self, EXTENSION};
use crate::args::vm::Invoke;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;

pub(super) async fn run(args: Invoke, context: &Context) -> Result<Answer, Failure> {
    let body = json!({
        "commandId": args.command_id,
        "script": script(&args.scripts)?,
        "parameters": parameters(&args.parameters),
    });
    let vms = targets::read(&args.vm)?;
    let session = context.sign_in().await?;
    let vms = vms.of(&session)?;
    side_by_side::each(context, vms, |vm| {
        let (client, body, wait) = (session.client.clone(), body.clone(), !args.no_wait);
        async move {
            let path = api::below(&vm, "runCommand", EXTENSION);
            let operation = client.begin(Method::POST, &path, Some(&body)).await?;
            if wait { Ok(operation.wait().await?) } else { Ok(Value::Null) }
        }
    })
    .await
}

/// Each argument is a line; `@FILE` is every line of a file.
fn script(arguments: &[String]) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for argument in arguments {
        match argument.strip_prefix('@') {
            None => lines.push(argument.clone()),
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|error| {
                    Failure::usage(format!("cannot read the script {path}"))
                        .because(error)
                })?;
                lines.extend(text.lines().map(str::to_owned));
            }
        }
    }
    Ok(lines)
}

/// `NAME=VALUE`, or a value whose name is its place among those without one.
fn parameters(arguments: &[String]) -> Vec<Value> {
    let mut unnamed = 0;
    arguments
        .iter()
        .map(|argument| match argument.split_once('=') {
            Some((name, value)) => json!({ "name": name, "value": value }),
            None => {
                unnamed += 1;
                json!({ "name": format!("arg{unnamed}"), "value": argument })
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_lines() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "one\ntwo\n").unwrap();
        let arguments = ["id".to_owned(), format!("@{}", file.path().display())];
        assert_eq!(script(&arguments).unwrap(), ["id", "one", "two"]);
        assert_eq!(script(&["@/nonexistent".to_owned()]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn parameters_have_names() {
        assert_eq!(
            parameters(&["a=b=c".to_owned(), "x".to_owned()]),
            [json!({"name": "a", "value": "b=c"}), json!({"name": "arg1", "value": "x"})]
        );
    }
}
