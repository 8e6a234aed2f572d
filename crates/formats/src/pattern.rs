//! Shell patterns as OpenSSH uses them: its own `*` and `?` for names (match.c),
//! and glob(3) for the files of an `Include`.
//!
//! Both compare bytes, as OpenSSH does. Matching remembers the last `*` only: a
//! later star can always take over from an earlier one, so the work is the product
//! of the two lengths, never more.

/// What a list of patterns says about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// A pattern matches, and no negated one does.
    Yes,
    /// None matches.
    No,
    /// A negated pattern (`!...`) matches, which outweighs all others.
    Negated,
}

/// One element of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// Any text.
    Many,
    /// Any one byte.
    One,
    /// One byte of a class, `[...]` without the brackets.
    Class(&'a [u8]),
    /// This byte.
    Byte(u8),
}

/// Whether a name matches a pattern of match.c: `*` is any text, `?` any one byte.
pub fn matches(pattern: &str, text: &str) -> bool {
    let tokens: Vec<Token> = pattern
        .bytes()
        .map(|byte| match byte {
            b'*' => Token::Many,
            b'?' => Token::One,
            byte => Token::Byte(byte),
        })
        .collect();
    run(&tokens, text.as_bytes())
}

/// What a list with commas (match.c, `match_pattern_list`) says about a name.
pub fn list(patterns: &str, text: &str) -> Listed {
    let mut found = Listed::No;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern, text) => return Listed::Negated,
            Some(_) => {}
            None if matches(pattern, text) => found = Listed::Yes,
            None => {}
        }
    }
    found
}

/// Whether glob(3) would give a path for a pattern: `*`, `?` and `[...]`, none of
/// which matches a slash, nor a dot at the beginning of a name.
pub fn path(pattern: &str, path: &str) -> bool {
    let patterns: Vec<&str> = pattern.split('/').collect();
    let names: Vec<&str> = path.split('/').collect();
    patterns.len() == names.len()
        && patterns.iter().zip(&names).all(|(pattern, name)| {
            let tokens = tokens(pattern.as_bytes());
            let hidden =
                name.starts_with('.') && tokens.first() != Some(&Token::Byte(b'.'));
            !hidden && run(&tokens, name.as_bytes())
        })
}

/// Whether glob(3) would look for files, rather than take the path as it is.
pub fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '\\'])
}

fn tokens(pattern: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        tokens.push(match first {
            b'*' => Token::Many,
            b'?' => Token::One,
            b'\\' if !after.is_empty() => {
                rest = &after[1..];
                Token::Byte(after[0])
            }
            b'[' => match class_end(after) {
                Some(end) => {
                    rest = &after[end + 1..];
                    Token::Class(&after[..end])
                }
                None => Token::Byte(b'['),
            },
            byte => Token::Byte(*byte),
        });
    }
    tokens
}

/// Where a class ends: at the first `]` that is not its first member.
fn class_end(class: &[u8]) -> Option<usize> {
    let negated = usize::from(matches!(class.first(), Some(b'!' | b'^')));
    let members = class.get(negated + 1..)?;
    members.iter().position(|byte| *byte == b']').map(|at| at + negated + 1)
}

fn run(tokens: &[Token], text: &[u8]) -> bool {
    let (mut token, mut at) = (0, 0);
    // After the last star, and where the text behind it begins.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match tokens.get(token) {
            Some(Token::Many) => {
                token += 1;
                star = Some((token, at));
            }
            Some(one) if fits(*one, text[at]) => {
                token += 1;
                at += 1;
            }
            _ => match &mut star {
                Some((after, taken)) => {
                    *taken += 1;
                    (token, at) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    tokens[token..].iter().all(|token| *token == Token::Many)
}

fn fits(token: Token, byte: u8) -> bool {
    match token {
        Token::Many => false,
        Token::One => true,
        Token::Byte(wanted) => wanted == byte,
        Token::Class(class) => {
            let (negated, class) = match class.split_first() {
                Some((b'!' | b'^', rest)) => (true, rest),
                _ => (false, class),
            };
            in_class(class, byte) != negated
        }
    }
}

fn in_class(mut class: &[u8], byte: u8) -> bool {
    while let Some((first, rest)) = class.split_first() {
        class = match rest {
            [b'-', last, rest @ ..] => {
                if (*first..=*last).contains(&byte) {
                    return true;
                }
                rest
            }
            _ if *first == byte => return true,
            _ => rest,
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_and_question_marks_match_whole_names() {
        assert!(matches("a?n*", "ann") && matches("*", "") && matches("**n", "ann"));
        assert!(!matches("an", "ann") && !matches("?", ""));
    }

    #[test]
    fn many_stars_take_no_longer_than_one() {
        let pattern = "*a".repeat(2_000) + "b";
        assert!(!matches(&pattern, &"a".repeat(4_000)));
    }

    #[test]
    fn a_negated_pattern_outweighs_the_others() {
        assert_eq!(list("a*,!ann", "ann"), Listed::Negated);
        assert_eq!(list("!ann,a*", "ada"), Listed::Yes);
        assert_eq!(list("!bob", "ann"), Listed::No);
    }

    #[test]
    fn paths_do_not_cross_directories() {
        assert!(path("/etc/ssh/*.conf", "/etc/ssh/a.conf"));
        assert!(!path("/etc/ssh/*.conf", "/etc/ssh/d/a.conf"));
        assert!(!path("/etc/ssh/*.conf", "/etc/ssh/.a.conf"));
        assert!(path("/etc/ssh/.*", "/etc/ssh/.a.conf"));
        assert!(path("/etc/ssh/[0-9][!x]?.conf", "/etc/ssh/5yz.conf"));
        assert!(!path("/etc/ssh/[0-9][!x]?.conf", "/etc/ssh/5xz.conf"));
        assert!(path("/a[", "/a[") && path("/a[]]", "/a]") && path("/a\\*", "/a*"));
        assert!(!path("/a[]", "/ab") && !path("/a\\*", "/ab"));
    }

    /// The definition, word by word.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => {
                (0..=text.len()).any(|taken| naive(rest, &text[taken..]))
            }
            Some((one, rest)) => text.split_first().is_some_and(|(first, text)| {
                (*one == b'?' || one == first) && naive(rest, text)
            }),
        }
    }

    proptest! {
        #[test]
        fn it_is_what_the_definition_says(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            prop_assert_eq!(
                matches(&pattern, &text),
                naive(pattern.as_bytes(), text.as_bytes())
            );
        }
    }
}
