//! Templates: lists of resources that name what they depend on.
//!
//! Of the expression language `parameters()`, `variables()` and `resourceId()` are
//! understood, as whole values; anything else is refused by name.

use arm::ResourceId;
use serde_json::{Map, Value, json};

use super::document::{items, text};
use super::{Call, Problem};

/// The template's resources with their expressions replaced, each after what it
/// depends on.
pub(super) fn resources_of(call: &Call) -> Result<Vec<Value>, Problem> {
    let body = Value::Object(call.object()?.clone());
    let properties = &body["properties"];
    if !properties["template"].is_object() {
        return Err(invalid(
            "properties.template is missing; templateLink is not supported",
        ));
    }
    let scope = Scope {
        deployment: &call.id,
        parameters: &properties["parameters"],
        defaults: &properties["template"]["parameters"],
        variables: &properties["template"]["variables"],
    };
    let mut resources = items(properties, "/template/resources")
        .map(|resource| scope.replace(resource))
        .collect::<Result<Vec<_>, _>>()?;
    in_order(&call.id, &mut resources)?;
    Ok(resources)
}

/// What expressions refer to.
struct Scope<'a> {
    deployment: &'a ResourceId,
    parameters: &'a Value,
    defaults: &'a Value,
    variables: &'a Value,
}

impl Scope<'_> {
    fn replace(&self, value: &Value) -> Result<Value, Problem> {
        Ok(match value {
            Value::String(text) => match text.strip_prefix('[') {
                Some(rest) if rest.starts_with('[') => json!(rest),
                Some(rest) if rest.ends_with(']') => {
                    self.evaluate(&rest[..rest.len() - 1])?
                }
                _ => value.clone(),
            },
            Value::Array(all) => Value::Array(
                all.iter().map(|one| self.replace(one)).collect::<Result<_, _>>()?,
            ),
            Value::Object(all) => {
                let replaced =
                    all.iter().map(|(key, one)| Ok((key.clone(), self.replace(one)?)));
                Value::Object(replaced.collect::<Result<Map<_, _>, Problem>>()?)
            }
            other => other.clone(),
        })
    }

    fn evaluate(&self, expression: &str) -> Result<Value, Problem> {
        let unsupported = || {
            invalid(format!(
                "The expression '[{expression}]' is not supported: parameters(), variables() and \
                 resourceId() are, as whole values"
            ))
        };
        let (function, rest) =
            expression.trim().split_once('(').ok_or_else(unsupported)?;
        let inside = rest.strip_suffix(')').ok_or_else(unsupported)?;
        let arguments: Vec<&str> = inside
            .split(',')
            .map(|one| {
                one.trim()
                    .strip_prefix('\'')
                    .and_then(|one| one.strip_suffix('\''))
                    .filter(|one| !one.contains('\''))
                    .ok_or_else(unsupported)
            })
            .collect::<Result<_, _>>()?;
        match (function.to_ascii_lowercase().as_str(), arguments.as_slice()) {
            ("parameters", [name]) => self.parameters[*name]
                .get("value")
                .or_else(|| self.defaults[*name].get("defaultValue"))
                .cloned()
                .ok_or_else(|| {
                    invalid(format!("The value for parameter '{name}' is missing"))
                }),
            ("variables", [name]) => match self.variables.get(*name) {
                Some(value) => self.replace(value),
                None => Err(invalid(format!("There is no variable '{name}'"))),
            },
            ("resourceid", [kind, names @ ..]) => {
                let names: Vec<String> =
                    names.iter().map(|name| (*name).to_owned()).collect();
                Ok(json!(named(self.deployment, kind, &names)?))
            }
            _ => Err(unsupported()),
        }
    }
}

/// The id of a template's resource.
pub(super) fn id_of(
    deployment: &ResourceId,
    resource: &Value,
) -> Result<ResourceId, Problem> {
    let kind =
        text(resource, "/type").ok_or_else(|| invalid("A resource has no type"))?;
    let name =
        text(resource, "/name").ok_or_else(|| invalid("A resource has no name"))?;
    let names: Vec<String> = name.split('/').map(str::to_owned).collect();
    named(deployment, kind, &names)
}

/// The id of a resource of type `A.B/c/d` with as many names, in the deployment's
/// group.
fn named(
    deployment: &ResourceId,
    kind: &str,
    names: &[String],
) -> Result<ResourceId, Problem> {
    let wrong =
        || invalid(format!("'{kind}' and '{}' do not fit together", names.join("/")));
    let mut kinds = kind.split('/');
    let namespace = kinds.next().unwrap_or_default();
    let group = deployment.group().unwrap_or_default();
    let mut path = format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/{namespace}",
        deployment.subscription()
    );
    let kinds: Vec<&str> = kinds.collect();
    if kinds.len() != names.len() {
        return Err(wrong());
    }
    for (kind, name) in kinds.iter().zip(names) {
        path = format!("{path}/{kind}/{name}");
    }
    ResourceId::parse(&path).map_err(|_| wrong())
}

/// Sorts resources so that each comes after what it depends on.
fn in_order(deployment: &ResourceId, resources: &mut Vec<Value>) -> Result<(), Problem> {
    let mut left: Vec<(ResourceId, Value)> = resources
        .drain(..)
        .map(|resource| Ok((id_of(deployment, &resource)?, resource)))
        .collect::<Result<_, Problem>>()?;
    while !left.is_empty() {
        let ready = left.iter().position(|(_, resource)| {
            !items(resource, "/dependsOn")
                .filter_map(Value::as_str)
                .any(|needed| left.iter().any(|(other, _)| means(needed, other)))
        });
        let Some(ready) = ready else {
            return Err(invalid("The resources depend on each other in a circle"));
        };
        resources.push(left.remove(ready).1);
    }
    Ok(())
}

/// Whether `dependsOn` text means a resource: its id, `type/name`, or its name.
fn means(needed: &str, id: &ResourceId) -> bool {
    let short = format!("{}/{}", id.resource_type(), id.name());
    needed.eq_ignore_ascii_case(id.as_str())
        || needed.eq_ignore_ascii_case(&short)
        || needed.eq_ignore_ascii_case(id.name())
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem::Invalid {
        code: "InvalidTemplate",
        message: format!("Deployment template validation failed: '{}'.", message.into()),
        target: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment() -> ResourceId {
        ResourceId::parse(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Resources/deployments/d",
        )
        .unwrap()
    }

    #[test]
    fn resources_come_after_what_they_depend_on() {
        let mut resources = vec![
            json!({ "type": "A.B/vms", "name": "v", "dependsOn": ["A.B/nics/n"] }),
            json!({ "type": "A.B/nics", "name": "n", "dependsOn": ["a.b/NETS/x"] }),
            json!({ "type": "A.B/nets", "name": "x" }),
        ];
        in_order(&deployment(), &mut resources).unwrap();
        let names: Vec<&str> =
            resources.iter().map(|r| r["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["x", "n", "v"]);
        let mut circle = vec![
            json!({ "type": "A.B/c", "name": "a", "dependsOn": ["b"] }),
            json!({ "type": "A.B/c", "name": "b", "dependsOn": ["a"] }),
        ];
        assert!(in_order(&deployment(), &mut circle).is_err());
    }

    #[test]
    fn parameters_are_replaced_and_other_expressions_refused() {
        let (parameters, none) = (json!({ "p": { "value": "secret" } }), Value::Null);
        let id = deployment();
        let scope = Scope {
            deployment: &id,
            parameters: &parameters,
            defaults: &none,
            variables: &none,
        };
        let replaced =
            scope.replace(&json!({ "a": ["[parameters('p')]", "[[x]"] })).unwrap();
        assert_eq!(replaced, json!({ "a": ["secret", "[x]"] }));
        let id = scope.replace(&json!("[resourceId('A.B/c', 'n')]")).unwrap();
        assert_eq!(id, "/subscriptions/s/resourceGroups/g/providers/A.B/c/n");
        assert!(scope.replace(&json!("[concat('a', 'b')]")).is_err());
        assert!(scope.replace(&json!("[parameters('missing')]")).is_err());
    }
}
