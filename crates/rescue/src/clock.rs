//! The time of day, in the form that documents have.

use jiff::Timestamp;

/// Now, RFC 3339 in UTC with whole seconds.
pub(crate) fn now() -> String {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
}
