//! The parts of a collection: one for each section that the guest answers.
//!
//! A part is a script, when it begins, the bytes that it may take, and the reader of what
//! it prints; each is one row of the table below, and each has the same time. Within its
//! budget a part can do what it likes: it runs beside the others, and if it hangs, fails
//! or prints too much, its own section says so.

use doctor::case::{Case, SectionName};

use crate::channel::script::compact;
use crate::report::{Asked, Part, Report, account, filter, host, keys, sshd};

/// When a part begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins {
    /// At once: others wait for what it finds.
    First,
    /// When those are done.
    Then,
}

/// Declares every part once.
macro_rules! parts {
    ($($section:ident $field:ident $file:literal $begins:ident $bytes:literal B: $read:path;)*) => {
        /// Name, script, when it begins, bytes.
        const PARTS: &[(SectionName, &str, Begins, u64)] = &[$((
            SectionName::$section,
            include_str!(concat!("../guest/parts/", $file)),
            Begins::$begins,
            $bytes,
        ),)*];

        /// Fills the guest's sections of a case from a report.
        pub(crate) fn fill(case: &mut Case, report: &Report<'_>, asked: &Asked) {
            $(
                let part = report.part(SectionName::$section.as_str(), SECONDS, $bytes);
                case.$field = match part.and_then(|part: Part<'_>| $read(&part, asked)) {
                    Ok(evidence) => doctor::case::Section::Collected(evidence),
                    Err(why) => doctor::case::Section::Failed(why),
                };
            )*
        }

        /// Leaves the guest's sections of a case empty.
        pub(crate) fn leave(case: &mut Case, tried: bool, why: &str) {
            $(
                case.$field = if tried {
                    doctor::case::Section::Failed(why.to_owned())
                } else {
                    doctor::case::Section::NotTried(why.to_owned())
                };
            )*
        }
    };
}

/// How long a part may take. Twice that, for what is waited for and what waits, is less
/// than a script of a [guest](crate::channel::Guest) may take.
const SECONDS: u64 = 6;

// The most telling ones first: that is the order in which they are told.
parts! {
    Settings  settings  "settings.sh"  First     8_192 B: sshd::settings;
    Account   account   "account.sh"   First     8_192 B: account::account;
    Keys      keys      "keys.sh"      Then     65_536 B: keys::keys;
    Sshd      sshd      "sshd.sh"      Then     16_384 B: sshd::sshd;
    Units     units     "units.sh"     Then      8_192 B: host::units;
    Listeners listeners "listeners.sh" Then     16_384 B: host::listeners;
    Processes processes "processes.sh" Then      8_192 B: host::processes;
    Config    config    "config.sh"    Then    131_072 B: sshd::config;
    HostKeys  host_keys "host_keys.sh" Then      8_192 B: keys::host_keys;
    Nft       nft       "nft.sh"       Then  1_048_576 B: filter::nft;
    Iptables  iptables  "iptables.sh"  Then  1_048_576 B: filter::iptables;
    Addresses addresses "addresses.sh" Then     16_384 B: filter::addresses;
    Journal   journal   "journal.sh"   Then     32_768 B: sshd::journal;
    Disks     disks     "disks.sh"     Then      8_192 B: host::disks;
    System    system    "system.sh"    Then      2_048 B: host::system;
}

const COLLECT: &str = include_str!("../guest/collect.sh");
const USER: &str = include_str!("../guest/user.sh");

/// The text that collects all parts; its variables go before it.
pub(crate) fn script() -> String {
    let mut functions = String::new();
    let (mut first, mut then) = (String::new(), String::new());
    for (section, text, begins, bytes) in PARTS {
        let name = section.as_str();
        functions.push_str(&format!("part_{name}() {{\n{text}\n}}\n"));
        let wave = match begins {
            Begins::First => &mut first,
            Begins::Then => &mut then,
        };
        wave.push_str(&format!("part {name} {bytes}\n"));
    }
    let names: Vec<&str> = PARTS.iter().map(|(section, ..)| section.as_str()).collect();
    let seconds: Vec<String> = (1..SECONDS).map(|second| second.to_string()).collect();
    compact(
        &COLLECT
            .replace("@PARTS@", &functions.replace("@USER@", USER))
            .replace("@FIRST@", &first)
            .replace("@THEN@", &then)
            .replace("@NAMES@", &names.join(" "))
            .replace("@SECONDS@", &seconds.join(" ")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use doctor::case::{SECTIONS, Side};

    #[test]
    fn every_section_of_the_guest_has_a_part() {
        let of_guest = SECTIONS.iter().filter(|section| section.side() == Side::Guest);
        for section in of_guest {
            assert!(PARTS.iter().any(|(name, ..)| name == section), "{section:?}");
        }
    }

    #[test]
    fn nothing_is_left_to_fill_in_and_no_comment_travels() {
        let script = script();
        for word in
            ["@PARTS@", "@FIRST@", "@THEN@", "@NAMES@", "@SECONDS@", "@USER@", "\n# "]
        {
            assert!(!script.contains(word), "{word}");
        }
        // Run Command takes a script of 256 KiB; this is far from it.
        assert!(script.len() < 40_000, "{}", script.len());
    }
}
