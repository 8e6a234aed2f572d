//! From a rule's variables to the sections of the case that they come from, so that
//! a question without an answer is blamed on the evidence that is missing.

use crate::case::Case;

/// Every variable of a rule, and the sections that it is derived from, the one that
/// it owes most first.
const VARIABLES: &[(&str, &[&str])] = &[
    ("target", &[]),
    ("symptom", &["login"]),
    ("client", &["client"]),
    ("name", &["name"]),
    ("tcp", &["tcp"]),
    ("greeting", &["greeting"]),
    ("login", &["login"]),
    ("network", &["network"]),
    ("platform", &["platform"]),
    ("boot", &["boot"]),
    ("firewall", &["firewall"]),
    ("sshd", &["sshd"]),
    ("account", &["account"]),
    ("guest", &["guest"]),
];

/// Whether a word is a variable of every rule.
pub(crate) fn is_variable(word: &str) -> bool {
    VARIABLES.iter().any(|(name, _)| *name == word)
}

/// The sections that a variable comes from and the case does not have, and why.
pub(crate) fn missing<'a>(
    variable: &str,
    case: &'a Case,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    sections(variable)
        .iter()
        .filter_map(|section| Some((*section, why_not(case, section)?)))
}

/// The section to blame for a variable of which nothing is missing.
pub(crate) fn blamed(variable: &str) -> &'static str {
    sections(variable).first().copied().unwrap_or("login")
}

fn sections(variable: &str) -> &'static [&'static str] {
    let found = VARIABLES.iter().find(|(name, _)| *name == variable);
    found.map_or(&[], |(_, sections)| *sections)
}

/// Why a section of a case is empty; nothing if it was collected.
fn why_not<'a>(case: &'a Case, section: &str) -> Option<&'a str> {
    match section {
        "client" => case.client.why_not(),
        "name" => case.name.why_not(),
        "tcp" => case.tcp.why_not(),
        "greeting" => case.greeting.why_not(),
        "login" => case.login.why_not(),
        "network" => case.network.why_not(),
        "platform" => case.platform.why_not(),
        "boot" => case.boot.why_not(),
        "firewall" => case.firewall.why_not(),
        "sshd" => case.sshd.why_not(),
        "account" => case.account.why_not(),
        "guest" => case.guest.why_not(),
        _ => None,
    }
}
