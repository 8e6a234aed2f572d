//! The options before a key in an authorized-keys file.
//!
//! sshd(8), AUTHORIZED_KEYS FILE FORMAT, and auth-options.c: options are separated
//! by commas, values are in double quotes, names are compared without case. An
//! option that sshd does not know makes the whole line void, silently.

use std::net::IpAddr;

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

/// Options that sshd knows; a leading `no-` is part of the name.
const KNOWN: &[&str] = &[
    "agent-forwarding",
    "cert-authority",
    "command",
    "environment",
    "expiry-time",
    "from",
    "no-agent-forwarding",
    "no-port-forwarding",
    "no-pty",
    "no-touch-required",
    "no-user-rc",
    "no-x11-forwarding",
    "permitlisten",
    "permitopen",
    "port-forwarding",
    "principals",
    "pty",
    "restrict",
    "tunnel",
    "user-rc",
    "verify-required",
    "x11-forwarding",
];

/// What the options object to, if they certainly do.
pub(super) fn problem(options: &str, visitor: Visitor) -> Option<OptionProblem> {
    let mut found = None;
    for (name, value) in split(options) {
        let name = name.to_ascii_lowercase();
        let problem = match name.as_str() {
            "expiry-time" if is_over(&value, visitor.today) => {
                Some(OptionProblem::Expired)
            }
            "from" if excludes(&value, visitor.address) => Some(OptionProblem::From),
            name if !KNOWN.contains(&name) => Some(OptionProblem::UnknownOption),
            _ => None,
        };
        found = found.max(problem);
    }
    found
}

/// An option before a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyOption {
    /// Its name in lower case.
    pub name: String,
    /// Its value; empty if it has none.
    pub value: String,
}

/// The options, and the names of those that sshd does not know.
pub(super) fn known(options: &str) -> (Vec<KeyOption>, Vec<String>) {
    let options: Vec<KeyOption> = split(options)
        .into_iter()
        .map(|(name, value)| KeyOption { name: name.to_ascii_lowercase(), value })
        .collect();
    let names = options.iter().map(|option| option.name.clone());
    let unknown = names.filter(|name| !KNOWN.contains(&name.as_str())).collect();
    (options, unknown)
}

/// Names and values.
fn split(options: &str) -> Vec<(String, String)> {
    let mut found = vec![(String::new(), String::new())];
    let (mut quoted, mut in_value) = (false, false);
    let mut characters = options.chars().peekable();
    while let Some(c) = characters.next() {
        let Some((name, value)) = found.last_mut() else { break };
        match c {
            ',' if !quoted => {
                in_value = false;
                found.push(Default::default());
            }
            '=' if !quoted && !in_value => in_value = true,
            '\\' if quoted && characters.peek() == Some(&'"') => {
                value.extend(characters.next());
            }
            '"' => quoted = !quoted,
            c if in_value => value.push(c),
            c => name.push(c),
        }
    }
    found.retain(|(name, _)| !name.is_empty());
    found
}

/// `YYYYMMDD`, perhaps with a time. On the day itself the hour decides, which the
/// case does not have.
fn is_over(expiry: &str, today: Option<&str>) -> bool {
    let day =
        expiry.get(..8).filter(|day| day.bytes().all(|digit| digit.is_ascii_digit()));
    day.zip(today).is_some_and(|(day, today)| day < today)
}

/// Whether a pattern list certainly leaves out an address: a name in it may be
/// the client's, and only the server's resolver knows.
fn excludes(list: &str, address: Option<IpAddr>) -> bool {
    let Some(address) = address else { return false };
    let mut listed = false;
    for pattern in list.split(',').map(str::trim) {
        let (negated, pattern) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        match address_matches(pattern, address) {
            Some(true) if negated => return true,
            Some(matches) => listed |= matches,
            None if negated => {}
            None => return false,
        }
    }
    !listed
}

/// Whether a pattern is an address; nothing if it is, or may be, a name.
fn address_matches(pattern: &str, address: IpAddr) -> Option<bool> {
    if let Some((network, length)) = pattern.split_once('/') {
        let (network, length) = (network.parse().ok()?, length.parse().ok()?);
        return Some(crate::packet_filter::in_network(address, network, length));
    }
    if let Ok(exact) = pattern.parse::<IpAddr>() {
        return Some(exact == address);
    }
    if pattern.chars().all(|c| "0123456789.*?".contains(c)) {
        return Some(super::user_lists::pattern(pattern, &address.to_string()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objection(options: &str) -> Option<OptionProblem> {
        let address = Some(IpAddr::from([10, 0, 0, 5]));
        problem(options, Visitor { address, today: Some("20261122") })
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
        assert_eq!(problem(options, Visitor::default()), None);
    }
}
