//! What each JMESPath function takes: its arity and the types of its arguments,
//! as the specification's table has them.

use std::borrow::Cow;

use jmespath::ast::Ast;
use serde_json::Value;

use super::QueryError;
use super::evaluate::evaluate;

/// A type that a parameter asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Number,
    Text,
    Array,
    Object,
    /// An array whose items are all numbers, or all strings.
    Numbers,
    Texts,
    /// `&expression`, evaluated by the function on each item.
    Expression,
}

use Kind::{Any, Array, Expression, Number, Numbers, Object, Text, Texts};

/// The parameters of a function, each with the types that it takes.
pub(super) struct Signature {
    parameters: &'static [&'static [Kind]],
    /// The last parameter may be repeated.
    repeated: bool,
}

/// An argument, checked.
pub(super) enum Argument<'a> {
    Value(Cow<'a, Value>),
    Expression(&'a Ast),
}

/// The signature of the function of that name.
pub(super) fn of(name: &str) -> Option<Signature> {
    let parameters: &[&[Kind]] = match name {
        "abs" | "ceil" | "floor" => &[&[Number]],
        "avg" | "sum" => &[&[Numbers]],
        "contains" => &[&[Array, Text], &[Any]],
        "starts_with" | "ends_with" => &[&[Text], &[Text]],
        "join" => &[&[Text], &[Texts]],
        "keys" | "values" | "merge" => &[&[Object]],
        "length" => &[&[Text, Array, Object]],
        "map" => &[&[Expression], &[Array]],
        "max" | "min" | "sort" => &[&[Numbers, Texts]],
        "max_by" | "min_by" | "sort_by" => &[&[Array], &[Expression]],
        "reverse" => &[&[Text, Array]],
        "not_null" | "to_array" | "to_number" | "to_string" | "type" => &[&[Any]],
        _ => return None,
    };
    Some(Signature { parameters, repeated: matches!(name, "merge" | "not_null") })
}

impl Signature {
    /// Evaluates and checks the arguments of a call.
    pub(super) fn bind<'a>(
        &self,
        function: &str,
        arguments: &'a [Ast],
        data: &'a Value,
    ) -> Result<Vec<Argument<'a>>, QueryError> {
        let wanted = self.parameters.len();
        let fits =
            arguments.len() == wanted || (self.repeated && arguments.len() > wanted);
        if !fits {
            let more = if self.repeated { "at least " } else { "" };
            let plural = if wanted == 1 { "" } else { "s" };
            return Err(QueryError::Arity {
                function: function.to_owned(),
                expected: format!("{more}{wanted} argument{plural}"),
                received: arguments.len(),
            });
        }
        arguments
            .iter()
            .enumerate()
            .map(|(at, argument)| {
                let kinds = self.parameters[at.min(wanted - 1)];
                bind(function, argument, kinds, data)
            })
            .collect()
    }
}

fn bind<'a>(
    function: &str,
    argument: &'a Ast,
    kinds: &[Kind],
    data: &'a Value,
) -> Result<Argument<'a>, QueryError> {
    let mismatch = |received: String| QueryError::Type {
        function: function.to_owned(),
        expected: kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" or "),
        received,
    };
    match argument {
        Ast::Expref { ast, .. } if kinds == [Expression] => Ok(Argument::Expression(ast)),
        Ast::Expref { .. } => Err(mismatch("an expression".to_owned())),
        argument => {
            let value = evaluate(argument, data)?;
            if kinds.iter().any(|kind| kind.takes(&value)) {
                Ok(Argument::Value(value))
            } else {
                Err(mismatch(format!("{}: {value}", type_name(&value))))
            }
        }
    }
}

impl Kind {
    fn takes(self, value: &Value) -> bool {
        let all = |test: fn(&Value) -> bool| {
            value.as_array().is_some_and(|items| items.iter().all(test))
        };
        match self {
            Any => true,
            Number => value.is_number(),
            Text => value.is_string(),
            Array => value.is_array(),
            Object => value.is_object(),
            Numbers => all(Value::is_number),
            Texts => all(Value::is_string),
            Expression => false,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Any => "anything",
            Number => "a number",
            Text => "a string",
            Array => "an array",
            Object => "an object",
            Numbers => "an array of numbers",
            Texts => "an array of strings",
            Expression => "an expression",
        }
    }
}

/// The name that `type()` gives.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
