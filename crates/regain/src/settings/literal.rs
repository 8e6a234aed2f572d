//! A reader of JSON and of Python's literals, mixed as people mix them:
//! `{'reset_ssh': True, "x": null,}`. Strings keep every character.

use std::fmt;

use serde_json::{Map, Number, Value};

/// Deeper than this is no settings file.
const DEEPEST: usize = 100;

/// Where the text stops making sense. The text is not repeated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    what: &'static str,
    line: usize,
    column: usize,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, line, column } = self;
        write!(f, "not JSON at line {line}, column {column}: {what}")
    }
}

pub(super) fn parse(text: &str) -> Result<Value, Wrong> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    if reader.peek().is_some() {
        Err(reader.wrong("something follows its end"))
    } else {
        Ok(value)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    fn wrong(&self, what: &'static str) -> Wrong {
        self.wrong_at(self.at, what)
    }

    fn wrong_at(&self, at: usize, what: &'static str) -> Wrong {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Wrong { what, line, column }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Wrong> {
        if depth > DEEPEST {
            return Err(self.wrong("it is nested too deep"));
        }
        self.space();
        match self.peek() {
            None => Err(self.wrong("it ends too early")),
            Some('{') => self.object(depth),
            Some('[') => self.list(depth),
            Some('"' | '\'') => self.string().map(Value::String),
            Some(c) if c.is_ascii_digit() || "+-.".contains(c) => self.number(),
            Some(_) => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut map = Map::new();
        self.next();
        loop {
            self.space();
            match self.peek() {
                Some('}') => break,
                Some('"' | '\'') => {}
                _ => return Err(self.wrong("a key in quotes, or `}`, is expected")),
            }
            let key = self.string()?;
            self.space();
            if self.next_if(':').is_none() {
                return Err(self.wrong("`:` is expected after a key"));
            }
            let value = self.value(depth + 1)?;
            map.insert(key, value);
            self.space();
            if self.next_if(',').is_none() {
                break;
            }
        }
        self.space();
        match self.next_if('}') {
            Some(_) => Ok(Value::Object(map)),
            None => Err(self.wrong("`,` or `}` is expected")),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut items = Vec::new();
        self.next();
        loop {
            self.space();
            if self.peek() == Some(']') {
                break;
            }
            items.push(self.value(depth + 1)?);
            self.space();
            if self.next_if(',').is_none() {
                break;
            }
        }
        match self.next_if(']') {
            Some(_) => Ok(Value::Array(items)),
            None => Err(self.wrong("`,` or `]` is expected")),
        }
    }

    fn next_if(&mut self, wanted: char) -> Option<char> {
        if self.peek() == Some(wanted) { self.next() } else { None }
    }

    /// A string in either quotes. JSON's escapes and Python's are one set.
    fn string(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        let quote = self.next();
        let mut out = String::new();
        loop {
            match self.next() {
                None => return Err(self.wrong_at(start, "a string does not end")),
                Some('\n') => {
                    return Err(self.wrong_at(start, "a string does not end in its line"));
                }
                Some('\\') => self.escape(&mut out)?,
                c if c == quote => return Ok(out),
                Some(c) => out.push(c),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), Wrong> {
        let unknown = self.wrong("an escape that neither JSON nor Python has");
        let c = match self.next().ok_or(unknown)? {
            c @ ('"' | '\'' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'a' => '\u{7}',
            'v' => '\u{b}',
            '\n' => return Ok(()),
            'x' => self.code(2)?,
            'u' => self.code(4)?,
            'U' => self.code(8)?,
            _ => return Err(self.wrong("an escape that neither JSON nor Python has")),
        };
        out.push(c);
        Ok(())
    }

    /// So many hexadecimal digits; two halves of a pair are one character.
    fn code(&mut self, digits: usize) -> Result<char, Wrong> {
        let first = self.hex(digits)?;
        let code = if digits == 4 && (0xd800..0xdc00).contains(&first) {
            if !self.rest().starts_with("\\u") {
                return Err(self.wrong("half of a surrogate pair"));
            }
            self.at += 2;
            let second = self.hex(4)?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(self.wrong("half of a surrogate pair"));
            }
            0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or_else(|| self.wrong("no such character"))
    }

    fn hex(&mut self, digits: usize) -> Result<u32, Wrong> {
        let code = self
            .rest()
            .get(..digits)
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|text| u32::from_str_radix(text, 16).ok())
            .ok_or_else(|| self.wrong("hexadecimal digits are expected"))?;
        self.at += digits;
        Ok(code)
    }

    fn number(&mut self) -> Result<Value, Wrong> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphanumeric() || "+-._".contains(c))
        {
            self.next();
        }
        let text = &self.text[start..self.at];
        text.strip_prefix('+')
            .unwrap_or(text)
            .parse::<Number>()
            .map(Value::Number)
            .map_err(|_| self.wrong_at(start, "this is no number"))
    }

    fn word(&mut self) -> Result<Value, Wrong> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            self.next();
        }
        match &self.text[start..self.at] {
            "True" | "true" => Ok(Value::Bool(true)),
            "False" | "false" => Ok(Value::Bool(false)),
            "None" | "null" => Ok(Value::Null),
            _ => Err(self.wrong_at(start, "a value is expected; texts stand in quotes")),
        }
    }
}
