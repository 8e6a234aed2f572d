//! One line of `sshd_config`, taken apart as servconf.c does it: the keyword by
//! `strdelim` (misc.c), what follows by `argv_split`.

/// A line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// The keyword in lower case.
    pub keyword: String,
    /// What follows it, as it stands there.
    pub rest: &'a str,
    /// The same as words; none if a quote is not closed.
    pub words: Option<Vec<String>>,
}

/// What is white space between words.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Takes a line apart; nothing for comments and empty lines.
pub fn parse(line: &str) -> Option<Line<'_>> {
    let line = line.trim_start_matches([' ', '\t', '\r']);
    let line = line.trim_end_matches([' ', '\t', '\r', '\n', '\u{c}']);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut rest = Some(line);
    let keyword = word(&mut rest)?.to_ascii_lowercase();
    let rest = rest.unwrap_or_default();
    let words = if keyword == "match" {
        split(rest).map(|_| criteria(rest))
    } else {
        split(rest)
    };
    (!keyword.is_empty()).then_some(Line { keyword, rest, words })
}

/// The next word and what follows it (misc.c, `strdelim`): words end at white space
/// or at one `=`, and one pair of double quotes holds them together.
fn word(rest: &mut Option<&str>) -> Option<String> {
    let text = (*rest)?;
    let Some(end) = text.find(|c| SPACE.contains(&c) || c == '"' || c == '=') else {
        *rest = None;
        return Some(text.to_owned());
    };
    let (head, tail) = text.split_at(end);
    if let Some(quoted) = tail.strip_prefix('"') {
        let Some((inside, after)) = quoted.split_once('"') else {
            *rest = None;
            return None;
        };
        *rest = Some(after.trim_start_matches(SPACE));
        return Some(format!("{head}{inside}"));
    }
    let equals = tail.starts_with('=');
    let after = tail[1..].trim_start_matches(SPACE);
    *rest = Some(match after.strip_prefix('=') {
        Some(after) if !equals => after.trim_start_matches(SPACE),
        _ => after,
    });
    Some(head.to_owned())
}

/// The words of a `Match` line, up to a comment.
fn criteria(rest: &str) -> Vec<String> {
    let mut rest = Some(rest);
    let mut words = Vec::new();
    while let Some(word) = word(&mut rest) {
        if word.is_empty() || word.starts_with('#') {
            break;
        }
        words.push(word);
    }
    words
}

/// Words between spaces (misc.c, `argv_split`): single and double quotes hold them
/// together, a backslash escapes quotes, itself and, outside of quotes, a space; `#`
/// at the beginning of a word is a comment. None if a quote is not closed.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if matches!(characters.peek(), None | Some('#')) {
            return Some(words);
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = characters.next() {
            match c {
                '\\' => {
                    let escaped = characters.next_if(|next| {
                        matches!(next, '\'' | '"' | '\\')
                            || (quote.is_none() && *next == ' ')
                    });
                    word.push(escaped.unwrap_or('\\'));
                }
                ' ' | '\t' if quote.is_none() => break,
                '"' | '\'' if quote.is_none() => quote = Some(c),
                c if quote == Some(c) => quote = None,
                c => word.push(c),
            }
        }
        words.push(word);
        if quote.is_some() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<(String, Vec<String>)> {
        let line = parse(line)?;
        Some((line.keyword, line.words?))
    }

    fn said(keyword: &str, arguments: &[&str]) -> Option<(String, Vec<String>)> {
        let arguments = arguments.iter().map(|one| (*one).to_owned()).collect();
        Some((keyword.to_owned(), arguments))
    }

    #[test]
    fn a_keyword_is_followed_by_space_or_one_equals_sign() {
        for line in ["Port 22", "\tPORT=22", "port  =  22 # here", "Port\t\"22\"\r"] {
            assert_eq!(words(line), said("port", &["22"]), "{line}");
        }
        assert_eq!(words("Port==22"), said("port", &["=22"]));
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        for line in ["", "  ", "# Port 22", "\t#"] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            words("AllowUsers \"a b\" c'd e' f\\ g \"h\\\"\" i#j #k"),
            said("allowusers", &["a b", "cd e", "f g", "h\"", "i#j"])
        );
        assert_eq!(words("Banner \"none"), None);
        assert_eq!(words("Banner \"\""), said("banner", &[""]));
    }

    #[test]
    fn criteria_may_stand_with_equals_signs() {
        assert_eq!(
            words("Match User=bob Host \"*.x, y\" # z"),
            said("match", &["User", "bob", "Host", "*.x, y"])
        );
    }
}
