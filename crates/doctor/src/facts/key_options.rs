//! What the options before a key object to. Which there are and how they are written,
//! `formats::authorized_keys` knows.

use std::net::IpAddr;

use formats::authorized_keys::{Entry, admits};
use serde::Serialize;

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
pub(super) fn problem(entry: &Entry, visitor: Visitor) -> Option<OptionProblem> {
    let Some(options) = entry.options() else {
        return Some(OptionProblem::UnknownOption);
    };
    let expired = options.values("expiry-time").any(|day| is_over(day, visitor.today));
    let elsewhere = visitor.address.is_some_and(|address| {
        options.values("from").any(|list| admits(list, address) == Some(false))
    });
    if elsewhere {
        Some(OptionProblem::From)
    } else if expired {
        Some(OptionProblem::Expired)
    } else {
        None
    }
}

/// `YYYYMMDD`, perhaps with a time. On the day itself the hour decides, which the
/// case does not have.
fn is_over(expiry: &str, today: Option<&str>) -> bool {
    let day =
        expiry.get(..8).filter(|day| day.bytes().all(|digit| digit.is_ascii_digit()));
    day.zip(today).is_some_and(|(day, today)| day < today)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEJlKyCYkpMbZ4BcMvZ4N4bpZtqnRj2sNXWQhn6nX1eS";

    fn entry(options: &str) -> Entry {
        Entry::parse(&format!("{options} {KEY}")).expect("a key")
    }

    fn objection(options: &str) -> Option<OptionProblem> {
        let address = Some(IpAddr::from([10, 0, 0, 5]));
        problem(&entry(options), Visitor { address, today: Some("20261122") })
    }

    #[test]
    fn known_options_are_no_problem() {
        assert_eq!(
            objection("no-pty,command=\"echo \\\"a,b\\\"\",NO-X11-forwarding"),
            None
        );
        assert_eq!(objection(""), None);
    }

    #[test]
    fn one_unknown_option_voids_the_line() {
        assert_eq!(objection("no-such-option"), Some(OptionProblem::UnknownOption));
        assert_eq!(objection("restrict,nope=\"x\""), Some(OptionProblem::UnknownOption));
    }

    #[test]
    fn a_key_expires_after_its_day() {
        assert_eq!(objection("expiry-time=\"20200101\""), Some(OptionProblem::Expired));
        assert_eq!(objection("expiry-time=\"202611220000\""), None);
        assert_eq!(objection("expiry-time=\"20270101\""), None);
    }

    #[test]
    fn from_lists_addresses_networks_and_patterns() {
        for here in
            ["10.0.0.5", "192.0.2.1,10.0.0.0/24", "10.*", "host.example", "*", "10.0.0.?"]
        {
            assert_eq!(objection(&format!("from=\"{here}\"")), None, "{here}");
        }
        for elsewhere in ["192.0.2.1", "10.0.1.0/24", "!10.0.0.5,*", "11.*,192.0.2.0/24"]
        {
            let found = objection(&format!("from=\"{elsewhere}\""));
            assert_eq!(found, Some(OptionProblem::From), "{elsewhere}");
        }
    }

    #[test]
    fn what_is_not_known_is_no_objection() {
        let options = "from=\"192.0.2.1\",expiry-time=\"20200101\"";
        assert_eq!(problem(&entry(options), Visitor::default()), None);
    }
}
