//! Files of lines with fields between colons: passwd, shadow, group, gshadow,
//! subuid, subgid.
//!
//! Lines that are not touched stay as they are, byte for byte: comments, NIS
//! references, malformed lines and text that is not UTF-8.

use std::ops::RangeInclusive;

/// One such file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    lines: Vec<Vec<u8>>,
    changed: bool,
}

impl Table {
    /// Reads a file.
    pub fn parse(content: &[u8]) -> Self {
        let mut lines: Vec<Vec<u8>> =
            content.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        // What follows the last line end is a line only if it is not empty.
        if lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        Self { lines, changed: false }
    }

    /// The file as it is to be written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut content = self.lines.join(&b'\n');
        if !self.lines.is_empty() {
            content.push(b'\n');
        }
        content
    }

    /// Whether anything was changed since it was read.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Whether a line has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// A field of the first line with this name, counted from zero.
    pub fn field(&self, name: &str, index: usize) -> Option<String> {
        let line = &self.lines[self.position(name)?];
        let field = line.split(|byte| *byte == b':').nth(index)?;
        Some(String::from_utf8_lossy(field).into_owned())
    }

    /// Changes a field of the first line with this name; missing fields are added.
    pub fn set_field(&mut self, name: &str, index: usize, value: &str) {
        let Some(position) = self.position(name) else { return };
        let line = &mut self.lines[position];
        let mut fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        if fields.get(index) == Some(&value.as_bytes()) {
            return;
        }
        while fields.len() <= index {
            fields.push(b"");
        }
        fields[index] = value.as_bytes();
        *line = fields.join(&b':');
        self.changed = true;
    }

    /// Adds a line, in front of the NIS references at the end.
    pub fn append(&mut self, fields: &[&str]) {
        // NIS references come last: what follows them is found too late.
        let end = self.lines.iter().rposition(|line| !line.starts_with(b"+"));
        let line = fields.join(":").into_bytes();
        self.lines.insert(end.map_or(0, |last| last + 1), line);
        self.changed = true;
    }

    /// Removes every line with this name.
    pub fn remove(&mut self, name: &str) {
        let before = self.lines.len();
        self.lines.retain(|line| !is_of(line, name));
        self.changed |= self.lines.len() != before;
    }

    /// Takes a name out of comma-separated lists in these fields of every line.
    pub fn remove_from_lists(&mut self, name: &str, indexes: &[usize]) {
        for line in &mut self.lines {
            let mut fields: Vec<Vec<u8>> =
                line.split(|byte| *byte == b':').map(<[u8]>::to_vec).collect();
            let mut changed = false;
            for index in indexes {
                let Some(field) = fields.get_mut(*index) else { continue };
                let members: Vec<&[u8]> = field.split(|byte| *byte == b',').collect();
                let rest: Vec<&[u8]> =
                    members.iter().copied().filter(|m| *m != name.as_bytes()).collect();
                if rest.len() != members.len() {
                    *field = rest.join(&b',');
                    changed = true;
                }
            }
            if changed {
                *line = fields.join(&b':');
                self.changed = true;
            }
        }
    }

    /// The name and one field of every line that has both.
    pub fn column(&self, index: usize) -> impl Iterator<Item = (String, String)> + '_ {
        let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
        self.entries()
            .filter_map(move |line| Some((text(nth(line, 0)?), text(nth(line, index)?))))
    }

    /// How many lines have this value in a field.
    pub fn count(&self, index: usize, value: &str) -> usize {
        let value = Some(value.as_bytes());
        self.entries().filter(|line| nth(line, index) == value).count()
    }

    /// The number after the highest one in the range, or else the lowest free one.
    pub fn free_number(&self, index: usize, range: RangeInclusive<u32>) -> Option<u32> {
        let used: std::collections::BTreeSet<u32> = self
            .entries()
            .filter_map(|line| std::str::from_utf8(nth(line, index)?).ok()?.parse().ok())
            .filter(|number| range.contains(number))
            .collect();
        match used.last() {
            None => Some(*range.start()),
            Some(last) if last < range.end() => Some(last + 1),
            Some(_) => range.into_iter().find(|number| !used.contains(number)),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.lines.iter().position(|line| is_of(line, name))
    }

    fn entries(&self) -> impl Iterator<Item = &[u8]> {
        self.lines
            .iter()
            .map(Vec::as_slice)
            .filter(|line| !matches!(line.first(), None | Some(b'#' | b'+' | b'-')))
    }
}

fn is_of(line: &[u8], name: &str) -> bool {
    line.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b":"))
}

fn nth(line: &[u8], index: usize) -> Option<&[u8]> {
    line.split(|byte| *byte == b':').nth(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table(text: &str) -> Table {
        Table::parse(text.as_bytes())
    }

    #[test]
    fn other_lines_stay_byte_for_byte() {
        let text = b"# x\nroot:x:0\n\nbroken\nann:x:1000:\xff\n+::::".to_vec();
        let mut table = Table::parse(&text);
        table.set_field("ann", 1, "y");
        table.append(&["bob", "x", "1001"]);
        let expected = b"# x\nroot:x:0\n\nbroken\nann:y:1000:\xff\nbob:x:1001\n+::::\n";
        assert_eq!(table.to_bytes(), expected);
    }

    #[test]
    fn names_are_compared_whole() {
        let mut table = table("anna:x:1\nann:x:2\n");
        assert_eq!(table.field("ann", 2).as_deref(), Some("2"));
        table.remove("ann");
        assert_eq!(table.to_bytes(), b"anna:x:1\n");
        assert!(!table.contains("an"));
    }

    #[test]
    fn lists_lose_only_the_one_name() {
        let mut table = table("sudo:x:27:ann,anna,ann\nann:x:5:\n");
        table.remove_from_lists("ann", &[3]);
        assert_eq!(table.to_bytes(), b"sudo:x:27:anna\nann:x:5:\n");
    }

    #[test]
    fn free_numbers_go_up_and_then_fill_gaps() {
        assert_eq!(table("").free_number(2, 10..=12), Some(10));
        assert_eq!(table("a:x:10\nb:x:99\n").free_number(2, 10..=12), Some(11));
        assert_eq!(table("a:x:10\nb:x:12\n").free_number(2, 10..=12), Some(11));
        assert_eq!(table("a:x:1\nb:x:2\n").free_number(2, 1..=2), None);
    }

    /// The same edits on a list of lists.
    #[derive(Clone, Debug)]
    enum Edit {
        Set(String, usize, String),
        Append(String, String),
        Remove(String),
    }

    fn name() -> impl Strategy<Value = String> {
        prop::sample::select(vec!["a", "b", "ab", "root"]).prop_map(str::to_owned)
    }

    fn edit() -> impl Strategy<Value = Edit> {
        prop_oneof![
            (name(), 1usize..6, "[a-z0-9]{0,3}").prop_map(|(n, i, v)| Edit::Set(n, i, v)),
            (name(), "[a-z0-9]{0,3}").prop_map(|(n, v)| Edit::Append(n, v)),
            name().prop_map(Edit::Remove),
        ]
    }

    fn naive(rows: &mut Vec<Vec<String>>, edit: &Edit) {
        match edit {
            Edit::Set(name, index, value) => {
                if let Some(row) = rows.iter_mut().find(|row| row[0] == *name) {
                    row.resize(row.len().max(index + 1), String::new());
                    row[*index] = value.clone();
                }
            }
            Edit::Append(name, value) => rows.push(vec![name.clone(), value.clone()]),
            Edit::Remove(name) => rows.retain(|row| row[0] != *name),
        }
    }

    proptest! {
        #[test]
        fn edits_do_what_they_would_do_to_rows(
            rows in prop::collection::vec((name(), "[a-z:]{0,6}"), 0..5),
            edits in prop::collection::vec(edit(), 0..8),
        ) {
            let text: String = rows.iter().map(|(n, rest)| format!("{n}:{rest}\n")).collect();
            let mut table = table(&text);
            let mut rows: Vec<Vec<String>> = text
                .lines()
                .map(|line| line.split(':').map(str::to_owned).collect())
                .collect();
            for edit in &edits {
                naive(&mut rows, edit);
                match edit {
                    Edit::Set(name, index, value) => table.set_field(name, *index, value),
                    Edit::Append(name, value) => table.append(&[name, value]),
                    Edit::Remove(name) => table.remove(name),
                }
            }
            let expected: String = rows.iter().map(|row| row.join(":") + "\n").collect();
            prop_assert_eq!(String::from_utf8(table.to_bytes()), Ok(expected));
        }

        #[test]
        fn no_content_is_lost_or_panics(content in prop::collection::vec(any::<u8>(), 0..200)) {
            let table = Table::parse(&content);
            let _ = (table.field("a", 3), table.free_number(2, 0..=9));
            let mut expected = content;
            if !expected.is_empty() && expected.last() != Some(&b'\n') {
                expected.push(b'\n');
            }
            prop_assert_eq!(table.to_bytes(), expected);
        }
    }
}
