//! How one text is written: plain where nothing forbids it, else in single
//! quotes, else escaped; folded at 80 columns unless it is a key.
//!
//! The rules are PyYAML's `analyze_scalar` and `write_*`.

use super::resolve;

const WIDTH: usize = 80;

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Where its further lines begin.
    pub(super) indent: usize,
    /// Whether it is a key, which stays in one line.
    pub(super) key: bool,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
}

/// What a text has in it.
#[derive(Debug, Default)]
struct Analysis {
    plain: bool,
    single: bool,
    multiline: bool,
}

pub(super) fn style(text: &str, place: Place) -> Style {
    let analysis = analyze(text);
    let cramped = place.key && (text.is_empty() || analysis.multiline);
    if analysis.plain && !cramped && resolve::is_text(text) {
        Style::Plain
    } else if analysis.single && !(place.key && analysis.multiline) {
        Style::Single
    } else {
        Style::Double
    }
}

pub(super) fn is_simple_key(text: &str, longest: usize) -> bool {
    let length = text.chars().count();
    length > 0 && length < longest && !analyze(text).multiline
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(c: char) -> bool {
    matches!(c, '\0' | ' ' | '\t' | '\r') || is_break(c)
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
        || ('\u{10000}'..'\u{10ffff}').contains(&c)
}

fn analyze(text: &str) -> Analysis {
    let characters: Vec<char> = text.chars().collect();
    let (Some(first), Some(last)) = (characters.first(), characters.last()) else {
        return Analysis { plain: true, single: true, multiline: false };
    };
    let mut indicator = text.starts_with("---") || text.starts_with("...");
    let mut special = false;
    let mut multiline = false;
    let mut space_before_break = false;
    let mut break_before_space = false;
    for (at, &c) in characters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| characters[at]);
        let blank_follows = characters.get(at + 1).is_none_or(|c| is_blank(*c));
        indicator |= match before {
            None => {
                "#,[]{}&*!|>'\"%@`".contains(c) || ("?:-".contains(c) && blank_follows)
            }
            Some(before) => (c == ':' && blank_follows) || (c == '#' && is_blank(before)),
        };
        special |= !is_printable(c);
        multiline |= is_break(c);
        if let Some(before) = before {
            space_before_break |= before == ' ' && is_break(c);
            break_before_space |= is_break(before) && c == ' ';
        }
    }
    let edge = |c: &char| *c == ' ' || is_break(*c);
    let single = !(break_before_space || space_before_break || special);
    let plain = single && !(edge(first) || edge(last) || multiline || indicator);
    Analysis { plain, single, multiline }
}

/// The text in its style, beginning in `column`.
pub(super) fn write(text: &str, style: Style, place: Place, column: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut writer = Writer { out: String::new(), column, place };
    match style {
        Style::Plain => writer.plain(&characters),
        Style::Single => writer.single(&characters),
        Style::Double => writer.double(&characters),
    }
    writer.out
}

struct Writer {
    out: String,
    column: usize,
    place: Place,
}

impl Writer {
    fn put(&mut self, characters: &[char]) {
        self.out.extend(characters);
        self.column += characters.len();
    }

    fn fold(&mut self) {
        self.out.push('\n');
        self.out.push_str(&" ".repeat(self.place.indent));
        self.column = self.place.indent;
    }

    fn full(&self) -> bool {
        !self.place.key && self.column > WIDTH
    }

    /// Words; a single space may become a line's end.
    fn plain(&mut self, text: &[char]) {
        for run in text.chunk_by(|a, b| (*a == ' ') == (*b == ' ')) {
            if run == [' '] && self.full() { self.fold() } else { self.put(run) }
        }
    }

    /// Quotes are doubled; a line's end is an empty line.
    fn single(&mut self, text: &[char]) {
        self.put(&['\'']);
        let kind = |c: &char| if *c == ' ' { 1 } else { u8::from(is_break(*c)) * 2 };
        let mut at = 0;
        for run in text.chunk_by(|a, b| kind(a) == kind(b)) {
            let inside = at > 0 && at + run.len() < text.len();
            at += run.len();
            match kind(&run[0]) {
                1 if run.len() == 1 && inside && self.full() => self.fold(),
                2 => {
                    if run[0] == '\n' {
                        self.out.push('\n');
                    }
                    self.out.extend(run);
                    self.out.push_str(&" ".repeat(self.place.indent));
                    self.column = self.place.indent;
                }
                _ => {
                    for &c in run {
                        if c == '\'' { self.put(&['\'', '\'']) } else { self.put(&[c]) }
                    }
                }
            }
        }
        self.put(&['\'']);
    }

    /// PyYAML's loop: what is not printable is escaped, and a line may end with
    /// a backslash before any space or escape.
    fn double(&mut self, text: &[char]) {
        self.put(&['"']);
        let (mut start, mut end) = (0, 0);
        while end <= text.len() {
            let c = text.get(end).copied();
            if c.is_none_or(must_be_escaped) {
                if start < end {
                    self.put(&text[start..end]);
                    start = end;
                }
                if let Some(c) = c {
                    self.put(&escaped(c).chars().collect::<Vec<_>>());
                    start = end + 1;
                }
            }
            let inside = end > 0 && end + 1 < text.len();
            let may_end = c == Some(' ') || start >= end;
            let full = self.column + end > WIDTH + start;
            if inside && may_end && full && !self.place.key {
                if start < end {
                    self.put(&text[start..end]);
                    start = end;
                }
                self.put(&['\\']);
                self.fold();
                if text[start] == ' ' {
                    self.put(&['\\']);
                }
            }
            end += 1;
        }
        self.put(&['"']);
    }
}

fn must_be_escaped(c: char) -> bool {
    matches!(c, '"' | '\\' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || !matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
}

fn escaped(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' | '\\' => c,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        other => {
            let code = u32::from(other);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
