//! Dates of an account: when it and its password expire.

use super::known::Known;
use crate::case::{Case, Shadow};

/// Today in the guest, in days since 1970-01-01.
pub(super) fn today(case: &Case) -> Known<i64> {
    case.system.known().and_then(|system| {
        let day = system.clock.map(|seconds| seconds.div_euclid(86_400));
        Known::or(day, "the guest's clock was not read")
    })
}

/// pam_unix: expired from the day of expiry on; no date, or -1, means never.
pub(super) fn of_account(shadow: &Shadow, today: &Known<i64>) -> Known<bool> {
    match shadow.expires_day.filter(|day| *day >= 0) {
        None => Known::Is(false),
        Some(day) => today.clone().map(|today| today >= day),
    }
}

/// The age of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Age {
    /// It must be changed.
    pub(super) expired: bool,
    /// It is too old even for that.
    pub(super) inactive: bool,
}

/// pam_unix, check_shadow_expiry.
pub(super) fn of_password(shadow: &Shadow, today: &Known<i64>) -> Known<Age> {
    if shadow.changed_day == Some(0) {
        return Known::Is(Age { expired: true, inactive: false });
    }
    let max = shadow.max_days.filter(|max| *max >= 0);
    let (Some(changed), Some(max)) = (shadow.changed_day, max) else {
        return Known::Is(Age { expired: false, inactive: false });
    };
    today.clone().map(|today| {
        let age = today.saturating_sub(changed);
        let grace = shadow.inactive_days.filter(|days| *days >= 0);
        Age {
            expired: age > max,
            inactive: grace.is_some_and(|days| age > max.saturating_add(days)),
        }
    })
}

/// A day number as a date of the proleptic Gregorian calendar (Hinnant's
/// `civil_from_days`).
pub(super) fn date(day: i64) -> String {
    let day = day.clamp(-700_000, 3_000_000) + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era =
        (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month =
        if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::PasswordKind;

    fn shadow(changed_day: Option<i64>, expires_day: Option<i64>) -> Shadow {
        Shadow {
            password: PasswordKind::Usable,
            changed_day,
            max_days: Some(30),
            inactive_days: Some(10),
            expires_day,
        }
    }

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(19_782), "2024-02-29");
        assert_eq!(date(20_779), "2026-11-22");
    }

    #[test]
    fn an_account_expires_on_its_day() {
        let on = |expires, today| of_account(&shadow(None, expires), &today);
        let today = || Known::Is(20_000);
        assert_eq!(on(None, today()), Known::Is(false));
        assert_eq!(on(Some(-1), today()), Known::Is(false));
        assert_eq!(on(Some(0), today()), Known::Is(true));
        assert_eq!(on(Some(20_000), today()), Known::Is(true));
        assert_eq!(on(Some(20_001), today()), Known::Is(false));
        assert_eq!(on(Some(20_001), Known::unknown("why")), Known::unknown("why"));
    }

    #[test]
    fn a_password_expires_and_then_locks() {
        let of = |changed| of_password(&shadow(changed, None), &Known::Is(20_000));
        let age = |expired, inactive| Known::Is(Age { expired, inactive });
        assert_eq!(of(None), age(false, false));
        assert_eq!(of(Some(0)), age(true, false));
        assert_eq!(of(Some(19_970)), age(false, false));
        assert_eq!(of(Some(19_969)), age(true, false));
        assert_eq!(of(Some(19_959)), age(true, true));
    }
}
