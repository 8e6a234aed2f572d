//! OData filters, as far as clients of ARM and Graph write them: terms joined by
//! `and`; comparisons, functions, and `any` over a list.

/// One term of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// `field eq 'value'`; the operator is `eq`, `ne`, `ge`, `gt`, `le` or `lt`, in
    /// lower case. The value's quotes may be missing.
    Compare(String, String, String),
    /// `name(argument, …)`, as in `atScope()` and `startswith(displayName,'x')`
    Call(String, Vec<String>),
    /// `field/any(x:x eq 'value')`
    Any(String, String),
}

/// The terms of a filter.
///
/// # Errors
/// What is not understood, in a sentence.
pub(crate) fn terms(filter: &str) -> Result<Vec<Term>, String> {
    split(filter).into_iter().map(|term| read(term.trim())).collect()
}

impl Term {
    /// The value if this is `field eq 'value'`; names are compared without case.
    pub(crate) fn equals(&self, field: &str) -> Option<&str> {
        match self {
            Self::Compare(name, operator, value)
                if operator == "eq" && name.eq_ignore_ascii_case(field) =>
            {
                Some(value)
            }
            _ => None,
        }
    }
}

/// The parts between the `and`s that stand outside of quotes and parentheses.
fn split(filter: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut depth, mut quoted) = (0, 0_u32, false);
    for (at, byte) in filter.bytes().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth = depth.saturating_sub(1),
            b' ' if !quoted
                && depth == 0
                && at >= from
                && filter
                    .as_bytes()
                    .get(at..at + 5)
                    .is_some_and(|word| word.eq_ignore_ascii_case(b" and ")) =>
            {
                parts.push(&filter[from..at]);
                from = at + 5;
            }
            _ => {}
        }
    }
    parts.push(filter.get(from..).unwrap_or_default());
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn read(term: &str) -> Result<Term, String> {
    let not_understood = || format!("'{term}' is not understood in a filter");
    if let Some((field, inner)) = term.split_once("/any(") {
        let value = inner.trim_end_matches(')').split(" eq ").nth(1);
        let value = value.ok_or_else(not_understood)?;
        return Ok(Term::Any(field.to_owned(), plain(value)));
    }
    if let Some((name, arguments)) =
        term.strip_suffix(')').and_then(|term| term.split_once('('))
    {
        let arguments = arguments.split(',').map(plain).filter(|one| !one.is_empty());
        return Ok(Term::Call(name.trim().to_owned(), arguments.collect()));
    }
    let mut words = term.splitn(3, char::is_whitespace);
    let (Some(field), Some(operator), Some(value)) =
        (words.next(), words.next(), words.next())
    else {
        return Err(not_understood());
    };
    let operator = operator.to_ascii_lowercase();
    if !matches!(operator.as_str(), "eq" | "ne" | "ge" | "gt" | "le" | "lt") {
        return Err(not_understood());
    }
    Ok(Term::Compare(field.to_owned(), operator, plain(value)))
}

/// A value without its quotes; a doubled quote inside means one.
fn plain(value: &str) -> String {
    let value = value.trim();
    match value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')) {
        Some(quoted) => quoted.replace("''", "'"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_write_is_read() {
        let compare = |field: &str, operator: &str, value: &str| {
            Term::Compare(field.to_owned(), operator.to_owned(), value.to_owned())
        };
        let call = |name: &str, arguments: &[&str]| {
            Term::Call(
                name.to_owned(),
                arguments.iter().map(|&one| one.to_owned()).collect(),
            )
        };
        for (filter, read) in [
            ("", vec![]),
            ("atScope()", vec![call("atScope", &[])]),
            (
                "atScope() and assignedTo('a-b')",
                vec![call("atScope", &[]), call("assignedTo", &["a-b"])],
            ),
            ("principalId EQ 'x'", vec![compare("principalId", "eq", "x")]),
            (
                "displayName eq 'sand and ''sea'''",
                vec![compare("displayName", "eq", "sand and 'sea'")],
            ),
            (
                "startswith(displayName,'a')",
                vec![call("startswith", &["displayName", "a"])],
            ),
            (
                "servicePrincipalNames/any(c:c eq 'x')",
                vec![Term::Any("servicePrincipalNames".to_owned(), "x".to_owned())],
            ),
            (
                "eventTimestamp ge 2026-01-01T00:00:00Z AND status eq Failed",
                vec![
                    compare("eventTimestamp", "ge", "2026-01-01T00:00:00Z"),
                    compare("status", "eq", "Failed"),
                ],
            ),
        ] {
            assert_eq!(terms(filter).unwrap(), read, "{filter}");
        }
        assert!(terms("a or b").is_err());
        assert!(terms("nonsense").is_err());
    }
}
