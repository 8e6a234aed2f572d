//! Colour and symbols, where the terminal has them.
//!
//! Everything must be understandable without colour; colour only helps the eye.

use std::env;

/// What the reader's terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    color: bool,
    unicode: bool,
}

/// A symbol before a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Good,
    Bad,
    Unknown,
    Skipped,
}

impl Style {
    /// For this process's environment: colour only on a terminal that has not
    /// been told otherwise (no-color.org), symbols only in a UTF-8 locale.
    pub(super) fn of(terminal: bool) -> Self {
        let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = terminal && !set("NO_COLOR") && !dumb;
        Self { color, unicode: utf8(|name| env::var(name).ok()) }
    }

    /// Without colour; with symbols or with ASCII only.
    #[cfg(test)]
    pub(crate) fn plain(unicode: bool) -> Self {
        Self { color: false, unicode }
    }

    pub(super) fn color(self) -> bool {
        self.color
    }

    /// The symbol of a state.
    pub(crate) fn mark(self, mark: Mark) -> String {
        let (symbol, ascii, code) = match mark {
            Mark::Good => ("✓", "+", "32"),
            Mark::Bad => ("✗", "x", "31;1"),
            Mark::Unknown => ("?", "?", "33"),
            Mark::Skipped => ("·", "-", "2"),
        };
        self.paint(if self.unicode { symbol } else { ascii }, code)
    }

    /// The symbol of right or wrong.
    pub(crate) fn verdict_mark(self, right: bool) -> String {
        self.mark(if right { Mark::Good } else { Mark::Bad })
    }

    /// Before an item of a list.
    pub(crate) fn bullet(self) -> &'static str {
        if self.unicode { "•" } else { "*" }
    }

    /// Before what to do.
    pub(crate) fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    /// A heading.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint(text, "1")
    }

    /// Something of less weight.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint(text, "2")
    }

    fn paint(self, text: &str, code: &str) -> String {
        if self.color {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Whether the locale is UTF-8: the first of the variables that is set decides.
fn utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .unwrap_or_default()
        .to_lowercase();
    locale.ends_with("utf-8") || locale.ends_with("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_utf8_the_symbols_are_ascii() {
        assert!(Style::plain(false).mark(Mark::Bad).is_ascii());
        assert_eq!(Style::plain(true).mark(Mark::Bad), "✗");
    }

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let with = |set: &'static [(&str, &str)]| {
            utf8(move |name| {
                set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(with(&[("LANG", "ja_JP.UTF-8")]));
        assert!(with(&[("LC_ALL", ""), ("LANG", "C.utf8")]));
        assert!(!with(&[("LC_ALL", "C"), ("LANG", "ja_JP.UTF-8")]));
        assert!(!with(&[]));
    }
}
