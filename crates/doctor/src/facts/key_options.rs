//! The options before a key in an authorized-keys file.
//!
//! sshd(8), AUTHORIZED_KEYS FILE FORMAT, and auth-options.c: an option that sshd does
//! not know makes the whole line void, silently.

use std::net::IpAddr;

use formats::authorized_keys::{admits, is_option};
use serde::Serialize;

use crate::case::KeyOption;

/// What an option objects to. Only what is certain is an objection.
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

/// What the options object to, if they certainly do.
pub(super) fn problem(options: &[KeyOption], visitor: Visitor) -> Option<OptionProblem> {
    let of = |option: &KeyOption| {
        let value = option.value.as_deref().unwrap_or_default();
        match option.name.as_str() {
            "expiry-time" if is_over(value, visitor.today) => {
                Some(OptionProblem::Expired)
            }
            "from" if excludes(value, visitor.address) => Some(OptionProblem::From),
            name if !is_option(name) => Some(OptionProblem::UnknownOption),
            _ => None,
        }
    };
    options.iter().filter_map(of).max()
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
fn is_over(expiry: &str, today: Option<&str>) -> bool {
    let day =
        expiry.get(..8).filter(|day| day.bytes().all(|digit| digit.is_ascii_digit()));
    day.zip(today).is_some_and(|(day, today)| day < today)
}

/// Whether a list certainly leaves out an address. One that is not told leaves out
/// nobody.
fn excludes(list: &str, address: Option<IpAddr>) -> bool {
    let admitted = address.filter(|_| !list.is_empty()).and_then(|ip| admits(list, ip));
    admitted == Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(name: &str, value: Option<&str>) -> KeyOption {
        KeyOption { name: name.to_owned(), value: value.map(str::to_owned) }
    }

    fn objection(options: &[KeyOption]) -> Option<OptionProblem> {
        let address = Some(IpAddr::from([10, 0, 0, 5]));
        problem(options, Visitor { address, today: Some("20261122") })
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
        assert_eq!(expiry("202611220000"), None);
        assert_eq!(expiry("20270101"), None);
    }

    #[test]
    fn from_lists_addresses_networks_and_patterns() {
        for here in
            ["10.0.0.5", "192.0.2.1,10.0.0.0/24", "10.*", "host.example", "*", "10.0.0.?"]
        {
            assert_eq!(objection(&[option("from", Some(here))]), None, "{here}");
        }
        for elsewhere in ["192.0.2.1", "10.0.1.0/24", "!10.0.0.5,*", "11.*,192.0.2.0/24"]
        {
            let found = objection(&[option("from", Some(elsewhere))]);
            assert_eq!(found, Some(OptionProblem::From), "{elsewhere}");
        }
    }

    #[test]
    fn what_is_not_known_is_no_objection() {
        let options =
            [option("from", Some("192.0.2.1")), option("expiry-time", Some("20200101"))];
        assert_eq!(problem(&options, Visitor::default()), None);
        assert_eq!(objection(&[option("from", None)]), None);
    }
}
