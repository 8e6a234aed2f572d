//! `AllowUsers`, `DenyUsers`, `AllowGroups`, `DenyGroups`, as sshd reads them.
//!
//! auth.c, `allowed_user`, and match.c: patterns are `USER` or `USER@HOST`, with
//! `*` and `?`; a list that is empty allows everybody. A host part is compared
//! with an address that only the server knows, so it leaves the answer open.

use formats::pattern;

use super::known::Known;

/// The first entry that denies the user; open if a host part decides.
pub(super) fn denying_user(list: &[String], user: &str) -> Known<Option<String>> {
    let denies = |entry: &&String| !entry.contains('@') && pattern::matches(entry, user);
    match list.iter().find(denies) {
        Some(entry) => Known::Is(Some(entry.clone())),
        None => match by_host(list, user) {
            Some(entry) => Known::Unknown(format!("the client's host decides `{entry}`")),
            None => Known::Is(None),
        },
    }
}

/// Whether a list of users lets the user in; open if a host part decides.
pub(super) fn allows_user(list: &[String], user: &str) -> Known<bool> {
    let allows = |entry: &String| !entry.contains('@') && pattern::matches(entry, user);
    if list.is_empty() || list.iter().any(allows) {
        return Known::Is(true);
    }
    match by_host(list, user) {
        Some(entry) => Known::Unknown(format!("the client's host decides `{entry}`")),
        None => Known::Is(false),
    }
}

/// The first entry for this user that has a host part.
fn by_host<'a>(list: &'a [String], user: &str) -> Option<&'a String> {
    list.iter().find(|entry| {
        entry.rsplit_once('@').is_some_and(|(name, _)| pattern::matches(name, user))
    })
}

/// The first group of the user that the list names.
pub(super) fn matching_group(list: &[String], groups: &[String]) -> Option<String> {
    groups
        .iter()
        .find(|group| list.iter().any(|entry| pattern::matches(entry, group)))
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn an_empty_list_allows_everybody() {
        assert_eq!(allows_user(&[], "ann"), Known::Is(true));
    }

    #[test]
    fn names_and_patterns_are_compared_whole() {
        assert_eq!(allows_user(&list("bob a?n"), "ann"), Known::Is(true));
        assert_eq!(allows_user(&list("bob an"), "ann"), Known::Is(false));
        let denying = denying_user(&list("bob ann*"), "ann");
        assert_eq!(denying, Known::Is(Some("ann*".to_owned())));
    }

    #[test]
    fn a_host_part_leaves_the_answer_open() {
        assert!(allows_user(&list("ann@10.0.0.1"), "ann").why_not().is_some());
        assert_eq!(allows_user(&list("bob@10.0.0.1"), "ann"), Known::Is(false));
        assert!(denying_user(&list("ann@10.0.0.1"), "ann").why_not().is_some());
        assert_eq!(denying_user(&list("bob@10.0.0.1"), "ann"), Known::Is(None));
    }
}
