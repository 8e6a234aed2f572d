//! Templates: parameters, a plan of resources, and the expressions in them.
//!
//! ```text
//! request ─ parameter (values, checked) ─ plan (loops, conditions, order)
//!                                           │ one resource after the other
//!                        state of others ─ scope (evaluation) ─ body ─ PUT
//! ```

mod expression;
mod function;
mod function_number;
mod function_text;
mod id;
mod parameter;
mod plan;
mod reference;
mod scope;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

pub(super) use parameter::is_secure;
pub(super) use plan::Plan;
pub(super) use scope::{Fault, Surroundings};

use crate::app::Problem;

/// A deployment's request: its template and the value of each parameter.
pub(super) fn read(
    body: &Map<String, Value>,
    around: &Surroundings,
) -> Result<(Value, Map<String, Value>), Problem> {
    let properties = match body.get("properties") {
        Some(Value::Object(properties)) => properties,
        _ => return Err(invalid("", "'properties' with a template is expected")),
    };
    for link in ["templateLink", "parametersLink"] {
        if properties.get(link).is_some_and(|link| !link.is_null()) {
            return Err(invalid(
                link,
                "this cloud fetches nothing from elsewhere; send the template itself",
            ));
        }
    }
    let template = match properties.get("template") {
        Some(template @ Value::Object(_)) => template.clone(),
        _ => return Err(invalid("template", "an object is expected")),
    };
    let given = properties.get("parameters").unwrap_or(&Value::Null);
    let values = parameter::values(&template, given, around).map_err(problem)?;
    Ok((template, values))
}

/// The parameters as ARM shows them: of secrets the type only.
pub(super) fn shown_parameters(template: &Value, values: &Map<String, Value>) -> Value {
    let declared = &template["parameters"];
    let shown = values.iter().map(|(name, value)| {
        let mut one = json!({ "type": parameter::shown_type(&declared[name]) });
        if !is_secure(&declared[name]) {
            one["value"] = value.clone();
        }
        (name.clone(), one)
    });
    Value::Object(shown.collect())
}

/// A fault as a problem. A state that is missing is asked for before.
pub(super) fn problem(fault: Fault) -> Problem {
    match fault {
        Fault::Wrong { place, why } => invalid(&place, &why),
        Fault::Needs(id) => Problem::ResourceNotFound { id },
    }
}

fn invalid(place: &str, why: &str) -> Problem {
    let at = if place.is_empty() { String::new() } else { format!(" (at '{place}')") };
    Problem::Invalid {
        code: "InvalidTemplate",
        message: format!("Deployment template validation failed: '{why}'{at}."),
        target: None,
    }
}
