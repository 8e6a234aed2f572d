//! sshd's settings for this login, and how sure they are.
//!
//! `sshd -T` says what they are. Where it cannot, the files still do, for what is known
//! of this connection. And where the client's address is not known, sshd was asked about
//! a made-up one: what a `Match` that may hold for the real one speaks of is then open.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::known::Known;
use crate::case::{Case, Settings};
use formats::sshd_config::{Config, Connection, Directive, MAIN_FILE, Setting};

/// Settings and the files that they come from.
pub(super) struct Resolved<'a> {
    settings: Known<&'a Settings>,
    /// The files, if all of them were read.
    config: Known<Config>,
    user: &'a str,
    /// The user's groups, if they are known.
    groups: Option<&'a [String]>,
    /// The client's address, if sshd was asked about it.
    address: Option<IpAddr>,
}

impl<'a> Resolved<'a> {
    pub(super) fn of(case: &'a Case) -> Self {
        let config =
            case.config.known().and_then(|config| match config.skipped.iter().next() {
                Some((file, why)) => {
                    Known::Unknown(format!("{file} was not read: {why}"))
                }
                None => Known::Is(Config::read(&config.files, MAIN_FILE)),
            });
        let settings = case.settings.known();
        let address = settings.as_ref().known().and_then(|said| said.address.as_deref());
        let account = case.account.collected();
        Self {
            config,
            user: &case.target.user,
            groups: account.and_then(|account| account.groups.as_deref()),
            address: address.and_then(|address| address.parse().ok()),
            settings,
        }
    }

    /// The lines of the files in the order in which sshd meets them.
    pub(super) fn lines(&self) -> Known<&[Directive]> {
        self.config.as_ref().map(Config::directives)
    }

    fn connection(&self) -> Connection<'_> {
        Connection {
            user: Some(self.user),
            groups: self.groups,
            address: self.address,
            ..Connection::default()
        }
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
        resolved.or_else(|why| match self.lines().known() {
            Some(lines) if !lines.iter().any(|said| said.keyword == keyword) => {
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
            if self.settings.known().is_some() {
                return Known::Unknown(why);
            }
            let said =
                self.config.known().map(|c| c.intended(keyword, &self.connection()));
            match said {
                Some(Setting::Set(lines)) => {
                    let first = lines.first().and_then(|said| said.arguments.first());
                    Known::or(first.cloned(), &why)
                }
                _ => Known::Unknown(why),
            }
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
        match &self.config {
            Known::Is(config) => config.left_open(keyword, &self.connection()),
            Known::Unknown(why) => Some(format!(
                "a Match may set {keyword} by the client's address, which is not known, \
                 and {why}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{self, Section, Target};

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
        case.config =
            Section::Collected(case::Config { files, ..case::Config::default() });
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
        let asked = |criterion: &str| {
            let text = format!("PermitTTY no\nMatch {criterion}\nPermitTTY yes\n");
            let case = case(&text, failed());
            Resolved::of(&case).is_on("permittty")
        };
        assert_eq!(asked("User bob"), Known::Is(false));
        assert_eq!(asked("User ann"), Known::Is(true));
        assert_eq!(asked("Address 10.0.0.0/8"), Known::unknown("refused"));
    }

    #[test]
    fn a_match_on_an_unknown_address_leaves_its_keywords_open() {
        let text = "Match Address 10.0.0.0/8\nAllowUsers bob\nMatch User ann\nPermitTTY no\n\
                    Match User bob Address 10.0.0.0/8\nX11Forwarding no\n";
        let asked = |keyword: &str, address| {
            let case = case(text, resolved(keyword, "x", address));
            Resolved::of(&case).list(keyword).known().is_some()
        };
        assert!(!asked("allowusers", None));
        assert!(asked("permittty", None) && asked("x11forwarding", None));
        assert!(asked("allowusers", Some("10.0.0.5")));
    }
}
