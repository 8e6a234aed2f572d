//! Patterns of actions: `*` stands for anything, also for nothing and for slashes.

/// One of a role's patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// What stands between the stars, in lower case.
    parts: Vec<String>,
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn new(text: &str) -> Self {
        Self { parts: text.to_ascii_lowercase().split('*').map(str::to_owned).collect() }
    }

    /// Whether an action, in lower case, is meant.
    pub(crate) fn matches(&self, action: &str) -> bool {
        let [first, between @ ..] = self.parts.as_slice() else { return false };
        let Some(mut rest) = action.strip_prefix(first.as_str()) else { return false };
        let Some((last, between)) = between.split_last() else { return rest.is_empty() };
        // Taking each part where it comes first leaves the most for the others.
        for part in between {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a star means, written down as it is said.
    fn naive(pattern: &[char], action: &[char]) -> bool {
        match pattern {
            [] => action.is_empty(),
            ['*', rest @ ..] => (0..=action.len()).any(|at| naive(rest, &action[at..])),
            [one, rest @ ..] => action.first() == Some(one) && naive(rest, &action[1..]),
        }
    }

    #[test]
    fn a_star_stands_for_any_number_of_segments() {
        let action = "microsoft.compute/virtualmachines/extensions/write";
        for (pattern, means) in [
            ("*", true),
            ("*/write", true),
            ("*/read", false),
            ("Microsoft.Compute/*/write", true),
            ("Microsoft.Compute/virtualMachines/*", true),
            ("Microsoft.Compute/virtualMachines/write", false),
            ("Microsoft.Compute/virtualMachines/extensions/write", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(action), means, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn patterns_mean_what_they_say(pattern in "[ab/*]{0,8}", action in "[ab/]{0,12}") {
            let spelled: Vec<char> = pattern.chars().collect();
            let meant = naive(&spelled, &action.chars().collect::<Vec<_>>());
            prop_assert_eq!(Pattern::new(&pattern).matches(&action), meant);
        }
    }
}
