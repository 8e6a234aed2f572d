//! The only place that prints.
//!
//! A command returns an [`Answer`]; [`Printer`] asks the query, renders the
//! format and writes it. What is said meanwhile goes to stderr, so that stdout
//! is the result and nothing else.

mod errors;
pub(crate) mod explanation;
mod format;
mod json;
mod paragraph;
mod progress;
mod python;
pub(crate) mod repair;
mod style;
mod table;
mod tsv;
pub(crate) mod verdict;
mod yaml;

pub(crate) use format::{Columns, Format};
pub(crate) use progress::Progress;
pub(crate) use style::Style;
pub(crate) use table::Table;

use std::io::{self, IsTerminal, Write};

use doctor::Lang;
use serde_json::Value;

use crate::failure::Failure;
use crate::query::Query;

/// What a command has to say at its end.
#[derive(Debug)]
pub(crate) struct Answer {
    document: Value,
    text: Option<String>,
    columns: Option<Columns>,
    exit: u8,
}

impl Answer {
    /// A document for every format.
    pub(crate) fn new(document: Value) -> Self {
        Self { document, text: None, columns: None, exit: 0 }
    }

    /// Nothing to say: it is done.
    pub(crate) fn done() -> Self {
        Self::new(Value::Null)
    }

    /// One document as it is, several as a list: az's answer to `--ids`.
    pub(crate) fn of_each(mut documents: Vec<Value>) -> Self {
        documents.retain(|document| !document.is_null());
        match documents.len() {
            0 => Self::done(),
            1 => Self::new(documents.remove(0)),
            _ => Self::new(Value::Array(documents)),
        }
    }

    /// The same answer, of a list only the first.
    pub(crate) fn first(mut self) -> Self {
        self.document = match self.document {
            Value::Array(documents) => documents.into_iter().next().unwrap_or_default(),
            document => document,
        };
        self
    }

    /// A text for people, printed unless another format is asked for.
    pub(crate) fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// What it says, for whoever says it in another way.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// What a table shows of it.
    pub(crate) fn with_columns(mut self, columns: Columns) -> Self {
        self.columns = Some(columns);
        self
    }

    /// The exit status, where it is not 0.
    pub(crate) fn with_exit(mut self, exit: u8) -> Self {
        self.exit = exit;
        self
    }
}

/// Where everything is printed.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    format: Option<Format>,
    query: Option<Query>,
    lang: Lang,
    style: Style,
}

impl Printer {
    /// A printer to this process's stdout and stderr.
    pub(crate) fn new(format: Option<Format>, query: Option<Query>, lang: Lang) -> Self {
        Self { format, query, lang, style: Style::of(io::stdout().is_terminal()) }
    }

    /// The same printer for another format.
    pub(crate) fn in_format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// How text for people may look on stdout.
    pub(crate) fn style(&self) -> Style {
        self.style
    }

    /// The operator's language.
    pub(crate) fn lang(&self) -> Lang {
        self.lang
    }

    /// Whether this command prints for people rather than for programs.
    pub(crate) fn is_text(&self) -> bool {
        self.query.is_none() && matches!(self.format, None | Some(Format::Text))
    }

    /// Prints the answer and gives the exit status.
    pub(crate) fn answer(&self, answer: &Answer) -> Result<u8, Failure> {
        if let Some(text) = answer.text.as_ref().filter(|_| self.is_text()) {
            write(io::stdout(), text);
            return Ok(answer.exit);
        }
        let text = format::render(
            self.format.unwrap_or(Format::Json),
            &answer.document,
            self.query.as_ref(),
            answer.columns,
            self.style.color(),
        )?;
        write(io::stdout(), &text);
        Ok(answer.exit)
    }

    /// Prints a failure on stderr and gives the exit status.
    pub(crate) fn failure(&self, failure: &Failure) -> u8 {
        write(io::stderr(), &errors::render(failure, self.lang));
        failure.exit_code()
    }

    /// Says something while the command runs: on stdout for people, on stderr
    /// when stdout belongs to a program.
    pub(crate) fn say(&self, line: &str) {
        if self.is_text() {
            write(io::stdout(), &format!("{line}\n"));
        } else {
            write(io::stderr(), &format!("{line}\n"));
        }
    }

    /// A remark that is not part of any result.
    pub(crate) fn note(&self, line: &str) {
        write(io::stderr(), &format!("{line}\n"));
    }

    /// Writes bytes as they are: what a command in a guest printed.
    pub(crate) fn pass_through(&self, stdout: &[u8], stderr: &[u8]) {
        let _ = io::stdout().write_all(stdout).and_then(|()| io::stdout().flush());
        let _ = io::stderr().write_all(stderr);
    }

    /// Asks a yes-or-no question on the terminal. Without one the answer is none.
    pub(crate) fn ask(&self, question: &str) -> Option<bool> {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return None;
        }
        write(io::stderr(), &format!("{question} [y/N] "));
        let mut line = String::new();
        io::stdin().read_line(&mut line).ok()?;
        Some(matches!(line.trim().to_lowercase().as_str(), "y" | "yes" | "はい"))
    }
}

/// A reader that went away (`| head`) is not an error of ours.
fn write(mut to: impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
