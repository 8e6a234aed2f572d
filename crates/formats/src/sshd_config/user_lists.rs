//! `AllowUsers`, `DenyUsers`, `AllowGroups`, `DenyGroups`, as sshd reads them.
//!
//! auth.c, `allowed_user`, and match.c: patterns are `USER` or `USER@HOST`, with
//! `*` and `?`; a list that is empty allows everybody. A host part is compared
//! with an address that only the server knows, so it leaves the answer open.

use crate::pattern;

/// The first entry that denies the user, if one certainly does.
pub fn denying_user(list: &[String], user: &str) -> Option<String> {
    list.iter()
        .find(|entry| !entry.contains('@') && pattern::matches(entry, user))
        .cloned()
}

/// Whether a list of users lets the user in; nothing if a host part decides.
pub fn allows_user(list: &[String], user: &str) -> Option<bool> {
    let mut open = false;
    for entry in list {
        match entry.rsplit_once('@') {
            None if pattern::matches(entry, user) => return Some(true),
            None => {}
            Some((name, _)) => open |= pattern::matches(name, user),
        }
    }
    (!open).then_some(list.is_empty())
}

/// The first group of the user that the list names.
pub fn matching_group(list: &[String], groups: &[String]) -> Option<String> {
    let named = |group: &&String| list.iter().any(|entry| pattern::matches(entry, group));
    groups.iter().find(named).cloned()
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
