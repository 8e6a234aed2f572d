//! `vm extension set`

use std::fs;

use arm::Method;
use serde_json::{Map, Value, json};

use crate::api::{self, COMPUTE};
use crate::args::vm::SetExtension;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::shape::flat;

pub(in crate::commands::vm) async fn run(
    args: SetExtension,
    context: &Context,
) -> Result<Answer, Failure> {
    let mut properties = Map::new();
    let mut set = |key: &str, value: Value| properties.insert(key.to_owned(), value);
    set("publisher", args.publisher.as_str().into());
    set("type", args.name.as_str().into());
    set("typeHandlerVersion", args.version.as_deref().unwrap_or("1.5").into());
    set("autoUpgradeMinorVersion", true.into());
    if let Some(text) = &args.settings {
        set("settings", settings("--settings", text)?);
    }
    if let Some(text) = &args.protected_settings {
        set("protectedSettings", settings("--protected-settings", text)?);
    }
    if args.force_update {
        set("forceUpdateTag", uuid::Uuid::new_v4().to_string().into());
    }

    let session = context.sign_in().await?;
    let vm = session.vm(&args.vm.group, &args.vm.vm_name)?;
    let location = session.client.get(&api::path(&vm, COMPUTE)).await?["location"].take();
    let name = args.extension_instance_name.as_deref().unwrap_or(&args.name);
    let path = api::path(&super::id(&session, &args.vm, name)?, COMPUTE);
    let body = json!({ "location": location, "properties": properties });
    let operation = session.client.begin(Method::PUT, &path, Some(&body)).await?;
    if args.no_wait {
        return Ok(Answer::done());
    }
    Ok(Answer::new(flat(operation.wait().await?)))
}

/// JSON, or the file that holds it: `@FILE`, or a path. az also takes Python's
/// `True`, `False` and `None`, which its users have in their runbooks.
fn settings(flag: &str, text: &str) -> Result<Value, Failure> {
    let path = text.strip_prefix('@').unwrap_or(text);
    let content = if text.trim_start().starts_with('{') {
        text.to_owned()
    } else {
        fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("{flag}: neither JSON nor a file that can be read"))
                .because(error)
        })?
    };
    // What is wrong is said by its place: the text itself may be secret.
    let value: Value = serde_json::from_str(&content)
        .or_else(|_| serde_json::from_str(&without_python(&content)))
        .map_err(|error| {
            Failure::usage(format!(
                "{flag}: not JSON at line {}, column {}",
                error.line(),
                error.column()
            ))
        })?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Failure::usage(format!("{flag}: not an object")))
    }
}

/// Python's words for JSON's, outside of strings.
fn without_python(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            out.push('"');
        }
        // Escaped quotes make this count wrong; such a text is then refused,
        // never misread, because only these words are ever replaced.
        if at % 2 == 0 {
            out.push_str(
                &part
                    .replace("True", "true")
                    .replace("False", "false")
                    .replace("None", "null"),
            );
        } else {
            out.push_str(part);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pythons_words_are_understood_as_az_does() {
        let value = settings("--settings", r#"{"reset_ssh":True, "x":"True", "y":None}"#)
            .unwrap();
        assert_eq!(value, json!({"reset_ssh": true, "x": "True", "y": null}));
    }

    #[test]
    fn a_secret_is_not_repeated_in_the_error() {
        let failure =
            settings("--protected-settings", r#"{"password": hunter2}"#).unwrap_err();
        assert_eq!(
            failure.chain(),
            "--protected-settings: not JSON at line 1, column 14"
        );
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn a_list_is_no_settings() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "[1]").unwrap();
        assert!(settings("--settings", &format!("@{}", file.path().display())).is_err());
    }
}
