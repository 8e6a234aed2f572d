//! The log: lines on standard error, which systemd puts into the journal.

use std::io::Write;

/// Writes one line. It must hold no secret.
pub(crate) fn line(text: &str) {
    // Without a log there is no place to complain about the log.
    let _ = writeln!(std::io::stderr(), "{text}");
}
