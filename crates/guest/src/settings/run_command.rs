//! Settings of Run Command (Microsoft.CPlat.Core.RunCommandLinux).

use std::time::Duration;

use serde_json::Value;

use super::SettingsError;
use super::field::{Section, wrong_type};

const KNOWN: [&str; 4] = ["commandId", "script", "parameters", "timeoutSeconds"];
/// Azure's limit for one run.
const TIME_LIMIT: Duration = Duration::from_secs(90 * 60);

/// One script to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCommand {
    /// The script's text.
    pub script: String,
    /// Arguments, in order.
    pub parameters: Vec<Parameter>,
    /// How long it may run; 90 minutes unless the settings say less or more.
    pub time_limit: Duration,
}

/// An argument of the script: `$1`, `$2`, ... and, if it has a name, also `$name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Empty, or the name of a shell variable.
    pub name: String,
    /// The value.
    pub value: String,
}

impl RunCommand {
    /// Checks the settings. Each key may be in the public or the protected section;
    /// the protected one wins.
    pub fn parse(
        public: Option<&Value>,
        protected: Option<&Value>,
    ) -> Result<RunCommand, SettingsError> {
        let public = Section::new("settings", public, &KNOWN)?;
        let protected = Section::new("protectedSettings", protected, &KNOWN)?;
        let find = |key| protected.get(key).or_else(|| public.get(key));
        let script = match find("script") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(lines)) => {
                let lines: Option<Vec<&str>> = lines.iter().map(Value::as_str).collect();
                lines
                    .ok_or(SettingsError::WrongType {
                        key: "script",
                        wanted: "a list of lines",
                        found: "a list of something else",
                    })?
                    .join("\n")
            }
            Some(other) => return Err(wrong_type("script", "a list of lines", other)),
            None => String::new(),
        };
        if script.trim().is_empty() {
            return Err(SettingsError::NoScript);
        }
        let parameters = match find("parameters") {
            Some(Value::Array(list)) => {
                list.iter().map(parameter).collect::<Result<Vec<_>, _>>()?
            }
            Some(other) => return Err(wrong_type("parameters", "a list", other)),
            None => Vec::new(),
        };
        let time_limit = match find("timeoutSeconds") {
            Some(value) => value
                .as_u64()
                .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs)
                .ok_or_else(|| {
                    wrong_type("timeoutSeconds", "a number of seconds", value)
                })?,
            None => TIME_LIMIT,
        };
        Ok(RunCommand { script, parameters, time_limit })
    }
}

fn parameter(value: &Value) -> Result<Parameter, SettingsError> {
    if let Value::String(text) = value {
        return Ok(Parameter { name: String::new(), value: text.clone() });
    }
    let section = Section::new("parameters", Some(value), &["name", "value"])?;
    let name = section.text("name")?.unwrap_or_default();
    let variable = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let valid =
        name.chars().all(variable) && !name.starts_with(|c: char| c.is_ascii_digit());
    if !valid {
        return Err(SettingsError::ParameterName(name.to_owned()));
    }
    let value = match section.get("value") {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(number @ (Value::Number(_) | Value::Bool(_))) => number.to_string(),
        Some(other) => return Err(wrong_type("value", "a string", other)),
    };
    Ok(Parameter { name: name.to_owned(), value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_and_parameters_are_read() {
        let public = json!({"script": ["echo $1", "echo $who"],
            "parameters": [{"name": "who", "value": "me"}, {"name": "", "value": "x"}, "y"]});
        let command = RunCommand::parse(Some(&public), None).expect("valid");
        assert_eq!(command.script, "echo $1\necho $who");
        let values: Vec<_> =
            command.parameters.iter().map(|p| p.value.as_str()).collect();
        assert_eq!(values, ["me", "x", "y"]);
        assert_eq!(command.time_limit, Duration::from_secs(5400));
    }

    #[test]
    fn unusable_settings_are_refused() {
        for settings in [
            json!({}),
            json!({"script": ["", " "]}),
            json!({"script": [1]}),
            json!({"script": "x", "parameters": [{"name": "a-b", "value": ""}]}),
            json!({"script": "x", "parameters": [{"name": "1", "value": ""}]}),
            json!({"script": "x", "timeoutSeconds": 0}),
            json!({"script": "x", "timeout": 5}),
        ] {
            assert!(RunCommand::parse(Some(&settings), None).is_err(), "{settings}");
        }
    }
}
