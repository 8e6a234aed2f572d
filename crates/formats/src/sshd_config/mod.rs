//! sshd's configuration files, read as sshd reads them.
//!
//! sshd_config(5): the first value of a keyword wins, except for the few that
//! add up (`Port`, `ListenAddress`, `HostKey`, ...); `Include` is replaced, where
//! it stands, by the files that its patterns match, in the order of their names;
//! everything after a `Match` belongs to that block, up to the next `Match` or
//! the end of the file. A `Match` inside an included file ends with that file.
//!
//! `sshd -T` says what the settings are; this says which line of which file made
//! them so, also when sshd refuses the files.

mod test_output;

pub(crate) use test_output::{complaints, other_errors};

use std::collections::BTreeMap;

/// sshd's main file.
pub(crate) const MAIN_FILE: &str = "/etc/ssh/sshd_config";

/// sshd's own limit for nested `Include` (servconf.c).
const MAX_INCLUDE_DEPTH: usize = 16;

/// One line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    /// The file.
    pub(crate) file: String,
    /// The line's number, from 1.
    pub(crate) line: usize,
    /// The keyword in lower case.
    pub(crate) keyword: String,
    /// What follows it, quotes removed.
    pub(crate) arguments: Vec<String>,
    /// The line as it stands in the file, without space around it.
    pub(crate) text: String,
    /// Whether it stands under a `Match`.
    pub(crate) in_match: bool,
}

/// All directives in the order in which sshd meets them.
pub(crate) fn directives(files: &BTreeMap<String, String>) -> Vec<Directive> {
    let mut found = Vec::new();
    read(files, MAIN_FILE, false, 0, &mut found);
    found
}

fn read(
    files: &BTreeMap<String, String>,
    file: &str,
    mut in_match: bool,
    depth: usize,
    found: &mut Vec<Directive>,
) {
    let Some(text) = files.get(file).filter(|_| depth <= MAX_INCLUDE_DEPTH) else {
        return;
    };
    for (index, line) in text.lines().enumerate() {
        let Some((keyword, arguments)) = parse(line) else { continue };
        if keyword == "match" {
            in_match =
                arguments.first().is_none_or(|word| !word.eq_ignore_ascii_case("all"));
        }
        if keyword == "include" {
            for pattern in &arguments {
                let pattern = if pattern.starts_with('/') {
                    pattern.clone()
                } else {
                    format!("/etc/ssh/{pattern}")
                };
                for included in files.keys().filter(|path| glob(&pattern, path)) {
                    read(files, included, in_match, depth + 1, found);
                }
            }
        }
        found.push(Directive {
            file: file.to_owned(),
            line: index + 1,
            keyword,
            arguments,
            text: line.trim().to_owned(),
            in_match,
        });
    }
}

/// Keyword and arguments of a line; nothing for comments and empty lines.
fn parse(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line
        .find(|c: char| c.is_whitespace() || c == '=' || c == '"')
        .unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let mut arguments = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut started = false;
    for c in rest.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                started = true;
            }
            '#' if !quoted && !started => break,
            c if c.is_whitespace() && !quoted => {
                if started {
                    arguments.push(std::mem::take(&mut word));
                    started = false;
                }
            }
            c => {
                word.push(c);
                started = true;
            }
        }
    }
    if started {
        arguments.push(word);
    }
    Some((keyword.to_ascii_lowercase(), arguments))
}

/// Shell patterns as sshd gives them to glob(3): `*`, `?` and `[...]`, none of
/// which matches a slash.
fn glob(pattern: &str, path: &str) -> bool {
    fn matches(pattern: &[char], path: &[char]) -> bool {
        let Some((&first, rest)) = pattern.split_first() else { return path.is_empty() };
        match first {
            '*' => {
                let reach = path.iter().position(|c| *c == '/').unwrap_or(path.len());
                (0..=reach).any(|taken| matches(rest, &path[taken..]))
            }
            '?' => path.first().is_some_and(|c| *c != '/') && matches(rest, &path[1..]),
            '[' => match rest.iter().skip(1).position(|c| *c == ']') {
                Some(end) => {
                    let (class, rest) = (&rest[..=end], &rest[end + 2..]);
                    path.first().is_some_and(|c| in_class(class, *c))
                        && matches(rest, &path[1..])
                }
                None => path.first() == Some(&'[') && matches(rest, &path[1..]),
            },
            c => path.first() == Some(&c) && matches(rest, &path[1..]),
        }
    }
    let (pattern, path): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), path.chars().collect());
    // A leading dot is matched only by a dot.
    let hidden = |text: &[char]| {
        let name = text.iter().rposition(|c| *c == '/').map_or(0, |slash| slash + 1);
        text.get(name) == Some(&'.')
    };
    (hidden(&pattern) || !hidden(&path)) && matches(&pattern, &path)
}

fn in_class(class: &[char], c: char) -> bool {
    let (negated, class) = match class.split_first() {
        Some(('!' | '^', rest)) => (true, rest),
        _ => (false, class),
    };
    let mut index = 0;
    let mut inside = false;
    while index < class.len() {
        if class.get(index + 1) == Some(&'-') && index + 2 < class.len() {
            inside |= (class[index]..=class[index + 2]).contains(&c);
            index += 3;
        } else {
            inside |= class[index] == c;
            index += 1;
        }
    }
    inside != negated && c != '/'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    fn ports(list: &[(&str, &str)]) -> Vec<(String, usize, String)> {
        directives(&files(list))
            .into_iter()
            .filter(|directive| directive.keyword == "port")
            .map(|directive| {
                (directive.file, directive.line, directive.arguments.join(" "))
            })
            .collect()
    }

    #[test]
    fn included_files_stand_where_they_are_included() {
        let found = ports(&[
            (MAIN_FILE, "# Port 1\nInclude /etc/ssh/sshd_config.d/*.conf\nPort 22\n"),
            ("/etc/ssh/sshd_config.d/50-b.conf", "Port=2222\n"),
            ("/etc/ssh/sshd_config.d/10-a.conf", "\n  port \"2200\" # here\n"),
            ("/etc/ssh/sshd_config.d/readme.txt", "Port 9\n"),
        ]);
        let found: Vec<_> =
            found.iter().map(|(_, line, port)| (*line, port.as_str())).collect();
        assert_eq!(found, [(2, "2200"), (1, "2222"), (3, "22")]);
    }

    #[test]
    fn relative_includes_are_below_etc_ssh() {
        let found = ports(&[
            (MAIN_FILE, "Include sshd_config.d/*.conf extra"),
            ("/etc/ssh/extra", "Port 7"),
        ]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn files_that_include_each_other_end() {
        assert!(ports(&[(MAIN_FILE, "Include sshd_config\n")]).is_empty());
    }

    #[test]
    fn what_follows_a_match_belongs_to_it() {
        let all = directives(&files(&[
            (
                MAIN_FILE,
                "Include a\nUsePAM yes\nMatch User bob\nX11Forwarding no\nMatch all\nBanner none\n",
            ),
            ("/etc/ssh/a", "Match User eve\nPermitTTY no\n"),
        ]));
        let in_match: Vec<_> = all
            .iter()
            .filter(|directive| directive.in_match && directive.keyword != "match")
            .map(|directive| directive.keyword.as_str())
            .collect();
        assert_eq!(in_match, ["permittty", "x11forwarding"]);
    }

    #[test]
    fn patterns_do_not_cross_directories() {
        assert!(glob("/etc/ssh/*.conf", "/etc/ssh/a.conf"));
        assert!(!glob("/etc/ssh/*.conf", "/etc/ssh/d/a.conf"));
        assert!(!glob("/etc/ssh/*.conf", "/etc/ssh/.a.conf"));
        assert!(glob("/etc/ssh/[0-9][!x]?.conf", "/etc/ssh/5yz.conf"));
        assert!(!glob("/etc/ssh/[0-9][!x]?.conf", "/etc/ssh/5xz.conf"));
        assert!(glob("/a[", "/a["));
        assert!(!glob("/a[]", "/ab"));
    }
}
