//! The options in front of a key (auth-options.c).
//!
//! Options are separated by commas, values are in double quotes, names are compared
//! without case. An option that sshd does not know, or that is not written so, makes
//! the whole line void, silently.

use std::net::IpAddr;

use crate::address;
use crate::pattern::Listed;

/// Options that are on or off; with `true`, `no-` in front turns them off.
const FLAGS: &[(&str, bool)] = &[
    ("restrict", false),
    ("cert-authority", false),
    ("port-forwarding", true),
    ("agent-forwarding", true),
    ("x11-forwarding", true),
    ("touch-required", true),
    ("verify-required", true),
    ("pty", true),
    ("user-rc", true),
];

/// Options with a value in quotes.
const VALUES: &[&str] = &[
    "command",
    "environment",
    "expiry-time",
    "from",
    "permitlisten",
    "permitopen",
    "principals",
    "tunnel",
];

/// Options that sshd takes: names in lower case, and their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options(Vec<(String, Option<String>)>);

impl Options {
    /// Takes options apart; none if sshd would not take them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut options = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find([',', '=']).unwrap_or(rest.len());
            let name = rest[..end].to_ascii_lowercase();
            rest = &rest[end..];
            let value = match rest.strip_prefix('=') {
                Some(quoted) if VALUES.contains(&name.as_str()) => {
                    let (value, after) = unquote(quoted)?;
                    rest = after;
                    Some(value)
                }
                None if is_flag(&name) => None,
                _ => return None,
            };
            options.push((name, value));
            rest = match rest.strip_prefix(',') {
                // A comma promises another option.
                Some("") => return None,
                Some(next) => next,
                None if rest.is_empty() => rest,
                None => return None,
            };
        }
        Some(Self(options))
    }

    /// The values of an option, in their order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.filter_map(|(_, value)| value.as_deref())
    }
}

/// Whether sshd knows an option by this name, in lower case.
pub fn is_option(name: &str) -> bool {
    VALUES.contains(&name) || is_flag(name)
}

fn is_flag(name: &str) -> bool {
    FLAGS.iter().any(|(flag, may_be_off)| {
        name == *flag || (*may_be_off && name.strip_prefix("no-") == Some(flag))
    })
}

/// A value in double quotes, where `\"` is a quote, and what follows it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('"')?;
    let mut value = String::new();
    loop {
        let end = rest.find('"')?;
        let (inside, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        match inside.strip_suffix('\\') {
            Some(inside) => {
                value.push_str(inside);
                value.push('"');
            }
            None => {
                value.push_str(inside);
                return Some((value, rest));
            }
        }
    }
}

/// Options and what follows them: they end at the first space outside of quotes.
/// None if a quote is not closed.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut characters = line.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => {
                characters.next_if(|(_, next)| *next == '"');
            }
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => {
                let (options, rest) = line.split_at(at);
                return Some((options, rest.trim_start_matches([' ', '\t'])));
            }
            _ => {}
        }
    }
    (!quoted).then_some((line, ""))
}

/// Whether `from="..."` admits an address (match.c, `match_host_and_ip`); none where a
/// name in it may be the client's, which only the server's resolver knows.
pub fn admits(from: &str, client: IpAddr) -> Option<bool> {
    let named = |entry: &str| {
        let entry = entry.strip_prefix('!').unwrap_or(entry);
        let address = entry.parse::<IpAddr>().is_ok() || entry.contains('/');
        !address && !entry.bytes().all(|byte| b"0123456789.*?:".contains(&byte))
    };
    match address::listed(from, client) {
        // sshd lets nobody in by a list that it cannot read.
        Err(_) | Ok(Listed::Negated) => Some(false),
        // An excepted name may be the client's.
        Ok(Listed::Yes) if from.split(',').any(|e| e.starts_with('!') && named(e)) => {
            None
        }
        Ok(Listed::Yes) => Some(true),
        Ok(Listed::No) if from.split(',').any(|e| !e.starts_with('!') && named(e)) => {
            None
        }
        Ok(Listed::No) => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(options: &str) -> bool {
        Options::parse(options).is_some()
    }

    #[test]
    fn options_are_what_sshd_knows() {
        assert!(takes("no-pty,command=\"echo \\\"a,b\\\"\",NO-X11-forwarding,restrict"));
        for void in [
            "nope",
            "restrict,nope=\"x\"",
            "no-restrict",
            "from=10.0.0.1",
            "pty,",
            "pty=\"x\"",
            "command",
            "from=\"10.0.0.1",
            "from=\"a\"b",
        ] {
            assert!(!takes(void), "{void}");
        }
    }

    #[test]
    fn values_lose_their_quotes_once() {
        let options = Options::parse("command=\"echo \\\"a, b\\\" \\n\",from=\"x\"");
        let options = options.expect("they are right");
        let command: Vec<&str> = options.values("command").collect();
        assert_eq!(command, ["echo \"a, b\" \\n"]);
    }

    #[test]
    fn from_admits_addresses_networks_and_patterns() {
        let here = IpAddr::from([10, 0, 0, 5]);
        for list in ["10.0.0.5", "192.0.2.1,10.0.0.0/24", "10.*", "*", "10.0.0.?"] {
            assert_eq!(admits(list, here), Some(true), "{list}");
        }
        for list in ["192.0.2.1", "10.0.1.0/24", "!10.0.0.5,*", "11.*,10.0.0.1/24"] {
            assert_eq!(admits(list, here), Some(false), "{list}");
        }
        for list in ["host.example", "10.*,!host.example", "11.*,*.example"] {
            assert_eq!(admits(list, here), None, "{list}");
        }
    }
}
