//! The time of day as text and as a day number.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::settings::Date;

const DAY: u64 = 24 * 3600;

fn seconds() -> u64 {
    // A clock before 1970 is a broken clock; the epoch is as good as any other.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Now in UTC, as `2026-01-31T23:59:59Z`.
pub(crate) fn now() -> String {
    utc(seconds())
}

/// A second since 1970 in UTC, as `2026-01-31T23:59:59Z`.
pub(crate) fn utc(seconds: u64) -> String {
    let of_day = seconds % DAY;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", day(seconds))
}

/// Today in UTC.
pub(crate) fn today() -> Date {
    day(seconds())
}

fn day(seconds: u64) -> Date {
    Date::from_days(i64::try_from(seconds / DAY).unwrap_or(0))
}
