//! sshd's configuration files, read as sshd reads them.
//!
//! sshd_config(5): the first value of a keyword wins, except for the few that
//! add up (`Port`, `AllowUsers`, ...); `Include` is replaced, where it stands, by the
//! files that its patterns match, in the order of their names; everything after a
//! `Match` belongs to that block, up to the next `Match` or the end of the file. A
//! `Match` inside an included file ends with that file, and cannot hold where the
//! `Include` itself stands under a `Match` that does not.
//!
//! [`Config::read`] follows the files, bounded; [`Config::resolve`] says what a keyword
//! comes to for one connection, of which some things may not be known. `sshd -T` says
//! what the settings are; this says which line of which file made them so, also when
//! sshd refuses the files: [`complaints`] reads its own words about that.

mod criterion;
mod keyword;
mod line;
mod refusal;
mod resolve;
mod test_output;

pub use criterion::{Connection, Holds};
pub use line::{Line, parse as parse_line};
pub use refusal::Refusal;
pub use resolve::Setting;
pub use test_output::{
    Complaint, ComplaintKind, TestOutput, complaints, glued, other_errors,
};

use std::collections::BTreeMap;

use criterion::Criterion;

use crate::pattern;

/// sshd's main file.
pub const MAIN_FILE: &str = "/etc/ssh/sshd_config";

/// sshd's own limit for nested `Include` (servconf.c).
const MAX_DEPTH: usize = 16;

/// Files that are visited, each as often as it is included. sshd has no such limit:
/// files that include each other a few times cost it billions of visits.
const MAX_VISITS: usize = 1024;

/// Lines that are read in all visits together.
const MAX_LINES: usize = 20_000;

/// One line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// The file.
    pub file: String,
    /// The line's number, from 1.
    pub line: usize,
    /// The keyword in lower case.
    pub keyword: String,
    /// What follows it, quotes removed.
    pub arguments: Vec<String>,
    /// The line as it stands in the file, without space around it.
    pub text: String,
    /// Whether it stands under a `Match` that does not hold for everybody.
    pub in_match: bool,
    /// The `Match` lines that it stands under, the outermost first; numbers in
    /// [`Config::blocks`].
    under: Vec<usize>,
}

/// A `Match` line.
#[derive(Debug, Clone)]
struct Block {
    file: String,
    line: usize,
    text: String,
    /// No conditions: they are refused.
    criteria: Vec<Criterion>,
}

/// The configuration: every line in the order in which sshd meets them.
#[derive(Debug, Clone, Default)]
pub struct Config {
    directives: Vec<Directive>,
    blocks: Vec<Block>,
    refusals: Vec<Refusal>,
    /// Files that are included by their names, and are not among the files: by which
    /// line, and which.
    unread: Vec<(String, usize, String)>,
    cut: Option<Refusal>,
}

impl Config {
    /// Reads the files (path to text) from `main` on. Only these files exist.
    pub fn read(files: &BTreeMap<String, String>, main: &str) -> Self {
        let mut reader = Reader {
            files,
            config: Self::default(),
            visits: MAX_VISITS,
            lines: MAX_LINES,
        };
        if files.contains_key(main) {
            reader.file(main, &[], 0);
        } else {
            reader.config.refuse(main, 0, "there is no such file".to_owned());
        }
        let mut config = reader.config;
        if let Some(refusal) = refusal::together(&config) {
            config.refusals.push(refusal);
        }
        config
    }

    /// All lines in the order in which sshd meets them.
    pub fn directives(&self) -> &[Directive] {
        &self.directives
    }

    /// Lines that sshd does not take, or not every sshd takes.
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// Where reading ended early, because too much is included; none if it did not.
    pub fn cut(&self) -> Option<&Refusal> {
        self.cut.as_ref()
    }

    /// The lines of a keyword that hold for everybody; the keyword as `sshd -T` shows it.
    fn global(&self, keyword: &'static str) -> impl Iterator<Item = &Directive> {
        self.directives.iter().filter(move |said| {
            !said.in_match && keyword::canonical(&said.keyword) == keyword
        })
    }

    fn refuse(&mut self, file: &str, line: usize, why: String) {
        self.refusals.push(Refusal { file: file.to_owned(), line, why });
    }
}

/// All directives in the order in which sshd meets them.
pub fn directives(files: &BTreeMap<String, String>) -> Vec<Directive> {
    Config::read(files, MAIN_FILE).directives
}

/// Host and port of a `ListenAddress`: `host`, `host:port`, `[v6]:port`, `v6`.
pub fn listen_address(value: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = value.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        return match rest.strip_prefix(':') {
            None if rest.is_empty() => Some((host, None)),
            port => Some((host, Some(port?))),
        };
    }
    match value.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host, Some(port))),
        _ => Some((value, None)),
    }
}

struct Reader<'a> {
    files: &'a BTreeMap<String, String>,
    config: Config,
    /// Files and lines that may still be read.
    visits: usize,
    lines: usize,
}

impl Reader<'_> {
    /// Reads one file that is included under these blocks.
    fn file(&mut self, file: &str, outer: &[usize], depth: usize) {
        let Some(text) = self.files.get(file) else { return };
        let mut under = outer.to_vec();
        for (index, text) in text.split('\n').enumerate() {
            let number = index + 1;
            if self.lines == 0 {
                return self.cut(file, number, "more lines than are read here");
            }
            self.lines -= 1;
            let Some(line) = line::parse(text) else { continue };
            let closed = line.words.is_some();
            let mut arguments = line.words.unwrap_or_default();
            if keyword::takes_the_rest(&line.keyword) && !arguments.is_empty() {
                arguments = vec![line.rest.to_owned()];
            }
            if line.keyword == "match" {
                under.truncate(outer.len());
                under.push(self.block(file, number, text.trim(), &arguments));
            }
            if line.keyword == "include" {
                for pattern in &arguments {
                    self.include(pattern, file, number, &under, depth);
                }
            }
            let global = under.iter().all(|block| self.is_for_all(*block));
            let said = Directive {
                file: file.to_owned(),
                line: number,
                keyword: line.keyword,
                arguments,
                text: text.trim().to_owned(),
                in_match: !global,
                under: under.clone(),
            };
            if let Some(why) = refusal::of(&said, closed, global) {
                self.config.refuse(file, number, why);
            }
            self.config.directives.push(said);
        }
    }

    fn block(&mut self, file: &str, line: usize, text: &str, words: &[String]) -> usize {
        let criteria = criterion::parse(words).unwrap_or_else(|why| {
            self.config.refuse(file, line, why);
            Vec::new()
        });
        let (file, text) = (file.to_owned(), text.to_owned());
        self.config.blocks.push(Block { file, line, text, criteria });
        self.config.blocks.len() - 1
    }

    fn is_for_all(&self, block: usize) -> bool {
        self.config.blocks[block].criteria == [Criterion::All]
    }

    fn include(
        &mut self,
        pattern: &str,
        file: &str,
        line: usize,
        under: &[usize],
        depth: usize,
    ) {
        let pattern = if pattern.starts_with(['/', '~']) {
            pattern.to_owned()
        } else {
            format!("/etc/ssh/{pattern}")
        };
        let matching = |path: &&String| match pattern::is_glob(&pattern) {
            true => pattern::path(&pattern, path),
            false => **path == pattern,
        };
        let included: Vec<&String> = self.files.keys().filter(matching).collect();
        if included.is_empty() && !pattern::is_glob(&pattern) {
            self.config.unread.push((file.to_owned(), line, pattern));
        }
        for path in included {
            if depth == MAX_DEPTH {
                let why = "files are included more than 16 deep".to_owned();
                return self.config.refuse(file, line, why);
            }
            if self.visits == 0 {
                return self.cut(
                    file,
                    line,
                    "more files are included than are read here",
                );
            }
            self.visits -= 1;
            self.file(path, under, depth + 1);
        }
    }

    /// Notes where reading ended; only the first place counts.
    fn cut(&mut self, file: &str, line: usize, why: &str) {
        let here = Refusal { file: file.to_owned(), line, why: why.to_owned() };
        self.config.cut.get_or_insert(here);
    }
}
