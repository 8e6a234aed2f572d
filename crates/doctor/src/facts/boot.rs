//! The serial console's log, cut to the last boot.
//!
//! The log keeps earlier boots, and what they said is over. A boot begins with
//! the firmware, the boot loader or the kernel; a container has none of these
//! and begins with systemd's greeting.

use serde::Serialize;

use crate::case::BootLog;

/// What begins a boot.
const BEGINNINGS: &[&str] = &[
    "SeaBIOS (version",
    "BdsDxe: loading Boot",
    "UEFI: Attempting to start image",
    "Welcome to GRUB!",
    "Linux version ",
];

/// The serial console's log.
#[derive(Debug, Clone, Serialize)]
pub struct BootFacts {
    /// The lines of the last boot.
    pub lines: Vec<String>,
    /// The last boot as one text.
    pub text: String,
    /// Whether the log has nothing at all.
    pub empty: bool,
    /// Units that systemd failed to start, by its own words.
    pub failed_units: Vec<String>,
}

pub(super) fn derive(log: &BootLog) -> BootFacts {
    let all: Vec<&str> = log.text.lines().map(str::trim_end).collect();
    let begins = |line: &&str| BEGINNINGS.iter().any(|text| line.contains(text));
    let greets = |line: &&str| line.contains("Welcome to ") && line.ends_with('!');
    let start = all
        .iter()
        .rposition(begins)
        .or_else(|| all.iter().rposition(greets))
        .unwrap_or(0);
    let lines: Vec<String> = all[start..]
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| (*line).to_owned())
        .collect();
    BootFacts {
        failed_units: lines
            .iter()
            .filter_map(|line| line.split_once("Failed to start "))
            .map(|(_, unit)| unit.trim_end_matches('.').to_owned())
            .collect(),
        text: lines.join("\n"),
        empty: log.total_bytes == 0 && log.text.trim().is_empty(),
        lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_boots_are_over() {
        let log = BootLog {
            text: "Welcome to Debian GNU/Linux 12!\n[FAILED] Failed to start ssh.service.\n\
                   Welcome to Debian GNU/Linux 12!\n[FAILED] Failed to start cron.service.\n"
                .to_owned(),
            total_bytes: 0,
        };
        assert_eq!(derive(&log).failed_units, ["cron.service"]);
    }
}
