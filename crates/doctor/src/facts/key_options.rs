//! The options before a key in an authorized-keys file.
//!
//! sshd(8), AUTHORIZED_KEYS FILE FORMAT, and auth-options.c: an option that sshd does
//! not know makes the whole line void, silently.

use std::net::IpAddr;

use formats::authorized_keys::{admits, is_option};
use serde::Serialize;

use super::known::Known;
use crate::case::KeyOption;

/// What an option objects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptionProblem {
    /// `expiry-time` is over.
    Expired,
    /// `from` does not list the client's address.
    From,
    /// sshd does not know an option, and skips the line.
    UnknownOption,
}

/// Who logs in, and when.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Visitor<'a> {
    /// The client's address as the guest sees it, where it is known.
    pub(super) address: Option<IpAddr>,
    /// Today in the guest, `YYYYMMDD`, where it is known.
    pub(super) today: Option<&'a str>,
}

/// What the options object to. One certain objection is enough to know that the line is
/// void; that it is not takes all of them.
pub(super) fn problem(
    options: &[KeyOption],
    visitor: Visitor,
) -> Known<Option<OptionProblem>> {
    let of = |option: &KeyOption| match option.name.as_str() {
        "expiry-time" => objects(OptionProblem::Expired, is_over(option, visitor.today)),
        "from" => objects(OptionProblem::From, excludes(option, visitor.address)),
        name => Known::Is((!is_option(name)).then_some(OptionProblem::UnknownOption)),
    };
    let said: Vec<_> = options.iter().map(of).collect();
    let certain = said.iter().filter_map(|one| one.known().copied().flatten()).max();
    match said.iter().find_map(Known::why_not) {
        Some(why) if certain.is_none() => Known::unknown(why),
        _ => Known::Is(certain),
    }
}

fn objects(problem: OptionProblem, does: Known<bool>) -> Known<Option<OptionProblem>> {
    does.and_then(|does| Known::Is(does.then_some(problem)))
}

/// The names of options that sshd does not know.
pub(super) fn unknown(options: &[KeyOption]) -> Vec<String> {
    let names = options.iter().map(|option| &option.name);
    names.filter(|name| !is_option(name)).cloned().collect()
}

/// The options as they stand in the file, without the values that stay in the guest.
pub(super) fn text(options: &[KeyOption]) -> String {
    let words: Vec<String> = options
        .iter()
        .map(|option| match &option.value {
            Some(value) => format!("{}=\"{value}\"", option.name),
            None => option.name.clone(),
        })
        .collect();
    words.join(",")
}

/// `YYYYMMDD`, perhaps with a time. On the day itself the hour decides, which the
/// case does not have.
fn is_over(expiry: &KeyOption, today: Option<&str>) -> Known<bool> {
    let day = expiry.value.as_deref().and_then(|value| value.get(..8));
    let day = day.filter(|day| day.bytes().all(|digit| digit.is_ascii_digit()));
    match (day, today) {
        (None, _) => Known::unknown("the guest does not tell when the key expires"),
        (_, None) => Known::unknown("the guest's date is not known"),
        (Some(day), Some(today)) if day == today => {
            Known::unknown("the key expires today, and the hour decides")
        }
        (Some(day), Some(today)) => Known::Is(day < today),
    }
}

/// Whether a list leaves out an address.
fn excludes(list: &KeyOption, address: Option<IpAddr>) -> Known<bool> {
    match (list.value.as_deref(), address) {
        (None, _) => Known::unknown("the guest does not tell whom the key's line admits"),
        (_, None) => Known::unknown(
            "the key's line admits some addresses, and this client's is not known: say \
             --client-address",
        ),
        (Some(list), Some(address)) => Known::or(
            admits(list, address).map(|admitted| !admitted),
            "the key's line admits hosts by their names, which the guest looks up",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(name: &str, value: Option<&str>) -> KeyOption {
        KeyOption { name: name.to_owned(), value: value.map(str::to_owned) }
    }

    fn asked(options: &[KeyOption]) -> Known<Option<OptionProblem>> {
        let address = Some(IpAddr::from([10, 0, 0, 5]));
        problem(options, Visitor { address, today: Some("20261122") })
    }

    fn says(found: &Known<Option<OptionProblem>>, why: &str) -> bool {
        found.why_not().is_some_and(|said| said.contains(why))
    }

    fn objection(options: &[KeyOption]) -> Option<OptionProblem> {
        match asked(options) {
            Known::Is(objection) => objection,
            Known::Unknown(why) => panic!("{options:?}: {why}"),
        }
    }

    #[test]
    fn known_options_are_no_problem() {
        let options = [option("no-pty", None), option("command", None)];
        assert_eq!(objection(&options), None);
        assert_eq!(objection(&[]), None);
    }

    #[test]
    fn one_unknown_option_voids_the_line() {
        let unknown = Some(OptionProblem::UnknownOption);
        assert_eq!(objection(&[option("no-such-option", None)]), unknown);
        assert_eq!(objection(&[option("restrict", None), option("nope", None)]), unknown);
    }

    #[test]
    fn a_key_expires_after_its_day() {
        let expiry = |time| objection(&[option("expiry-time", Some(time))]);
        assert_eq!(expiry("20200101"), Some(OptionProblem::Expired));
        assert_eq!(expiry("20270101"), None);
        let today = [option("expiry-time", Some("202611220000"))];
        assert!(says(&asked(&today), "the hour decides"));
    }

    #[test]
    fn from_lists_addresses_networks_and_patterns() {
        for here in ["10.0.0.5", "192.0.2.1,10.0.0.0/24", "10.*", "*", "10.0.0.?"] {
            assert_eq!(objection(&[option("from", Some(here))]), None, "{here}");
        }
        for elsewhere in ["192.0.2.1", "10.0.1.0/24", "!10.0.0.5,*", "11.*,192.0.2.0/24"]
        {
            let found = objection(&[option("from", Some(elsewhere))]);
            assert_eq!(found, Some(OptionProblem::From), "{elsewhere}");
        }
    }

    #[test]
    fn what_is_not_known_is_neither_an_objection_nor_none() {
        let (from, expiry) =
            (option("from", Some("192.0.2.1")), option("expiry-time", Some("20200101")));
        let nobody = |options: &[KeyOption]| problem(options, Visitor::default());
        let why = nobody(std::slice::from_ref(&from));
        assert!(says(&why, "--client-address"), "{why:?}");
        assert!(nobody(&[expiry]).known().is_none());
        assert!(asked(&[option("from", None)]).known().is_none());
        assert!(asked(&[option("from", Some("host.example"))]).known().is_none());
        // What else voids the line is certain all the same.
        let void = nobody(&[from, option("nope", None)]);
        assert_eq!(void.known(), Some(&Some(OptionProblem::UnknownOption)));
    }
}
