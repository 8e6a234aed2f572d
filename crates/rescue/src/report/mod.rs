//! What `src/guest/collect.sh` prints, read into case sections.
//!
//! The script prints blocks (`MARK NAME ARGUMENT...`, then text as it is); this
//! module divides them, and [`sections`] knows what each says.

mod account;
#[cfg(test)]
mod collect_tests;
mod sections;

pub(crate) use sections::{Sections, sections};

use std::collections::BTreeMap;

use doctor::case::{CommandOutput, PathFact};

/// The blocks of one report, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report<'a> {
    blocks: Vec<Block<'a>>,
}

/// One block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    /// The first word after the mark.
    pub(crate) name: &'a str,
    /// The rest of that line.
    pub(crate) argument: &'a str,
    /// Everything up to the next block, byte for byte.
    pub(crate) text: &'a str,
}

impl<'a> Report<'a> {
    /// Divides a report at its mark.
    pub(crate) fn divide(text: &'a str, mark: &str) -> Self {
        let divider = format!("\n{mark} ");
        let blocks = text
            .split(divider.as_str())
            .skip(1)
            .map(|block| {
                let (head, text) = block.split_once('\n').unwrap_or((block, ""));
                let (name, argument) = head.split_once(' ').unwrap_or((head, ""));
                Block { name, argument, text }
            })
            .collect();
        Self { blocks }
    }

    /// Whether the script came to its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.blocks.last().is_some_and(|block| block.name == "end")
    }

    /// The text of a block.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.all(name).next().map(|block| block.text)
    }

    /// The lines of a block that are not empty; none if there is no such block.
    pub(crate) fn lines(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.text(name).unwrap_or_default().lines().filter(|line| !line.is_empty())
    }

    /// Every block of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = Block<'a>> {
        self.blocks.iter().filter(move |block| block.name == name).copied()
    }

    /// Blocks of a name as argument -> text.
    pub(crate) fn by_argument(&self, name: &str) -> BTreeMap<String, String> {
        self.all(name)
            .map(|block| (block.argument.to_owned(), block.text.to_owned()))
            .collect()
    }

    /// What the script's `run NAME` printed.
    pub(crate) fn command(&self, name: &str) -> CommandOutput {
        let stderr = self.text(&format!("{name}.stderr")).unwrap_or_default();
        let exit = self.all(&format!("{name}.exit")).next();
        CommandOutput {
            exit: exit.and_then(|block| block.argument.parse().ok()),
            stdout: self.text(name).unwrap_or_default().to_owned(),
            stderr: stderr.to_owned(),
        }
    }

    /// What is known of these paths, in their order and each once. A path that
    /// `stat` did not list is not there.
    pub(crate) fn paths(&self, paths: impl Iterator<Item = &'a str>) -> Vec<PathFact> {
        let mut facts: Vec<PathFact> = Vec::new();
        for path in paths {
            if facts.iter().any(|fact| fact.path == path) {
                continue;
            }
            let known = self.lines("stat").filter_map(path_fact);
            let fact = known.into_iter().find(|fact| fact.path == path);
            facts.push(fact.unwrap_or_else(|| PathFact {
                path: path.to_owned(),
                kind: "missing".to_owned(),
                ..PathFact::default()
            }));
        }
        facts
    }
}

/// One line of `stat -c '%f %u %g %s %n'`: the mode with its type in hexadecimal.
fn path_fact(line: &str) -> Option<PathFact> {
    let mut words = line.splitn(5, ' ');
    let raw = u32::from_str_radix(words.next()?, 16).ok()?;
    let uid = words.next()?.parse().ok();
    let gid = words.next()?.parse().ok();
    let size = words.next()?.parse().ok();
    let path = words.next()?.to_owned();
    let kind = match raw & 0o170_000 {
        0o100_000 => "file",
        0o040_000 => "directory",
        0o120_000 => "symlink",
        _ => "other",
    };
    let mode = Some(format!("{:04o}", raw & 0o7777));
    Some(PathFact { path, kind: kind.to_owned(), mode, uid, gid, size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_or_lacks_its_last_line_end() {
        let text = "\nM a x y\nwith\n\nM b\nwithout\nM c\nM d\n\nM end\n";
        let report = Report::divide(text, "M");
        let texts: Vec<_> =
            report.blocks.iter().map(|b| (b.name, b.argument, b.text)).collect();
        let expected = [
            ("a", "x y", "with\n"),
            ("b", "", "without"),
            ("c", "", ""),
            ("d", "", ""),
            ("end", "", ""),
        ];
        assert_eq!(texts, expected);
        assert!(report.is_whole());
    }

    #[test]
    fn a_mark_inside_a_line_divides_nothing() {
        let report = Report::divide("\nM a\nx M b\nM\n", "M");
        assert_eq!(report.blocks.len(), 1);
        assert!(!report.is_whole());
    }

    #[test]
    fn stat_tells_type_and_mode_and_silence_means_missing() {
        let report =
            Report::divide("\nM stat\n41c0 0 0 4096 /root\n81a4 1000 1001 7 /a b\n", "M");
        let facts = report.paths(["/root", "/a b", "/none", "/root"].into_iter());
        assert_eq!(facts.len(), 3);
        assert_eq!(facts[0].kind, "directory");
        assert_eq!(facts[0].mode.as_deref(), Some("0700"));
        assert_eq!(facts[1].kind, "file");
        assert_eq!(
            (facts[1].uid, facts[1].gid, facts[1].size),
            (Some(1000), Some(1001), Some(7))
        );
        assert_eq!(facts[2].kind, "missing");
    }
}
