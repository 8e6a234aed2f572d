//! The operator's language, from the locale.

use std::env;

use doctor::Lang;

/// The language of messages: the first of `LC_ALL`, `LC_MESSAGES` and `LANG`
/// that is set decides (POSIX, XBD 8.2).
pub(crate) fn of_locale() -> Lang {
    of(|name| env::var(name).ok())
}

fn of(variable: impl Fn(&str) -> Option<String>) -> Lang {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .unwrap_or_default();
    if locale == "ja" || locale.starts_with("ja_") || locale.starts_with("ja.") {
        Lang::Ja
    } else {
        Lang::En
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let with = |set: &'static [(&str, &str)]| {
            of(move |name| {
                set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(with(&[("LANG", "ja_JP.UTF-8")]), Lang::Ja);
        assert_eq!(with(&[("LC_ALL", "C"), ("LANG", "ja_JP.UTF-8")]), Lang::En);
        assert_eq!(
            with(&[("LC_ALL", ""), ("LC_MESSAGES", "ja"), ("LANG", "C")]),
            Lang::Ja
        );
        assert_eq!(with(&[("LANG", "jam_JM")]), Lang::En);
        assert_eq!(with(&[]), Lang::En);
    }
}
