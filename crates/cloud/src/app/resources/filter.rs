//! `$filter` of ARM's lists of groups and resources.
//!
//! Conditions are `field eq 'text'`, `ne`, `startswith`, `endswith`, `contains` and
//! `substringof`. Fields and texts are compared without regard to case. What is said of
//! `tagName` and `tagValue` is said of one and the same tag.

use crate::app::Problem;
use crate::app::odata::{self, Expression, Term};

/// A filter, read.
#[derive(Debug, PartialEq)]
pub(super) struct Filter(Option<Condition>);

#[derive(Debug, PartialEq)]
enum Condition {
    Either(Box<Condition>, Box<Condition>),
    Both(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Holds(Relation, String, String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    Equals,
    Differs,
    Begins,
    Ends,
    Contains,
}

impl Filter {
    /// Reads a filter; each of its fields must be among `fields` (in lower case).
    /// An empty text lets everything through.
    pub(super) fn parse(text: &str, fields: &[&str]) -> Result<Self, Problem> {
        let refused = || Problem::Invalid {
            code: "InvalidFilterInQueryString",
            message: format!(
                "Invalid $filter '{text}' specified in the query string. Conditions such as \
                 \"name eq 'value'\", startswith() and substringof(), joined by 'and', 'or' \
                 and 'not', are understood, on the fields {}.",
                fields.join(", ")
            ),
            target: Some("$filter"),
        };
        let Some(expression) = odata::parse(text).map_err(|_| refused())? else {
            return Ok(Self(None));
        };
        let condition = Condition::read(expression, fields).ok_or_else(refused)?;
        Ok(Self(Some(condition)))
    }

    /// Whether it lets through what has `field` for each of its fields, and `tags`.
    pub(super) fn lets_through(
        &self,
        field: impl Fn(&str) -> String,
        tags: &[(&str, &str)],
    ) -> bool {
        let Some(condition) = &self.0 else { return true };
        let with = |name: &str, value: &str| {
            condition.holds(&|asked| match asked {
                "tagname" => name.to_owned(),
                "tagvalue" => value.to_owned(),
                other => field(other),
            })
        };
        with("", "") || tags.iter().any(|(name, value)| with(name, value))
    }
}

impl Condition {
    fn read(expression: Expression, fields: &[&str]) -> Option<Self> {
        let read = |inner: Box<Expression>| Self::read(*inner, fields).map(Box::new);
        Some(match expression {
            Expression::Either(one, other) => Self::Either(read(one)?, read(other)?),
            Expression::Both(one, other) => Self::Both(read(one)?, read(other)?),
            Expression::Not(inner) => Self::Not(read(inner)?),
            Expression::Term(term) => {
                let (relation, field, text) = relation(term)?;
                let field = field.to_lowercase();
                if !fields.contains(&field.as_str()) {
                    return None;
                }
                Self::Holds(relation, field, text.to_lowercase())
            }
        })
    }

    fn holds(&self, field: &impl Fn(&str) -> String) -> bool {
        match self {
            Self::Either(one, other) => one.holds(field) || other.holds(field),
            Self::Both(one, other) => one.holds(field) && other.holds(field),
            Self::Not(inner) => !inner.holds(field),
            Self::Holds(relation, name, text) => {
                let value = field(name).to_lowercase();
                match relation {
                    Relation::Equals => value == *text,
                    Relation::Differs => value != *text,
                    Relation::Begins => value.starts_with(text),
                    Relation::Ends => value.ends_with(text),
                    Relation::Contains => value.contains(text.as_str()),
                }
            }
        }
    }
}

/// The relation of a term, its field and its text.
fn relation(term: Term) -> Option<(Relation, String, String)> {
    match term {
        Term::Compare(field, operator, text) => match operator.as_str() {
            "eq" => Some((Relation::Equals, field, text)),
            "ne" => Some((Relation::Differs, field, text)),
            _ => None,
        },
        Term::Call(name, arguments) => {
            let [first, second] = <[String; 2]>::try_from(arguments).ok()?;
            match name.to_ascii_lowercase().as_str() {
                "startswith" => Some((Relation::Begins, first, second)),
                "endswith" => Some((Relation::Ends, first, second)),
                "contains" => Some((Relation::Contains, first, second)),
                "substringof" => Some((Relation::Contains, second, first)),
                _ => None,
            }
        }
        Term::Any(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 4] = ["name", "resourcetype", "tagname", "tagvalue"];

    fn lets_through(filter: &str) -> bool {
        let field = |name: &str| match name {
            "name" => "It's-VM1".to_owned(),
            _ => "Microsoft.Compute/virtualMachines".to_owned(),
        };
        let tags = [("env", "prod"), ("owner", "me")];
        Filter::parse(filter, &FIELDS).unwrap().lets_through(field, &tags)
    }

    #[test]
    fn conditions_are_understood_without_regard_to_case() {
        for (filter, expected) in [
            ("", true),
            ("Name eq 'it''s-vm1'", true),
            ("name ne 'it''s-vm1'", false),
            (
                "resourceType eq 'microsoft.compute/virtualmachines' and name eq 'x'",
                false,
            ),
            ("name eq 'x' or startswith(name, 'IT')", true),
            ("substringof('VM', name) and not (name eq 'x')", true),
            ("tagName eq 'ENV' and tagValue eq 'prod'", true),
            ("tagname eq 'env' and tagvalue eq 'me'", false),
            ("startswith(tagname, 'own')", true),
            ("contains(tagvalue, 'ro')", true),
        ] {
            assert_eq!(lets_through(filter), expected, "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = format!("{}name eq 'x'{}", "(".repeat(5000), ")".repeat(5000));
        for bad in [
            "name",
            "name eq x",
            "name eq 'x",
            "secret eq 'x'",
            "name eq 'x' and",
            "name eq 'x')",
            "; drop table",
            "not",
            "substringof(name, 'x')",
            &deep,
        ] {
            let refused = Filter::parse(bad, &FIELDS).unwrap_err();
            assert_eq!(refused.code(), "InvalidFilterInQueryString", "{bad}");
        }
    }
}
