//! sshd's settings for this login, and how sure they are.
//!
//! `sshd -T` says what they are. Where it cannot, a line of the files outside of any
//! `Match` still does, as long as no `Match` speaks of the same keyword. And where the
//! client's address is not known, sshd was asked about a made-up one: what a `Match`
//! on addresses or hosts speaks of is then open.

use std::collections::{BTreeMap, BTreeSet};

use super::known::Known;
use crate::case::{Case, Settings};
use formats::sshd_config::{self, Directive};

/// Criteria of `Match` that look at the connection and not at the account.
const OF_THE_CONNECTION: [&str; 4] = ["address", "host", "localaddress", "rdomain"];

/// Settings and the files that they come from.
pub(super) struct Resolved<'a> {
    settings: Known<&'a Settings>,
    /// The lines of the files, if all of them were read.
    pub(super) config: Known<Vec<Directive>>,
}

impl<'a> Resolved<'a> {
    pub(super) fn of(case: &'a Case) -> Self {
        let config =
            case.config.known().and_then(|config| match config.skipped.iter().next() {
                Some((file, why)) => {
                    Known::Unknown(format!("{file} was not read: {why}"))
                }
                None => Known::Is(sshd_config::directives(&config.files)),
            });
        Self { settings: case.settings.known(), config }
    }

    /// All values of a keyword, in lower case; none if `sshd -T` does not name it, or
    /// if it cannot tell and no line of the files does.
    pub(super) fn list(&self, keyword: &str) -> Known<Vec<String>> {
        let resolved = self.settings.as_ref().and_then(|settings| {
            let values = settings.values.get(keyword).cloned().unwrap_or_default();
            match self.open(settings, keyword) {
                Some(why) => Known::Unknown(why),
                None => Known::Is(values),
            }
        });
        resolved.or_else(|why| match self.config.known() {
            Some(config) if !config.iter().any(|said| said.keyword == keyword) => {
                Known::Is(Vec::new())
            }
            _ => Known::Unknown(why),
        })
    }

    /// The one value of a keyword.
    pub(super) fn value(&self, keyword: &str) -> Known<String> {
        let silent = self
            .settings
            .why_not()
            .map_or_else(|| format!("sshd -T does not name {keyword}"), str::to_owned);
        let resolved = self
            .list(keyword)
            .and_then(|values| Known::or(values.into_iter().next(), &silent));
        resolved.or_else(|why| {
            let lines = self.config.known().map(Vec::as_slice).unwrap_or_default();
            let mut said = lines.iter().filter(|said| said.keyword == keyword);
            let Some(first) = said.next() else { return Known::Unknown(why) };
            if self.settings.known().is_some()
                || first.in_match
                || said.any(|s| s.in_match)
            {
                return Known::Unknown(why);
            }
            Known::or(first.arguments.first().cloned(), &why)
        })
    }

    /// A keyword that is on or off.
    pub(super) fn is_on(&self, keyword: &str) -> Known<bool> {
        self.value(keyword).map(|value| value.eq_ignore_ascii_case("yes"))
    }

    /// Everything that `sshd -T` says.
    pub(super) fn all(&self) -> Known<BTreeMap<String, Known<Vec<String>>>> {
        self.settings.as_ref().map(|settings| {
            let keywords = settings.values.keys();
            keywords.map(|keyword| (keyword.clone(), self.list(keyword))).collect()
        })
    }

    /// Why a keyword's value may be another one for the real client.
    fn open(&self, settings: &Settings, keyword: &str) -> Option<String> {
        if settings.address.is_some() {
            return None;
        }
        let unsure = match &self.config {
            Known::Is(lines) => by_connection(lines).contains(keyword),
            Known::Unknown(_) => true,
        };
        unsure.then(|| {
            format!(
                "a Match may set {keyword} by the client's address, which is not known"
            )
        })
    }
}

/// Keywords inside of blocks that look at the connection.
fn by_connection(lines: &[Directive]) -> BTreeSet<&str> {
    let mut looks = false;
    let mut found = BTreeSet::new();
    for said in lines {
        if said.keyword == "match" {
            looks = said.arguments.iter().any(|word| {
                let criterion = word.split('=').next().unwrap_or(word);
                OF_THE_CONNECTION.iter().any(|one| criterion.eq_ignore_ascii_case(one))
            });
        } else if said.in_match && looks {
            found.insert(said.keyword.as_str());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Config, Section, Target};
    use formats::sshd_config::MAIN_FILE;

    fn case(text: &str, settings: Section<Settings>) -> Case {
        let target = Target {
            user: "ann".to_owned(),
            host: "h".to_owned(),
            port: 22,
            resource_id: None,
            identity: None,
        };
        let mut case = Case::new(target, "2026-11-22T12:00:00Z".to_owned());
        let files = [(MAIN_FILE.to_owned(), text.to_owned())].into();
        case.config = Section::Collected(Config { files, ..Config::default() });
        case.settings = settings;
        case
    }

    fn resolved(keyword: &str, value: &str, address: Option<&str>) -> Section<Settings> {
        Section::Collected(Settings {
            values: [(keyword.to_owned(), vec![value.to_owned()])].into(),
            address: address.map(str::to_owned),
        })
    }

    #[test]
    fn sshd_s_own_answer_stands_before_the_files() {
        let case = case("UsePAM no\n", resolved("usepam", "yes", None));
        assert_eq!(Resolved::of(&case).is_on("usepam"), Known::Is(true));
    }

    #[test]
    fn a_line_stands_in_for_it_unless_a_match_speaks_of_the_same() {
        let failed = || Section::Failed("refused".to_owned());
        let plain = case("UsePAM no\n", failed());
        assert_eq!(Resolved::of(&plain).is_on("usepam"), Known::Is(false));
        let silent = case("Port 22\n", failed());
        assert_eq!(Resolved::of(&silent).is_on("usepam"), Known::unknown("refused"));
        let matched = case("StrictModes no\nMatch User bob\nStrictModes yes\n", failed());
        assert_eq!(
            Resolved::of(&matched).is_on("strictmodes"),
            Known::unknown("refused")
        );
    }

    #[test]
    fn a_match_on_an_unknown_address_leaves_its_keywords_open() {
        let text =
            "Match Address 10.0.0.0/8\nAllowUsers bob\nMatch User ann\nPermitTTY no\n";
        let asked = |keyword: &str, address| {
            let case = case(text, resolved(keyword, "x", address));
            Resolved::of(&case).list(keyword).known().is_some()
        };
        assert!(!asked("allowusers", None));
        assert!(asked("permittty", None));
        assert!(asked("allowusers", Some("10.0.0.5")));
    }
}
