//! The template language's expressions: what stands between `[` and `]`.
//!
//! ```text
//! value   := primary { "." name | "[" value "]" }
//! primary := 'text' | number | name { "." name } "(" [ value { "," value } ] ")"
//! ```
//!
//! A quote within a text is written twice. Spaces count nowhere else.

use std::fmt;

/// How deep values may be nested in each other.
const DEPTH: usize = 64;

/// One expression, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// `'text'`
    Text(String),
    /// `12`
    Number(i64),
    /// `concat('a', 'b')`; the name in lower case.
    Call(String, Vec<Expression>),
    /// `….name`
    Property(Box<Expression>, String),
    /// `…[0]`
    Element(Box<Expression>, Box<Expression>),
}

/// What a string of a template is.
#[derive(Debug, PartialEq)]
pub(crate) enum Written {
    /// It stands for itself.
    Literal(String),
    /// It is to be evaluated.
    Expression(Expression),
}

/// Reads a string of a template: `[…]` is an expression, `[[…` a literal.
pub(crate) fn read(text: &str) -> Result<Written, String> {
    let Some(inside) = text.strip_prefix('[') else {
        return Ok(Written::Literal(text.to_owned()));
    };
    if inside.starts_with('[') {
        return Ok(Written::Literal(inside.to_owned()));
    }
    match inside.strip_suffix(']') {
        Some(expression) => parse(expression).map(Written::Expression),
        None => Ok(Written::Literal(text.to_owned())),
    }
}

/// Parses an expression, without its brackets.
pub(crate) fn parse(text: &str) -> Result<Expression, String> {
    let mut parser = Parser { text, at: 0 };
    let expression = parser.value(0)?;
    parser.spaces();
    if parser.at < text.len() {
        return Err(parser.unexpected());
    }
    Ok(expression)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > DEPTH {
            return Err(format!("it is nested deeper than {DEPTH} levels"));
        }
        let mut value = self.primary(depth)?;
        let mut links = 0;
        loop {
            self.spaces();
            if self.take('.') {
                self.spaces();
                value = Expression::Property(Box::new(value), self.name()?);
            } else if self.take('[') {
                let index = self.value(depth + 1)?;
                self.spaces();
                self.expect(']')?;
                value = Expression::Element(Box::new(value), Box::new(index));
            } else {
                return Ok(value);
            }
            links += 1;
            if links > DEPTH {
                return Err(format!("it has more than {DEPTH} properties in a row"));
            }
        }
    }

    fn primary(&mut self, depth: usize) -> Result<Expression, String> {
        self.spaces();
        match self.peek() {
            Some('\'') => self.string(),
            Some(c) if c.is_ascii_digit() || c == '-' => self.number(),
            Some(c) if is_first(c) => self.call(depth),
            _ => Err(self.unexpected()),
        }
    }

    fn string(&mut self) -> Result<Expression, String> {
        self.at += 1;
        let mut content = String::new();
        loop {
            match self.next() {
                None => return Err("a text has no closing quote".to_owned()),
                Some('\'') if !self.take('\'') => return Ok(Expression::Text(content)),
                Some(c) => content.push(c),
            }
        }
    }

    fn number(&mut self) -> Result<Expression, String> {
        let begin = self.at;
        self.take('-');
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = &self.text[begin..self.at];
        digits
            .parse()
            .map(Expression::Number)
            .map_err(|_| format!("'{digits}' is not a whole number of 64 bits"))
    }

    fn call(&mut self, depth: usize) -> Result<Expression, String> {
        let mut name = self.name()?;
        self.spaces();
        while self.take('.') {
            self.spaces();
            name = format!("{name}.{}", self.name()?);
            self.spaces();
        }
        if !self.take('(') {
            return Err(format!(
                "'{name}' is not a function call: '(' is expected after it"
            ));
        }
        let mut arguments = Vec::new();
        self.spaces();
        if !self.take(')') {
            loop {
                arguments.push(self.value(depth + 1)?);
                self.spaces();
                if self.take(')') {
                    break;
                }
                self.expect(',')?;
            }
        }
        Ok(Expression::Call(name.to_ascii_lowercase(), arguments))
    }

    fn name(&mut self) -> Result<String, String> {
        let begin = self.at;
        if !self.peek().is_some_and(is_first) {
            return Err(self.unexpected());
        }
        while self.peek().is_some_and(|c| is_first(c) || c.is_ascii_digit()) {
            self.next();
        }
        Ok(self.text[begin..self.at].to_owned())
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.at += wanted.len_utf8();
        }
        there
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn unexpected(&self) -> String {
        match self.peek() {
            Some(c) => format!("'{c}' is not expected at position {}", self.at + 1),
            None => "it ends too early".to_owned(),
        }
    }
}

fn is_first(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
            Self::Number(number) => write!(f, "{number}"),
            Self::Call(name, arguments) => {
                write!(f, "{name}(")?;
                for (at, argument) in arguments.iter().enumerate() {
                    write!(f, "{}{argument}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Self::Property(of, name) => write!(f, "{of}.{name}"),
            Self::Element(of, index) => write!(f, "{of}[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expression() -> impl Strategy<Value = Expression> {
        let leaf = prop_oneof![
            ".{0,12}".prop_map(Expression::Text),
            any::<i64>().prop_map(Expression::Number),
        ];
        leaf.prop_recursive(6, 40, 4, |inner| {
            let name = "[a-z_][a-z0-9_]{0,8}";
            prop_oneof![
                (name, prop::collection::vec(inner.clone(), 0..4))
                    .prop_map(|(name, arguments)| Expression::Call(name, arguments)),
                (inner.clone(), "[A-Za-z_][A-Za-z0-9_]{0,8}")
                    .prop_map(|(of, name)| Expression::Property(Box::new(of), name)),
                (inner.clone(), inner)
                    .prop_map(|(of, at)| Expression::Element(Box::new(of), Box::new(at))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_down_reads_the_same(expression in expression()) {
            prop_assert_eq!(parse(&expression.to_string()), Ok(expression));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _either = read(&text);
            let _either = read(&format!("[{text}]"));
        }

        #[test]
        fn no_soup_of_its_own_letters_makes_it_panic(text in "[a'()\\[\\]., 1-]{0,60}") {
            let _either = parse(&text);
        }
    }

    #[test]
    fn strings_that_are_no_expressions_stand_for_themselves() {
        for (text, literal) in [("a", "a"), ("[[a]", "[a]"), ("[a", "[a"), ("", "")] {
            assert_eq!(read(text), Ok(Written::Literal(literal.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, why) in [
            ("[concat('a'", "[concat('a'"),
            ("[concat('a]", "a text has no closing quote"),
            ("[]", "it ends too early"),
            ("[concat('a',)]", "')' is not expected at position 12"),
            (
                "[variables]",
                "'variables' is not a function call: '(' is expected after it",
            ),
            ("[a() b()]", "'b' is not expected at position 5"),
            (
                "[99999999999999999999]",
                "'99999999999999999999' is not a whole number of 64 bits",
            ),
        ] {
            match read(text) {
                Err(error) => assert_eq!(error, why, "{text}"),
                Ok(Written::Literal(literal)) => assert_eq!(literal, why, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(parse(&"a(".repeat(100_000)).is_err());
        assert!(parse(&format!("a(){}", ".b".repeat(100_000))).is_err());
    }
}
