//! Rooms inside a crate: a module may use only what lies on lower floors.
//!
//! The floors are those that the crate's own head draws, so that the drawing cannot
//! lie: the first `text` block of `lib.rs`, a floor per line, the highest first, each
//! line beginning with the names of its rooms. An arrow is whatever the sources of a
//! room write behind `crate::`, tests included.

use std::path::Path;

use anyhow::{Context, Result};

use super::Violation;
use super::sources::collect;

/// The crates that draw their floors.
const CRATES: [&str; 1] = ["rescue"];

/// Crates that only one room of a crate may know.
const CONFINED: [(&str, &str, &str); 1] = [("rescue", "arm", "azure")];

/// Hold every arrow of these crates against their floors.
pub(crate) fn check(root: &Path) -> Result<Vec<Violation>> {
    let mut violations = Vec::new();
    for name in CRATES {
        let source = root.join("crates").join(name).join("src");
        let head = std::fs::read_to_string(source.join("lib.rs"))
            .with_context(|| format!("reading the head of {name}"))?;
        let floors = Floors::drawn_in(&head);
        let mut wrong =
            |place: String, what: String| violations.push(Violation { place, what });
        for room in rooms(&head).filter(|room| floors.of(room).is_none()) {
            let place = format!("crates/{name}/src/lib.rs");
            wrong(place, format!("`{room}` is on no floor of the drawing"));
        }
        let mut files = Vec::new();
        collect(&source, &mut files)?;
        for file in files {
            let inside = file.strip_prefix(&source).unwrap_or(&file);
            let Some(room) = room_of(inside) else { continue };
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("reading {}", file.display()))?;
            let shown = file.strip_prefix(root).unwrap_or(&file).display();
            let confined =
                CONFINED.iter().filter(|(of, _, home)| *of == name && *home != room);
            let told =
                confined.flat_map(|(_, foreign, home)| tells_of(&text, foreign, home));
            for (line, what) in floors.broken_by(&room, &text).into_iter().chain(told) {
                wrong(format!("{shown}:{line}"), what);
            }
        }
    }
    Ok(violations)
}

/// The rooms that a crate has.
fn rooms(head: &str) -> impl Iterator<Item = &str> {
    head.lines().filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';')
    })
}

/// The room that a file below `src` belongs to; none for the crate's head.
fn room_of(file: &Path) -> Option<String> {
    let first = file.iter().next()?.to_str()?;
    let room = first.strip_suffix(".rs").unwrap_or(first);
    (room != "lib" && room != "main").then(|| room.to_owned())
}

/// Rooms by floor, the highest first.
struct Floors<'a>(Vec<Vec<&'a str>>);

impl<'a> Floors<'a> {
    fn drawn_in(head: &'a str) -> Self {
        let known: Vec<&str> = rooms(head).collect();
        let drawing = head
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .skip_while(|line| line.trim() != "```text")
            .skip(1)
            .take_while(|line| line.trim() != "```");
        let floor = |line: &'a str| {
            line.split_ascii_whitespace()
                .take_while(|word| known.contains(word))
                .collect()
        };
        Self(drawing.map(floor).collect())
    }

    fn of(&self, room: &str) -> Option<usize> {
        self.0.iter().position(|floor| floor.contains(&room))
    }

    /// The lines of a room's source that point up or sideways, and what is wrong.
    fn broken_by(&self, room: &str, text: &str) -> Vec<(usize, String)> {
        let Some(own) = self.of(room) else { return Vec::new() };
        arrows(text)
            .filter(|(_, to)| *to != room)
            .filter_map(|(line, to)| {
                let what = match self.of(to) {
                    Some(floor) if floor > own => return None,
                    Some(_) => format!("`{room}` must not use `{to}`: arrows point down"),
                    None => format!("`crate::{to}` is no room: say which one it is in"),
                };
                Some((line, what))
            })
            .collect()
    }
}

/// The lines of a source that name a crate which only `home` may know.
fn tells_of(text: &str, foreign: &str, home: &str) -> Vec<(usize, String)> {
    let path = format!("{foreign}::");
    let names = |line: &str| {
        line.match_indices(&path).any(|(at, _)| {
            !line[..at].ends_with(|before: char| {
                before.is_alphanumeric() || "_:".contains(before)
            })
        })
    };
    code(text)
        .filter(|(_, line)| names(line))
        .map(|(number, _)| {
            (number, format!("only `{home}` may know the crate `{foreign}`"))
        })
        .collect()
}

/// The lines of a source that are no comments, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// What a source names behind `crate::`, with the line's number; not what its comments
/// say.
fn arrows(text: &str) -> impl Iterator<Item = (usize, &str)> {
    code(text).flat_map(|(number, line)| {
        let behind =
            line.match_indices("crate::").map(|(at, mark)| &line[at + mark.len()..]);
        behind.flat_map(move |rest| named(rest).map(move |room| (number, room)))
    })
}

/// The first segments of a path or of a group of paths, as far as the line goes.
fn named(path: &str) -> impl Iterator<Item = &str> {
    let first = |text: &'_ str| {
        text.find(|char: char| !char.is_alphanumeric() && char != '_')
            .unwrap_or(text.len())
    };
    let (group, one) = match path.strip_prefix('{') {
        Some(group) => (group, ""),
        None => ("", path),
    };
    let mut depth = 0_i32;
    let members = group.split_inclusive(['{', '}', ',']).filter_map(move |part| {
        let at_top = depth == 0;
        depth += i32::from(part.ends_with('{')) - i32::from(part.ends_with('}'));
        at_top.then(|| part.trim())
    });
    members
        .chain([one])
        .map(move |text| &text[..first(text)])
        .filter(|room| !room.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "//! A crate.\n//!\n//! ```text\n//! roof         it stands on walls\n\
        //! walls  door  both\n//! base\n//! ```\n\nmod roof;\npub mod walls;\nmod door;\n\
        mod base;\nmod shed;\n";

    fn broken(room: &str, text: &str) -> usize {
        Floors::drawn_in(HEAD).broken_by(room, text).len()
    }

    #[test]
    fn the_drawing_is_read_as_far_as_it_names_rooms() {
        let Floors(floors) = Floors::drawn_in(HEAD);
        assert_eq!(floors, [vec!["roof"], vec!["walls", "door"], vec!["base"]]);
        assert_eq!(
            rooms(HEAD).filter(|r| Floors::drawn_in(HEAD).of(r).is_none()).count(),
            1
        );
    }

    #[test]
    fn an_arrow_may_point_down_and_stay_at_home() {
        assert_eq!(
            broken("walls", "use crate::base::Stone;\nuse crate::walls::Brick;"),
            0
        );
        assert_eq!(broken("base", "// as crate::roof does\n/// [`crate::roof`]"), 0);
    }

    #[test]
    fn an_arrow_may_not_point_up_or_sideways() {
        assert_eq!(broken("walls", "use crate::roof::Tile;"), 1);
        assert_eq!(broken("walls", "let door = crate::door::Door::new();"), 1);
        assert_eq!(broken("base", "use crate::{base, roof::{Tile, walls}, door};"), 2);
    }

    #[test]
    fn what_the_head_hands_on_is_no_room() {
        assert_eq!(broken("roof", "use crate::Tile;"), 1);
    }

    #[test]
    fn a_confined_crate_is_named_at_home_only() {
        let told = |text| tells_of(text, "arm", "azure").len();
        assert_eq!(told("use arm::Client;\nlet a: arm::Error = b;"), 2);
        assert_eq!(
            told("// as arm::Client says\nuse farm::Cow;\nuse crate::arm::Leg;"),
            0
        );
    }

    #[test]
    fn a_file_belongs_to_the_room_of_its_first_name() {
        for (file, room) in
            [("a.rs", Some("a")), ("b/c/d.rs", Some("b")), ("lib.rs", None)]
        {
            assert_eq!(room_of(Path::new(file)).as_deref(), room, "{file}");
        }
    }
}
