//! A CEL expression of a fault's file, compiled once.
//!
//! Three answers matter, not two: a rule that reads a fact which the case does
//! not have is neither true nor false. CEL says so itself (`No such key`,
//! `Undeclared reference`), and its `&&` and `||` already do the right thing
//! with it: `true || absent` is true, `false && absent` is false.
//!
//! On top of CEL's standard library and its string functions (`join`, `split`,
//! `replace`, `lowerAscii`, ...), `shell(text)` quotes for a POSIX shell.

use std::fmt;
use std::sync::{Arc, LazyLock};

use cel::common::types::{CelString, STRING_TYPE};
use cel::common::value::CowVal;
use cel::{Context, Env, ExecutionError, Program, Value};

use super::section::is_variable;

/// A compiled expression.
pub struct Expression {
    source: String,
    program: Program,
    /// The facts that it reads, as `sshd.pam`, in the order of the text.
    reads: Vec<String>,
}

/// The answer to a question about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// The evidence does not say: the fact that is absent, as `sshd.pam`, or what
    /// else is wrong with the question, in a few words.
    Undetermined(String),
}

impl Truth {
    /// Both.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, other) => other,
            (open, _) => open,
        }
    }

    /// Either.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, other) => other,
            (open, _) => open,
        }
    }
}

/// An expression that is not CEL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{source_text}` is not a CEL expression: {reason}")]
pub struct ExpressionError {
    source_text: String,
    reason: String,
}

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    env.add_extension(cel::extensions::strings)
        .expect("the string functions are declared once, on a fresh environment");
    env.add_overload("shell", "shell_string", vec![STRING_TYPE], |args| {
        let text = args[0].downcast_ref::<CelString>().ok_or_else(|| {
            ExecutionError::function_error("shell", "the argument is not a string")
        })?;
        Ok(CowVal::owned(CelString::from(shell_quote(text.inner()))))
    })
    .expect("`shell` is declared once, on a fresh environment");
    Arc::new(env)
});

impl Expression {
    /// Compiles an expression.
    pub fn compile(source: &str) -> Result<Self, ExpressionError> {
        match ENVIRONMENT.compile(source) {
            Ok(program) => {
                let reads = reads(source);
                Ok(Self { source: source.to_owned(), program, reads })
            }
            Err(errors) => Err(ExpressionError {
                source_text: source.to_owned(),
                reason: errors.to_string().trim().replace('\n', " "),
            }),
        }
    }

    /// The expression as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it holds.
    pub(crate) fn truth(&self, context: &Context<'_, '_>) -> Truth {
        match self.program.execute(context) {
            Ok(Value::Bool(true)) => Truth::Yes,
            Ok(Value::Bool(false)) => Truth::No,
            Ok(other) => Truth::Undetermined(format!(
                "the rule gives {:?} where it should say yes or no",
                other.type_of()
            )),
            Err(
                ExecutionError::NoSuchKey(name)
                | ExecutionError::UndeclaredReference(name),
            ) => Truth::Undetermined(self.fact(&name)),
            Err(other) => Truth::Undetermined(other.to_string()),
        }
    }

    /// The fact, of those that it reads, that ends with an absent name.
    fn fact(&self, absent: &str) -> String {
        let known = self.reads.iter().find_map(|path| {
            let mut end = 0;
            path.split('.').find_map(|part| {
                end += part.len() + 1;
                (part == absent).then(|| path[..end - 1].to_owned())
            })
        });
        known.unwrap_or_else(|| absent.to_owned())
    }

    /// The text that it gives; nothing if a fact is absent.
    pub(crate) fn text(&self, context: &Context<'_, '_>) -> Option<String> {
        self.program.execute(context).ok().as_ref().and_then(text_of)
    }

    /// The value that it gives; nothing if a fact is absent.
    pub(crate) fn value(&self, context: &Context<'_, '_>) -> Option<Value> {
        self.program.execute(context).ok()
    }

    /// The value that it gives, as JSON; nothing if a fact is absent.
    pub(crate) fn json(&self, context: &Context<'_, '_>) -> Option<serde_json::Value> {
        self.value(context).as_ref().and_then(json_of)
    }

    /// The lines that it gives, be it one or a list; none if a fact is absent.
    pub(crate) fn lines(&self, context: &Context<'_, '_>) -> Vec<String> {
        match self.program.execute(context) {
            Ok(Value::List(items)) => items.iter().filter_map(text_of).collect(),
            Ok(value) => text_of(&value).into_iter().collect(),
            Err(_) => Vec::new(),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.source).finish()
    }
}

/// A context in which expressions of this module run.
pub(crate) fn empty_context() -> Context<'static, 'static> {
    Context::with_env(Arc::clone(&ENVIRONMENT))
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn json_of(value: &Value) -> Option<serde_json::Value> {
    Some(match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::UInt(number) => (*number).into(),
        Value::String(text) => text.as_str().into(),
        Value::List(items) => {
            items.iter().map(json_of).collect::<Option<Vec<_>>>()?.into()
        }
        Value::Map(map) => map
            .map
            .iter()
            .map(|(key, value)| Some((key.to_string(), json_of(value)?)))
            .collect::<Option<serde_json::Map<_, _>>>()?
            .into(),
        _ => return None,
    })
}

/// The paths into the variables of the rules that a text has outside of quotes.
fn reads(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut path = String::new();
    let mut quote = None;
    // What a path may not follow: a part of another path.
    let mut before = ' ';
    for c in source.chars().chain([' ']) {
        if let Some(end) = quote {
            quote = (c != end).then_some(end);
            continue;
        }
        if c.is_ascii_alphanumeric() || c == '_' || (c == '.' && !path.is_empty()) {
            path.push(c);
            continue;
        }
        if !path.is_empty() {
            // A call's name is no part of the fact that it is called on.
            let path = std::mem::take(&mut path);
            let fact = match path.rsplit_once('.') {
                Some((fact, _)) if c == '(' => fact,
                _ => path.as_str(),
            };
            let variable = fact.split('.').next().unwrap_or_default();
            if before != '.' && is_variable(variable) {
                found.push(fact.to_owned());
            }
        }
        before = c;
        quote = matches!(c, '\'' | '"').then_some(c);
    }
    found
}

/// Quotes a word for a POSIX shell, leaving plain words as they are.
pub fn shell_quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,~".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.starts_with('~') {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(source: &str) -> Truth {
        let mut context = empty_context();
        context.add_variable_from_value("one", 1i64);
        Expression::compile(source).expect("CEL").truth(&context)
    }

    #[test]
    fn an_absent_fact_is_neither_true_nor_false() {
        assert_eq!(truth("one == 1"), Truth::Yes);
        assert_eq!(truth("one == 2"), Truth::No);
        assert!(matches!(truth("two == 2"), Truth::Undetermined(_)));
        assert!(matches!(truth("{'a': 1}.b == 2"), Truth::Undetermined(_)));
    }

    #[test]
    fn an_open_question_names_the_fact_that_is_absent() {
        let mut context = empty_context();
        context.add_variable_from_value("one", 1i64);
        let absent = |source: &str| match Expression::compile(source)
            .expect("CEL")
            .truth(&context)
        {
            Truth::Undetermined(fact) => fact,
            other => panic!("{source}: {other:?}"),
        };
        assert_eq!(
            absent("one == 1 && sshd.settings.port.exists(l, l.name == 'tcp.x')"),
            "sshd"
        );
        assert_eq!(absent("one == 2 || login.text.contains('name.y')"), "login");
    }

    #[test]
    fn what_a_rule_reads_is_in_its_text() {
        assert_eq!(
            reads(
                "has(sshd.unit) && 'boot.text' in login.stderr.filter(l, l.name == target.host)"
            ),
            ["sshd.unit", "login.stderr", "target.host"]
        );
    }

    #[test]
    fn a_decided_side_needs_no_other() {
        assert_eq!(truth("two == 2 || one == 1"), Truth::Yes);
        assert_eq!(truth("two == 2 && one == 2"), Truth::No);
    }

    #[test]
    fn shell_quotes_only_what_needs_it() {
        let context = empty_context();
        let quoted = |word: &str| {
            let call = Expression::compile(&format!("shell({word:?})")).expect("CEL");
            call.text(&context).expect("a string")
        };
        assert_eq!(quoted("/home/a/.ssh/id_ed25519"), "/home/a/.ssh/id_ed25519");
        assert_eq!(quoted("my key"), "'my key'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn what_is_not_cel_is_refused_with_its_text() {
        let error = Expression::compile("size(").expect_err("it is not closed");
        assert!(error.to_string().contains("size("), "{error}");
    }
}
