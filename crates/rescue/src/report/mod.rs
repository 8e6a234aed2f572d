//! What `src/guest/collect.sh` prints, read into case sections.
//!
//! The script prints blocks (`MARK NAME ARGUMENT...`, then text as it is), part by
//! part; this module divides them, [`parts`] has the table of all parts, and a module
//! for each theme knows what its blocks say.

mod account;
#[cfg(test)]
mod canary_tests;
#[cfg(test)]
mod collect_tests;
mod filter;
mod host;
mod keys;
mod parts;
mod sshd;

pub(crate) use parts::{fill, leave, script};

use doctor::case::{PathFact, PathKind};

/// What the guest was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The account.
    pub(crate) user: String,
    /// The client's address, if it is known.
    pub(crate) address: Option<String>,
    /// The channel that carried the answers.
    pub(crate) channel: &'static str,
}

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

/// The blocks of one part that came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    blocks: &'a [Block<'a>],
}

/// Said of what stands behind the end of an answer that is not whole.
const CUT: &str = "the rest of the guest's answer did not come";

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

    /// Whether the script came to its end, and all of what it said arrived.
    pub(crate) fn is_whole(&self) -> bool {
        self.blocks.last().is_some_and(|block| block.name == "end")
    }

    /// Whether some part came to its end.
    pub(crate) fn tells_something(&self) -> bool {
        self.blocks.iter().any(|block| block.name == "done")
    }

    /// One part with a budget of `seconds` and `bytes`, or why it is not whole.
    pub(crate) fn part(
        &self,
        name: &str,
        seconds: u64,
        bytes: u64,
    ) -> Result<Part<'_>, String> {
        let begins = |block: &Block<'_>| block.name == "part" && block.argument == name;
        let start = self.blocks.iter().position(begins).ok_or(if self.is_whole() {
            "the guest did not begin with it"
        } else {
            CUT
        })?;
        let blocks = &self.blocks[start + 1..];
        let end = blocks.iter().position(|block| matches!(block.name, "part" | "end"));
        let blocks = &blocks[..end.unwrap_or(blocks.len())];
        let size: usize = blocks.iter().map(|block| block.text.len()).sum();
        if size as u64 > bytes {
            return Err(format!("cut: it is more than {bytes} bytes"));
        }
        let done = blocks.iter().position(|block| block.name == "done");
        let status = blocks.iter().find(|block| block.name == "status");
        match (done, status.map(|block| block.argument)) {
            (Some(done), _) => Ok(Part { blocks: &blocks[..done] }),
            (None, None) if end.is_none() && !self.is_whole() => Err(CUT.to_owned()),
            (None, Some("124" | "137") | None) => {
                Err(format!("it did not end within {seconds} s"))
            }
            // SIGXFSZ: the limit of its file.
            (None, Some("153")) => Err(format!("cut: it is more than {bytes} bytes")),
            (None, Some(status)) => Err(format!("it broke off with status {status}")),
        }
    }
}

impl<'a> Part<'a> {
    /// The text of a block.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.all(name).next().map(|block| block.text)
    }

    /// The text of a block without which the part says nothing.
    pub(crate) fn needed(&self, name: &str) -> Result<&'a str, String> {
        self.text(name).ok_or_else(|| format!("the guest did not tell its {name}"))
    }

    /// What stands behind the name of a block.
    pub(crate) fn argument(&self, name: &str) -> Option<&'a str> {
        self.all(name).next().map(|block| block.argument)
    }

    /// The lines of a block that are not empty; none if there is no such block.
    pub(crate) fn lines(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.text(name).unwrap_or_default().lines().filter(|line| !line.is_empty())
    }

    /// Every block of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = Block<'a>> {
        self.blocks.iter().filter(move |block| block.name == name).copied()
    }

    /// What is known of the paths in one block, in their order and each once, from
    /// the `stat` lines in another. A path that `stat` did not list is not there.
    pub(crate) fn paths(&self, paths: &str, stat: &str) -> Vec<PathFact> {
        let known: Vec<PathFact> = self.lines(stat).filter_map(path_fact).collect();
        let mut facts: Vec<PathFact> = Vec::new();
        for path in self.lines(paths) {
            if facts.iter().all(|fact| fact.path != path) {
                let fact = known.iter().find(|fact| fact.path == path);
                facts.push(fact.cloned().unwrap_or_else(|| PathFact {
                    path: path.to_owned(),
                    ..PathFact::default()
                }));
            }
        }
        facts
    }
}

/// One line of `stat -c '%f %u %g %s %n'`: the mode with its type in hexadecimal.
pub(crate) fn path_fact(line: &str) -> Option<PathFact> {
    let mut words = line.splitn(5, ' ');
    let raw = u32::from_str_radix(words.next()?, 16).ok()?;
    let uid = words.next()?.parse().ok();
    let gid = words.next()?.parse().ok();
    let size = words.next()?.parse().ok();
    let path = words.next()?.to_owned();
    let mode = Some(format!("{:04o}", raw & 0o7777));
    Some(PathFact {
        path,
        kind: PathKind::of_mode(raw),
        mode,
        uid,
        gid,
        size,
        target: None,
    })
}

/// Lines two by two.
pub(crate) fn pairs<'a>(
    mut lines: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    std::iter::from_fn(move || Some((lines.next()?, lines.next()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report of one part that came to its end, read by one reader.
    pub(super) fn read<T>(
        text: &str,
        reader: impl FnOnce(&Part<'_>, &Asked) -> Result<T, String>,
    ) -> Result<T, String> {
        let text = format!("\nM part it\n\n{text}\nM done\n\nM status 0\n\nM end\n");
        let report = Report::divide(&text, "M");
        let asked = Asked { user: "ann".to_owned(), address: None, channel: "test" };
        reader(&report.part("it", 1, 10_000)?, &asked)
    }

    #[test]
    fn a_mark_inside_a_line_divides_nothing() {
        let report = Report::divide("\nM a\nx M b\nM\n", "M");
        assert_eq!(report.blocks.len(), 1);
        assert!(!report.is_whole());
    }

    #[test]
    fn of_an_answer_that_broke_off_the_parts_that_came_are_used() {
        let text =
            "\nM part one\n\nM x\ntext\n\nM done\n\nM status 0\n\nM part two\n\nM x\nha";
        let report = Report::divide(text, "M");
        assert!(!report.is_whole() && report.tells_something());
        assert_eq!(report.part("one", 3, 20).unwrap().text("x"), Some("text\n"));
        for name in ["two", "three"] {
            assert_eq!(report.part(name, 3, 20).unwrap_err(), CUT, "{name}");
        }
        assert!(!Report::divide("\nM part one\n\nM x\nte", "M").tells_something());
    }

    #[test]
    fn a_part_that_is_not_whole_says_why_and_harms_no_other() {
        let text = "\nM part late\n\nM x\nhalf\nM part cut\n\nM x\nlong text\n\nM status 153\n\
                    \nM part dead\n\nM status 2\n\nM part whole\n\nM x\ntext\n\nM done\n\nM status 0\n\
                    \nM end\n";
        let report = Report::divide(text, "M");
        assert!(report.is_whole());
        let why = |name| report.part(name, 3, 20).unwrap_err();
        assert_eq!(why("late"), "it did not end within 3 s");
        assert_eq!(why("cut"), "cut: it is more than 20 bytes");
        assert_eq!(why("dead"), "it broke off with status 2");
        assert!(why("none").contains("did not begin"));
        assert_eq!(report.part("whole", 3, 20).unwrap().text("x"), Some("text\n"));
        assert!(report.part("whole", 3, 2).is_err());
    }

    #[test]
    fn stat_tells_type_and_mode_and_silence_means_missing() {
        let facts = read(
            "M paths\n/root\n/a b\n/none\n/root\n/pipe\n\nM stat\n41c0 0 0 4096 /root\n\
             81a4 1000 1001 7 /a b\n11ff 5 5 0 /pipe\n",
            |part, _| Ok(part.paths("paths", "stat")),
        )
        .unwrap();
        let kinds: Vec<_> = facts.iter().map(|fact| fact.kind).collect();
        let expected =
            [PathKind::Directory, PathKind::File, PathKind::Missing, PathKind::Fifo];
        assert_eq!(kinds, expected);
        assert_eq!(facts[0].mode.as_deref(), Some("0700"));
        let file = &facts[1];
        assert_eq!((file.uid, file.gid, file.size), (Some(1000), Some(1001), Some(7)));
    }
}
