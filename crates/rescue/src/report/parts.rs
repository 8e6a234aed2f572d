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
    /// At once.
    AtOnce,
    /// At once, and others wait for what it finds.
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

/// How long a part may take once all have begun. Twice that, for what is waited for and
/// what waits, and the turns of all parts are less than a script of a
/// [guest](crate::channel::Guest) may take.
const SECONDS: u64 = 6;

// The most telling ones first: that is the order in which they are told.
parts! {
    Settings  settings  "settings.sh"  First    8_192 B: sshd::settings;
    Account   account   "account.sh"   First    8_192 B: account::account;
    Keys      keys      "keys.sh"      Then    65_536 B: keys::keys;
    Sshd      sshd      "sshd.sh"      Then    16_384 B: sshd::sshd;
    Units     units     "units.sh"     AtOnce   8_192 B: host::units;
    Listeners listeners "listeners.sh" AtOnce  16_384 B: host::listeners;
    Processes processes "processes.sh" AtOnce   8_192 B: host::processes;
    Config    config    "config.sh"    AtOnce 131_072 B: sshd::config;
    HostKeys  host_keys "host_keys.sh" Then     8_192 B: keys::host_keys;
    Nft       nft       "nft.sh"       AtOnce 262_144 B: filter::nft;
    Iptables  iptables  "iptables.sh"  AtOnce 262_144 B: filter::iptables;
    Addresses addresses "addresses.sh" AtOnce  16_384 B: filter::addresses;
    Journal   journal   "journal.sh"   AtOnce  32_768 B: sshd::journal;
    Disks     disks     "disks.sh"     AtOnce   8_192 B: host::disks;
    System    system    "system.sh"    AtOnce   2_048 B: host::system;
}

const COLLECT: &str = include_str!("../guest/collect.sh");
const USER: &str = include_str!("../guest/user.sh");

/// The text that collects all parts; its variables go before it.
pub(crate) fn script() -> String {
    let mut branches = String::new();
    let (mut first, mut then) = (String::new(), String::new());
    let mut names = Vec::new();
    for (section, text, begins, bytes) in PARTS {
        let name = section.as_str();
        branches.push_str(&format!("{name})\n{text}\n;;\n"));
        let (to, wait) = match begins {
            Begins::AtOnce => (&mut first, "all"),
            Begins::First => (&mut first, "first"),
            Begins::Then => (&mut then, "all"),
        };
        to.push_str(&format!("part {name} {bytes}\n{wait}=\"${wait} $begun\"\n"));
        names.push(name);
    }
    compact(
        &COLLECT
            .replace("@PARTS@", &branches.replace("@USER@", USER))
            .replace("@FIRST@", &first)
            .replace("@THEN@", &then)
            .replace("@NAMES@", &names.join(" "))
            .replace("@SECONDS@", &SECONDS.to_string()),
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
