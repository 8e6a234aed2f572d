//! OData filters, as clients of ARM and Graph write them.
//!
//! ```text
//! or    := and { "or" and }
//! and   := not { "and" not }
//! not   := "not" not | "(" or ")" | term
//! term  := field operator value
//!        | function "(" [ value { "," value } ] ")"
//!        | field "/any(" x ":" x "eq" value ")"
//! value := 'text' | word
//! ```
//!
//! [`parse`] reads all of it, but wants quotes around what is compared, as ARM does;
//! [`terms`] reads what is joined by `and` only, with quotes or without. What a field
//! or a function means is for the caller to say.

use super::Problem;

/// How deep parentheses and `not` may be nested.
const DEPTH: usize = 32;

/// A filter, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Either(Box<Expression>, Box<Expression>),
    Both(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Term(Term),
}

/// One condition of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// `field eq 'value'`; the operator is `eq`, `ne`, `ge`, `gt`, `le` or `lt`, in
    /// lower case.
    Compare(String, String, String),
    /// `name(argument, …)`, as in `atScope()` and `startswith(displayName,'x')`
    Call(String, Vec<String>),
    /// `field/any(x:x eq 'value')`
    Any(String, String),
}

/// The filter; `None`: an empty one.
///
/// # Errors
/// What is not understood, in a sentence.
pub(super) fn parse(filter: &str) -> Result<Option<Expression>, String> {
    read(filter, false)
}

fn read(filter: &str, bare: bool) -> Result<Option<Expression>, String> {
    let refused = || format!("'{filter}' is not understood as a filter");
    let tokens = tokens(filter).ok_or_else(refused)?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser { tokens: &tokens, bare };
    let read = parser.either(0).filter(|_| parser.tokens.is_empty());
    read.map(Some).ok_or_else(refused)
}

/// The terms of a filter that joins them by `and`.
///
/// # Errors
/// `UnsupportedFilter`, with what is not understood.
pub(super) fn terms(filter: &str) -> Result<Vec<Term>, Problem> {
    let mut terms = Vec::new();
    let mut left: Vec<Expression> =
        read(filter, true).map_err(unsupported)?.into_iter().collect();
    while let Some(expression) = left.pop() {
        match expression {
            Expression::Both(one, other) => left.extend([*other, *one]),
            Expression::Term(term) => terms.push(term),
            Expression::Either(..) | Expression::Not(_) => {
                return Err(unsupported(format!(
                    "only 'and' is understood in the filter '{filter}'"
                )));
            }
        }
    }
    Ok(terms)
}

/// A filter that is understood, but not here.
pub(super) fn unsupported(message: String) -> Problem {
    Problem::Invalid { code: "UnsupportedFilter", message, target: Some("$filter") }
}

impl Term {
    /// The value if this is `field eq 'value'`; names are compared without case.
    pub(super) fn equals(&self, field: &str) -> Option<&str> {
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

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
}

struct Parser<'a> {
    tokens: &'a [Token],
    /// Whether what is compared may stand without quotes.
    bare: bool,
}

impl Parser<'_> {
    fn either(&mut self, depth: usize) -> Option<Expression> {
        let mut all = self.both(depth)?;
        while self.word("or") {
            all = Expression::Either(Box::new(all), Box::new(self.both(depth)?));
        }
        Some(all)
    }

    fn both(&mut self, depth: usize) -> Option<Expression> {
        let mut all = self.not(depth)?;
        while self.word("and") {
            all = Expression::Both(Box::new(all), Box::new(self.not(depth)?));
        }
        Some(all)
    }

    fn not(&mut self, depth: usize) -> Option<Expression> {
        if depth > DEPTH {
            return None;
        }
        if self.word("not") {
            return Some(Expression::Not(Box::new(self.not(depth + 1)?)));
        }
        match self.next()? {
            Token::Open => {
                let inner = self.either(depth + 1)?;
                self.take(&Token::Close).then_some(inner)
            }
            Token::Word(word) => self.term(word).map(Expression::Term),
            _ => None,
        }
    }

    fn term(&mut self, word: String) -> Option<Term> {
        if self.take(&Token::Open) {
            return match word.strip_suffix("/any") {
                Some(field) => self.any(field),
                None => Some(Term::Call(word, self.arguments()?)),
            };
        }
        let Token::Word(operator) = self.next()? else { return None };
        let operator = operator.to_ascii_lowercase();
        let known = ["eq", "ne", "ge", "gt", "le", "lt"].contains(&operator.as_str());
        if !self.bare && !matches!(self.tokens.first(), Some(Token::Text(_))) {
            return None;
        }
        let value = self.value()?;
        known.then_some(Term::Compare(word, operator, value))
    }

    /// `x:x eq 'value')`
    fn any(&mut self, field: &str) -> Option<Term> {
        let Token::Word(bound) = self.next()? else { return None };
        let (name, used) = bound.split_once(':')?;
        if name != used || !self.word("eq") {
            return None;
        }
        let value = self.value()?;
        self.take(&Token::Close).then(|| Term::Any(field.to_owned(), value))
    }

    /// What stands up to the closing parenthesis.
    fn arguments(&mut self) -> Option<Vec<String>> {
        let mut arguments = Vec::new();
        if self.take(&Token::Close) {
            return Some(arguments);
        }
        loop {
            arguments.push(self.value()?);
            if self.take(&Token::Close) {
                return Some(arguments);
            }
            if !self.take(&Token::Comma) {
                return None;
            }
        }
    }

    fn value(&mut self) -> Option<String> {
        match self.next()? {
            Token::Text(value) | Token::Word(value) => Some(value),
            _ => None,
        }
    }

    fn word(&mut self, wanted: &str) -> bool {
        let is = |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted));
        self.take_if(is)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        self.take_if(|token| token == wanted)
    }

    fn take_if(&mut self, wanted: impl FnOnce(&Token) -> bool) -> bool {
        let there = self.tokens.first().is_some_and(wanted);
        if there {
            self.tokens = &self.tokens[1..];
        }
        there
    }

    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }
}

/// The words of a filter; a quote within a text is written twice.
fn tokens(filter: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = filter.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            ',' => tokens.push(Token::Comma),
            '\'' => {
                let mut content = String::new();
                loop {
                    match rest.next()? {
                        '\'' if rest.next_if_eq(&'\'').is_none() => break,
                        other => content.push(other),
                    }
                }
                tokens.push(Token::Text(content));
            }
            c if c.is_whitespace() => {}
            c if is_part_of_word(c) => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| is_part_of_word(*c)) {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
            _ => return None,
        }
    }
    Some(tokens)
}

/// Names of fields, and values without quotes: ids, times, numbers.
fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || "/:.+-_".contains(c)
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
                "eventTimestamp ge 2026-01-01T00:00:00Z AND (status eq Failed and a lt 'b')",
                vec![
                    compare("eventTimestamp", "ge", "2026-01-01T00:00:00Z"),
                    compare("status", "eq", "Failed"),
                    compare("a", "lt", "b"),
                ],
            ),
        ] {
            assert_eq!(terms(filter).unwrap(), read, "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = format!("{}name eq 'x'{}", "(".repeat(5000), ")".repeat(5000));
        for bad in [
            "a or b",
            "nonsense",
            "name eq x",
            "name is 'x'",
            "name eq 'x",
            "name eq 'x' and",
            "name eq 'x')",
            "names/any(a:b eq 'x')",
            "f('x' 'y')",
            "; drop table",
            "not",
            &deep,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn terms_are_joined_by_and_only() {
        for bad in ["a eq 'x' or b eq 'y'", "not a eq 'x'", "a eq 'x' and not b eq 'y'"] {
            assert!(parse(bad).is_ok(), "{bad}");
            assert!(terms(bad).is_err(), "{bad}");
        }
    }
}
