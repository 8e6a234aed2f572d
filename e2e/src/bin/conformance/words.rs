//! A line as it is typed, and the words that a shell would make of it.

use std::collections::BTreeMap;

/// What `{name}` stands for.
pub(crate) type Names = BTreeMap<String, String>;

/// The text with its names filled in. Braces that name nothing stay: they are JSON's
/// or JMESPath's.
pub(crate) fn fill(text: &str, names: &Names) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, after) = rest.split_at(open);
        filled.push_str(before);
        let named = after[1..]
            .split_once('}')
            .and_then(|(name, end)| names.get(name).map(|value| (value, end)));
        match named {
            Some((value, end)) => {
                filled.push_str(value);
                rest = end;
            }
            None => {
                filled.push('{');
                rest = &after[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The words of a line, as a shell splits them: quotes keep blanks.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_other_braces_stay() {
        let names = Names::from([("g".to_owned(), "lab".to_owned())]);
        assert_eq!(fill("-g {g} {\"a\":{}} {x}", &names), "-g lab {\"a\":{}} {x}");
        assert_eq!(fill("[].{Name: name}", &names), "[].{Name: name}");
    }

    #[test]
    fn words_are_split_as_a_shell_does() {
        assert_eq!(split("a  'b c' \"d'e\" --x='y z'"), ["a", "b c", "d'e", "--x=y z"]);
        assert_eq!(split("--nsg ''"), ["--nsg", ""]);
        assert!(split("  ").is_empty());
    }
}
