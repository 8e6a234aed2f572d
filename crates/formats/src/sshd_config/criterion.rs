//! The conditions of a `Match` line (servconf.c, `match_cfg_line`).

use std::net::IpAddr;

use crate::address;
use crate::pattern::{self, Listed};

/// One connection, as far as it is known. What is not known leaves every condition
/// that asks for it open.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connection<'a> {
    /// The login name.
    pub user: Option<&'a str>,
    /// The names of all the user's groups.
    pub groups: Option<&'a [String]>,
    /// The client's name as the server's resolver gives it, or its address where
    /// the server does not ask (`UseDNS no`).
    pub host: Option<&'a str>,
    /// The client's address as the server sees it.
    pub address: Option<IpAddr>,
    /// The server's own address.
    pub local_address: Option<IpAddr>,
    /// The server's own port.
    pub local_port: Option<u16>,
    /// The routing domain; `Some("")` for none.
    pub routing_domain: Option<&'a str>,
}

/// Whether something holds for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It depends on this, which is not known.
    Unknown(&'static str),
}

impl From<bool> for Holds {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Criterion {
    All,
    User(String),
    Group(String),
    Host(String),
    Address(String),
    LocalAddress(String),
    LocalPort(u16),
    RoutingDomain(String),
}

/// The conditions of a line; why sshd refuses them, or may refuse them.
pub(super) fn parse(words: &[String]) -> Result<Vec<Criterion>, String> {
    let mut criteria = Vec::new();
    let mut words = words.iter();
    while let Some(name) = words.next() {
        let name = name.to_ascii_lowercase();
        if name == "all" {
            if !criteria.is_empty() || words.len() > 0 {
                return Err("'all' cannot be combined with other conditions".to_owned());
            }
            return Ok(vec![Criterion::All]);
        }
        let value = words.next().ok_or_else(|| format!("{name} has no value"))?.clone();
        let inconsistent = |_| format!("{value} is no list of addresses");
        criteria.push(match name.as_str() {
            "user" => Criterion::User(value),
            "group" => Criterion::Group(value),
            "host" => Criterion::Host(value.to_ascii_lowercase()),
            "address" => {
                address::check(&value).map_err(inconsistent)?;
                Criterion::Address(value)
            }
            "localaddress" => {
                address::check(&value).map_err(inconsistent)?;
                Criterion::LocalAddress(value)
            }
            "localport" => {
                let port = value.parse().ok().filter(|port| *port > 0);
                Criterion::LocalPort(port.ok_or_else(|| format!("{value} is no port"))?)
            }
            "rdomain" => Criterion::RoutingDomain(value),
            _ => return Err(format!("{name} is no condition that every sshd knows")),
        });
    }
    if criteria.is_empty() { Err("it has no condition".to_owned()) } else { Ok(criteria) }
}

impl Criterion {
    /// Whether it holds for a connection.
    pub(super) fn holds(&self, connection: &Connection) -> Holds {
        match self {
            Self::All => Holds::Yes,
            Self::User(list) => name(list, connection.user, "the user"),
            Self::Group(list) => match connection.groups {
                Some(groups) => in_groups(list, groups).into(),
                None => Holds::Unknown("the user's groups"),
            },
            Self::Host(list) => {
                let host = connection.host.map(str::to_ascii_lowercase);
                name(list, host.as_deref(), "the client's name")
            }
            Self::Address(list) => {
                addresses(list, connection.address, "the client's address")
            }
            Self::LocalAddress(list) => {
                addresses(list, connection.local_address, "the server's own address")
            }
            Self::LocalPort(port) => match connection.local_port {
                Some(ours) => (ours == *port).into(),
                None => Holds::Unknown("the server's own port"),
            },
            Self::RoutingDomain(list) => {
                name(list, connection.routing_domain, "the routing domain")
            }
        }
    }
}

fn name(list: &str, known: Option<&str>, what: &'static str) -> Holds {
    match known {
        Some(name) => (pattern::list(list, name) == Listed::Yes).into(),
        None if list == "*" => Holds::Yes,
        None => Holds::Unknown(what),
    }
}

/// groupaccess.c, `ga_match_pattern_list`: one group that is excepted is enough.
fn in_groups(list: &str, groups: &[String]) -> bool {
    let mut found = false;
    for group in groups {
        match pattern::list(list, group) {
            Listed::Negated => return false,
            Listed::Yes => found = true,
            Listed::No => {}
        }
    }
    found
}

fn addresses(list: &str, known: Option<IpAddr>, what: &'static str) -> Holds {
    match known {
        Some(address) => (address::listed(list, address) == Ok(Listed::Yes)).into(),
        None if list == "*" => Holds::Yes,
        None => Holds::Unknown(what),
    }
}
