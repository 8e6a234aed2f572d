//! The serial console's log: what firmware, boot loader, kernel and systemd say on it.
//!
//! Everything else on a console may be anybody's: a script of cloud-init that prints a
//! password, a key, what somebody typed. It is not kept.

mod shapes;

use doctor::case::{BootLog, Platform, Section, SectionName};

use crate::collect::{Watcher, asked, ended};
use crate::request::Request;

/// How much of the log is kept, bytes. Earlier boots are cut away by the scanner.
const KEPT: usize = 64 * 1024;

/// Collects the boot log.
pub(crate) async fn boot(
    request: &Request,
    platform: &Section<Platform>,
    watch: Watcher<'_>,
) -> Section<BootLog> {
    let section = match (platform, request.platform()) {
        (Section::Collected(_), Ok(platform)) => {
            asked(watch, SectionName::BootLog.as_str());
            Section::from(platform.boot_log().await.map(|log| read(&log)))
        }
        (Section::Collected(_), Err(why)) => Section::NotTried(why.to_owned()),
        (Section::Failed(why) | Section::NotTried(why), _) => {
            Section::NotTried(why.clone())
        }
    };
    ended(watch, SectionName::BootLog.as_str(), section)
}

fn read(log: &[u8]) -> BootLog {
    let from = log.len().saturating_sub(KEPT);
    let tail = String::from_utf8_lossy(log.get(from..).unwrap_or_default());
    BootLog { text: shapes::keep(&without_escapes(&tail)), total_bytes: log.len() as u64 }
}

/// Text without terminal control (ECMA-48): sequences with a final byte, strings with
/// a terminator, two-character escapes, and carriage returns.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => match chars.next() {
                Some('[') => {
                    while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
                }
                Some(']' | 'P' | '_' | '^' | 'X') => skip_string(&mut chars),
                Some('(' | ')' | '*' | '+' | '#' | ' ') => {
                    chars.next();
                }
                _ => {}
            },
            '\n' | '\t' => plain.push(char),
            char if char.is_control() => {}
            char => plain.push(char),
        }
    }
    plain
}

/// Skips to the end of an OSC or DCS string: BEL, or ESC and a backslash.
fn skip_string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(char) = chars.next() {
        if char == '\u{7}' {
            return;
        }
        if char == '\u{1b}' && chars.peek() == Some(&'\\') {
            chars.next();
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn systemd_s_colours_and_cursor_moves_go_and_the_words_stay() {
        let log = "\u{1b}[2J\u{1b}]0;title\u{7}[\u{1b}[0;32m  OK  \u{1b}[0m] Started \
                   \u{1b}[0;1;39mssh.service\u{1b}[0m.\r\n\u{1b}(Blogin:\u{1b}P1$r\u{1b}\\ x";
        assert_eq!(without_escapes(log), "[  OK  ] Started ssh.service.\nlogin: x");
    }

    #[test]
    fn only_the_end_of_a_long_log_is_kept() {
        let line = b"[    1.000000] line\n";
        let log = line.repeat(KEPT / line.len() + 100);
        let boot = read(&log);
        assert_eq!(boot.text.len() / line.len(), KEPT / line.len());
        assert!(boot.text.ends_with("] line\n"));
        assert_eq!(boot.total_bytes, log.len() as u64);
    }

    proptest! {
        #[test]
        fn nothing_that_controls_a_terminal_is_left(text in "(\u{1b}|\\[|\\]|[a-z;0-9\\\\]|\u{7}|\n|\\PC){0,60}") {
            let plain = without_escapes(&text);
            prop_assert!(plain.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()));
        }

        #[test]
        fn text_without_escapes_is_left_alone(text in "[ -~\n]{0,60}") {
            prop_assert_eq!(without_escapes(&text), text);
        }
    }
}
