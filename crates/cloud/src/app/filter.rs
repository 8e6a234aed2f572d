//! `$filter`: the part of OData that ARM's lists of groups and resources take.
//!
//! ```text
//! or    := and { "or" and }
//! and   := not { "and" not }
//! not   := "not" not | "(" or ")" | call | field ("eq" | "ne") 'text'
//! call  := ("startswith" | "endswith" | "contains") "(" field "," 'text' ")"
//!        | "substringof" "(" 'text' "," field ")"
//! ```
//!
//! Fields and texts are compared without regard to case. What is said of `tagName`
//! and `tagValue` is said of one and the same tag.

use super::Problem;

/// How deep parentheses and `not` may be nested.
const DEPTH: usize = 32;

/// A filter, read.
#[derive(Debug, PartialEq)]
pub(super) struct Filter(Option<Term>);

#[derive(Debug, PartialEq)]
enum Term {
    Either(Box<Term>, Box<Term>),
    Both(Box<Term>, Box<Term>),
    Not(Box<Term>),
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

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
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
        if text.trim().is_empty() {
            return Ok(Self(None));
        }
        let tokens = tokens(text).ok_or_else(refused)?;
        let mut parser = Parser { tokens: &tokens, fields };
        let term = parser.either(0).filter(|_| parser.tokens.is_empty());
        term.map(|term| Self(Some(term))).ok_or_else(refused)
    }

    /// Whether it lets through what has `field` for each of its fields, and `tags`.
    pub(super) fn lets_through(
        &self,
        field: impl Fn(&str) -> String,
        tags: &[(&str, &str)],
    ) -> bool {
        let Some(term) = &self.0 else { return true };
        let with = |name: &str, value: &str| {
            term.holds(&|asked| match asked {
                "tagname" => name.to_owned(),
                "tagvalue" => value.to_owned(),
                other => field(other),
            })
        };
        with("", "") || tags.iter().any(|(name, value)| with(name, value))
    }
}

impl Term {
    fn holds(&self, field: &impl Fn(&str) -> String) -> bool {
        match self {
            Self::Either(one, other) => one.holds(field) || other.holds(field),
            Self::Both(one, other) => one.holds(field) && other.holds(field),
            Self::Not(term) => !term.holds(field),
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

struct Parser<'a> {
    tokens: &'a [Token],
    fields: &'a [&'a str],
}

impl Parser<'_> {
    fn either(&mut self, depth: usize) -> Option<Term> {
        let mut term = self.both(depth)?;
        while self.word("or") {
            term = Term::Either(Box::new(term), Box::new(self.both(depth)?));
        }
        Some(term)
    }

    fn both(&mut self, depth: usize) -> Option<Term> {
        let mut term = self.not(depth)?;
        while self.word("and") {
            term = Term::Both(Box::new(term), Box::new(self.not(depth)?));
        }
        Some(term)
    }

    fn not(&mut self, depth: usize) -> Option<Term> {
        if depth > DEPTH {
            return None;
        }
        if self.word("not") {
            return Some(Term::Not(Box::new(self.not(depth + 1)?)));
        }
        match self.next()? {
            Token::Open => {
                let term = self.either(depth + 1)?;
                self.expect(&Token::Close)?;
                Some(term)
            }
            Token::Word(word) => self.condition(&word.to_lowercase()),
            _ => None,
        }
    }

    fn condition(&mut self, word: &str) -> Option<Term> {
        let relation = match word {
            "startswith" => Relation::Begins,
            "endswith" => Relation::Ends,
            "contains" => Relation::Contains,
            "substringof" => {
                self.expect(&Token::Open)?;
                let text = self.text()?;
                self.expect(&Token::Comma)?;
                let name = self.field()?;
                self.expect(&Token::Close)?;
                return Some(Term::Holds(Relation::Contains, name, text));
            }
            name => {
                let relation = if self.word("eq") {
                    Relation::Equals
                } else if self.word("ne") {
                    Relation::Differs
                } else {
                    return None;
                };
                let name = self.known(name)?;
                return Some(Term::Holds(relation, name, self.text()?));
            }
        };
        self.expect(&Token::Open)?;
        let name = self.field()?;
        self.expect(&Token::Comma)?;
        let text = self.text()?;
        self.expect(&Token::Close)?;
        Some(Term::Holds(relation, name, text))
    }

    fn field(&mut self) -> Option<String> {
        match self.next()? {
            Token::Word(word) => self.known(&word.to_lowercase()),
            _ => None,
        }
    }

    fn known(&self, name: &str) -> Option<String> {
        self.fields.contains(&name).then(|| name.to_owned())
    }

    fn text(&mut self) -> Option<String> {
        match self.next()? {
            Token::Text(text) => Some(text.to_lowercase()),
            _ => None,
        }
    }

    fn word(&mut self, wanted: &str) -> bool {
        let there = matches!(
            self.tokens.first(),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted)
        );
        if there {
            self.tokens = &self.tokens[1..];
        }
        there
    }

    fn expect(&mut self, wanted: &Token) -> Option<()> {
        (self.next()? == *wanted).then_some(())
    }

    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }
}

/// The words of a filter; a quote within a text is written twice.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
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
            c if c.is_alphanumeric() => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || *c == '/') {
                    word.push(c);
                }
                tokens.push(Token::Word(word));
            }
            _ => return None,
        }
    }
    Some(tokens)
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
