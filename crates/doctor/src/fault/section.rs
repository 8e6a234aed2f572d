//! From a rule's variables to the sections of the case that they come from, so that
//! a question without an answer is blamed on the evidence that is missing.

use crate::case::{Case, SectionName};

use SectionName as S;

/// Every variable of a rule, and the sections that it is derived from, the one that
/// it owes most first.
const VARIABLES: &[(&str, &[SectionName])] = &[
    ("target", &[]),
    ("symptom", &[S::Login]),
    ("client", &[S::Client]),
    ("name", &[S::Name]),
    ("tcp", &[S::Tcp]),
    ("greeting", &[S::Greeting]),
    ("login", &[S::Login]),
    ("network", &[S::NetworkPath]),
    ("platform", &[S::Platform]),
    ("boot", &[S::BootLog]),
    ("firewall", &[S::Nft, S::Iptables, S::Addresses, S::Units]),
    (
        "sshd",
        &[
            S::Sshd,
            S::Units,
            S::Listeners,
            S::Settings,
            S::Config,
            S::HostKeys,
            S::Processes,
            S::Journal,
        ],
    ),
    ("account", &[S::Account, S::Keys, S::Settings, S::Config]),
    ("guest", &[S::System, S::Disks]),
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
        .filter_map(|section| Some((section.as_str(), case.why_not(*section)?)))
}

/// The section to blame for a variable of which nothing is missing.
pub(crate) fn blamed(variable: &str) -> &'static str {
    sections(variable).first().map_or("login", |section| section.as_str())
}

fn sections(variable: &str) -> &'static [SectionName] {
    let found = VARIABLES.iter().find(|(name, _)| *name == variable);
    found.map_or(&[], |(_, sections)| *sections)
}
