//! When a request is sent again, and after how long.
//!
//! ARM throttles (429) and its front doors fail for moments (5xx). It says how
//! long to wait in `Retry-After`; where it does not, the wait doubles. Waits
//! are spread by jitter, so that many clients that were turned away together
//! do not come back together.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};

/// How often one request is sent at most.
const ATTEMPTS: u32 = 6;
/// How often a connection that does not come up is tried. Fewer, because a
/// server that is not there should be reported soon.
const CONNECTS: u32 = 3;
/// The wait before the second attempt, without jitter.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// No single wait is longer: a server that asks for an hour gets its answer
/// reported instead.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What happened to one attempt.
pub(crate) enum Outcome<'a> {
    /// A response came.
    Answered(StatusCode, &'a HeaderMap),
    /// The connection never came up, so nothing was done.
    NotConnected,
    /// The connection broke when the request may already have been read.
    Broken,
}

/// The wait before attempt number `attempt + 1`, or none if the outcome stands.
///
/// A POST starts something, and starting it twice can harm, so it is repeated
/// only when the server certainly did nothing.
pub(crate) fn wait_before_next(
    method: &Method,
    attempt: u32,
    outcome: &Outcome<'_>,
) -> Option<Duration> {
    let most = if matches!(outcome, Outcome::NotConnected) { CONNECTS } else { ATTEMPTS };
    if attempt >= most {
        return None;
    }
    let repeatable = *method != Method::POST;
    let asked = match outcome {
        Outcome::NotConnected => None,
        Outcome::Broken if repeatable => None,
        Outcome::Answered(status, headers) => match status.as_u16() {
            429 | 503 => retry_after(headers),
            408 | 500 | 502 | 504 if repeatable => retry_after(headers),
            _ => return None,
        },
        Outcome::Broken => return None,
    };
    match asked {
        Some(wait) => (wait <= LONGEST_WAIT).then_some(wait),
        None => Some(jittered(FIRST_WAIT * 2_u32.pow(attempt - 1), random())),
    }
}

/// How long the server asks to wait: Azure's own headers in milliseconds, or
/// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3).
///
/// HTTP has no fractions there, but ARM emulators send them and Azure's own
/// SDK for Python reads them. A date that has passed is no wait.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let millis = text("retry-after-ms").or_else(|| text("x-ms-retry-after-ms"));
    if let Some(millis) = millis.and_then(|millis| millis.parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(millis / 1000.0).ok();
    }
    let after = text(RETRY_AFTER.as_str())?;
    match after.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(after).ok()?.timestamp();
            let wait = date.duration_since(jiff::Timestamp::now());
            Some(Duration::try_from(wait).unwrap_or_default())
        }
    }
}

/// Between half of `wait` and all of it; `random` chooses where.
fn jittered(wait: Duration, random: u16) -> Duration {
    wait / 2 + wait / 2 * u32::from(random) / u32::from(u16::MAX)
}

fn random() -> u16 {
    let [high, low, ..] = *uuid::Uuid::new_v4().as_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(retry_after: &str) -> HeaderMap {
        HeaderMap::from_iter([(RETRY_AFTER, retry_after.parse().unwrap())])
    }

    fn wait(method: &Method, status: u16, headers: &HeaderMap) -> Option<Duration> {
        let status = StatusCode::from_u16(status).unwrap();
        wait_before_next(method, 1, &Outcome::Answered(status, headers))
    }

    #[test]
    fn the_server_says_how_long_even_in_fractions() {
        assert_eq!(
            wait(&Method::GET, 429, &headers("0.1")),
            Some(Duration::from_millis(100))
        );
        assert_eq!(wait(&Method::POST, 503, &headers("2")), Some(Duration::from_secs(2)));
        assert_eq!(wait(&Method::GET, 429, &headers("0")), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_in_retry_after_is_ignored() {
        for text in ["-1", "NaN", "soon", "inf"] {
            assert_eq!(retry_after(&headers(text)), None, "{text}");
        }
    }

    #[test]
    fn an_hour_is_not_waited_for() {
        assert_eq!(wait(&Method::GET, 429, &headers("3600")), None);
    }

    #[test]
    fn a_post_is_not_repeated_when_it_may_have_been_carried_out() {
        let none = HeaderMap::new();
        assert_eq!(wait(&Method::POST, 500, &none), None);
        assert_eq!(wait_before_next(&Method::POST, 1, &Outcome::Broken), None);
        assert!(wait_before_next(&Method::POST, 1, &Outcome::NotConnected).is_some());
        assert!(wait(&Method::PUT, 500, &none).is_some());
    }

    #[test]
    fn refusals_stand() {
        for status in [200, 400, 401, 403, 404, 409] {
            assert_eq!(wait(&Method::GET, status, &HeaderMap::new()), None);
        }
    }

    #[test]
    fn attempts_are_bounded() {
        assert_eq!(
            wait_before_next(&Method::GET, CONNECTS, &Outcome::NotConnected),
            None
        );
        assert_eq!(wait_before_next(&Method::GET, ATTEMPTS, &Outcome::Broken), None);
    }

    #[test]
    fn jitter_stays_between_half_and_all() {
        let wait = Duration::from_millis(200);
        assert_eq!(jittered(wait, 0), Duration::from_millis(100));
        assert_eq!(jittered(wait, u16::MAX), wait);
    }
}
