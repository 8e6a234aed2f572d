//! `AllowUsers`, `DenyUsers`, `AllowGroups`, `DenyGroups`, as sshd reads them.
//!
//! auth.c, `allowed_user`, and match.c: patterns are `USER` or `USER@HOST`, with
//! `*` and `?`; a list that is empty allows everybody. A host part is compared
//! with an address that only the server knows, so it leaves the answer open.

/// The first entry that denies the user, if one certainly does.
pub(super) fn denying_user(list: &[String], user: &str) -> Option<String> {
    list.iter().find(|entry| !entry.contains('@') && pattern(entry, user)).cloned()
}

/// Whether a list of users lets the user in; nothing if a host part decides.
pub(super) fn allows_user(list: &[String], user: &str) -> Option<bool> {
    let mut open = false;
    for entry in list {
        match entry.rsplit_once('@') {
            None if pattern(entry, user) => return Some(true),
            None => {}
            Some((name, _)) => open |= pattern(name, user),
        }
    }
    (!open).then_some(list.is_empty())
}

/// The first group of the user that the list names.
pub(super) fn matching_group(list: &[String], groups: &[String]) -> Option<String> {
    groups.iter().find(|group| list.iter().any(|entry| pattern(entry, group))).cloned()
}

/// sshd's patterns: `*` is any text, `?` any one character.
pub(super) fn pattern(pattern: &str, text: &str) -> bool {
    fn matches(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => {
                (0..=text.len()).any(|taken| matches(rest, &text[taken..]))
            }
            Some((one, rest)) => text.split_first().is_some_and(|(first, text)| {
                (*one == '?' || one == first) && matches(rest, text)
            }),
        }
    }
    let characters = |text: &str| text.chars().collect::<Vec<char>>();
    matches(&characters(pattern), &characters(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn an_empty_list_allows_everybody() {
        assert_eq!(allows_user(&[], "ann"), Some(true));
    }

    #[test]
    fn names_and_patterns_are_compared_whole() {
        assert_eq!(allows_user(&list("bob a?n"), "ann"), Some(true));
        assert_eq!(allows_user(&list("bob an"), "ann"), Some(false));
        assert_eq!(denying_user(&list("bob ann*"), "ann"), Some("ann*".to_owned()));
    }

    #[test]
    fn a_host_part_leaves_the_answer_open() {
        assert_eq!(allows_user(&list("ann@10.0.0.1"), "ann"), None);
        assert_eq!(allows_user(&list("bob@10.0.0.1"), "ann"), Some(false));
        assert_eq!(denying_user(&list("ann@10.0.0.1"), "ann"), None);
    }
}
