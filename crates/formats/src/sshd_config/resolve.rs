//! What a keyword comes to for one connection.
//!
//! sshd reads its files twice (servconf.c): once for everybody, and once more for a
//! connection, where only lines under a `Match` that holds count, and these win over
//! the first reading. In each reading the first line wins, or the lines add up.

use super::criterion::{Connection, Holds};
use super::keyword::{self, Keyword};
use super::{Config, Directive};

/// What a keyword comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting<'a> {
    /// No line sets it: sshd's default.
    Default,
    /// These lines set it; several only if they add up.
    Set(Vec<&'a Directive>),
    /// It depends on what is not known: why.
    Unknown(String),
}

impl<'a> Setting<'a> {
    /// The values that are set, line after line; none if that is not known.
    pub fn values(&self) -> Option<Vec<&'a str>> {
        match self {
            Self::Default => Some(Vec::new()),
            Self::Set(lines) => {
                let words = lines.iter().flat_map(|said| &said.arguments);
                Some(words.map(String::as_str).collect())
            }
            Self::Unknown(_) => None,
        }
    }
}

impl Config {
    /// What a keyword (in lower case) comes to for a connection. Nobody knows where
    /// sshd may refuse a line, and then all of them.
    pub fn resolve(&self, keyword: &str, connection: &Connection) -> Setting<'_> {
        match self.refusals.first() {
            Some(line) => Setting::Unknown(format!(
                "sshd may refuse {}:{}: {}",
                line.file, line.line, line.why
            )),
            None => self.intended(keyword, connection),
        }
    }

    /// What a keyword (in lower case) comes to as soon as sshd takes every line.
    pub fn intended(&self, keyword: &str, connection: &Connection) -> Setting<'_> {
        if let Some(why) = self.gap() {
            return Setting::Unknown(why);
        }
        match keyword::find(keyword) {
            Some(known) => self.settle(&known, connection),
            None => {
                let why = format!("{keyword} is no keyword that is known here");
                Setting::Unknown(why)
            }
        }
    }

    /// Why a keyword (in lower case) may come to something else than for another such
    /// connection: a `Match` that asks for what is not known of this one. None if it
    /// does not matter. What sshd makes of lines that it may refuse is not asked.
    pub fn left_open(&self, keyword: &str, connection: &Connection) -> Option<String> {
        match self.settle(&keyword::find(keyword)?, connection) {
            Setting::Unknown(why) => Some(why),
            Setting::Default | Setting::Set(_) => None,
        }
    }

    fn settle(&self, keyword: &Keyword, connection: &Connection) -> Setting<'_> {
        let all = self.directives.iter();
        let lines = all.filter(|said| keyword::canonical(&said.keyword) == keyword.name);
        let everybody = lines.clone().filter(|said| !said.in_match);
        let mut matching = Vec::new();
        if keyword.in_match {
            for said in lines.filter(|said| !said.under.is_empty()) {
                match self.holds(said, connection) {
                    Ok(true) => matching.push((said, None)),
                    Ok(false) => {}
                    Err(why) => matching.push((said, Some(why))),
                }
            }
        }
        if keyword.adds_up {
            if let Some((_, Some(why))) = matching.iter().find(|(_, why)| why.is_some()) {
                return Setting::Unknown(why.clone());
            }
            let matching: Vec<&Directive> =
                matching.into_iter().map(|(said, _)| said).collect();
            let lines = if matching.is_empty() { everybody.collect() } else { matching };
            return if lines.is_empty() { Setting::Default } else { Setting::Set(lines) };
        }
        first(matching, everybody.take(1).next())
    }

    /// What of the configuration was not read.
    fn gap(&self) -> Option<String> {
        if let Some(line) = &self.cut {
            return Some(format!("{}:{}: {}", line.file, line.line, line.why));
        }
        let (file, line, path) = self.unread.first()?;
        Some(format!("{path} is included at {file}:{line} and was not read"))
    }

    /// Whether a line counts for a connection: every `Match` above it holds. Why
    /// nobody knows, if so.
    fn holds(&self, said: &Directive, connection: &Connection) -> Result<bool, String> {
        let mut open = None;
        for block in said.under.iter().map(|block| &self.blocks[*block]) {
            if block.criteria.is_empty() {
                return Err(format!("sshd may refuse {}:{}", block.file, block.line));
            }
            for criterion in &block.criteria {
                match criterion.holds(connection) {
                    Holds::Yes => {}
                    Holds::No => return Ok(false),
                    Holds::Unknown(what) => {
                        let place = format!("{}:{}", block.file, block.line);
                        open.get_or_insert_with(|| {
                            format!("`{}` at {place} depends on {what}", block.text)
                        });
                    }
                }
            }
        }
        open.map_or(Ok(true), Err)
    }
}

/// The first line that counts, if those that may count before it say the same.
fn first<'a>(
    matching: Vec<(&'a Directive, Option<String>)>,
    everybody: Option<&'a Directive>,
) -> Setting<'a> {
    let mut open: Option<(&Directive, String)> = None;
    let certain = 'found: {
        for (said, why) in matching {
            match (why, &open) {
                (None, _) => break 'found Some(said),
                (Some(why), None) => open = Some((said, why)),
                // Two that may count and differ leave it open, whatever follows.
                (Some(why), Some((other, _))) if other.arguments != said.arguments => {
                    return Setting::Unknown(why);
                }
                (Some(_), Some(_)) => {}
            }
        }
        everybody
    };
    match (certain, open) {
        (Some(said), Some((other, _))) if said.arguments == other.arguments => {
            Setting::Set(vec![said])
        }
        (_, Some((_, why))) => Setting::Unknown(why),
        (Some(said), None) => Setting::Set(vec![said]),
        (None, None) => Setting::Default,
    }
}
