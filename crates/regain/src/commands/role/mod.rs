//! `role`: role definitions, and who has a role where.

pub(super) mod assignment;
mod definition;
pub(super) mod directory;

use serde_json::{Map, Value};

use crate::args::role::{Role, Scope};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Answer;
use crate::session::Session;
use crate::shape;

pub(super) async fn run(role: Role, context: &Context) -> Result<Answer, Failure> {
    match role {
        Role::Assignment(args) => assignment::run(args, context).await,
        Role::Definition(args) => definition::run(args, context).await,
    }
}

/// The scope that was named; the subscription if none was.
fn scope(scope: &Scope, session: &Session) -> Result<String, Failure> {
    match (&scope.scope, &scope.group) {
        (Some(_), Some(group)) => Err(Failure::new(format!(
            "Resource group \"{group}\" is redundant because scope is supplied"
        ))),
        (Some(scope), None) if scope.is_empty() => Err(Failure::new(
            "usage error: --scope can't be an empty string. Either omit it or provide a \
             non-empty string.",
        )),
        (Some(scope), None) => Ok(scope.trim_end_matches('/').to_owned()),
        (None, group) => Ok(session.scope(group.as_deref())?.to_string()),
    }
}

/// A document as az's model of it has it: the envelope, then `keys` of its
/// properties (under a second name where there are two), null where there is
/// nothing.
fn modelled(mut document: Value, keys: &[(&str, &str)]) -> Map<String, Value> {
    let mut out = Map::new();
    for key in ["id", "name", "type", "systemData"] {
        out.insert(key.to_owned(), document[key].take());
    }
    for (arm, az) in keys {
        let value = document["properties"][*arm].take();
        let is_time = matches!(*arm, "createdOn" | "updatedOn");
        let value = if is_time { shape::python_time(&value) } else { value };
        out.insert((*az).to_owned(), value);
    }
    out
}
