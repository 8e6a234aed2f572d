//! Throttling, as ARM does it: each principal has a bucket of tokens for reads, one
//! for writes and one for deletes; each request takes a token, and buckets fill
//! again at a steady rate. An empty bucket is a 429 that says when to come back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderName, HeaderValue, Method};

use crate::{Limits, Rate};

/// Which of a principal's buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// GET, HEAD
    Reads,
    /// PUT, PATCH, POST
    Writes,
    /// DELETE
    Deletes,
}

/// All buckets.
pub(super) struct Throttle {
    rates: [Rate; 3],
    buckets: Mutex<HashMap<(String, Kind), Bucket>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Kind {
    /// Which bucket a method takes from.
    pub(super) fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => Self::Reads,
            Method::DELETE => Self::Deletes,
            _ => Self::Writes,
        }
    }

    /// The header that says what is left.
    pub(super) fn header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Reads => "x-ms-ratelimit-remaining-subscription-reads",
            Self::Writes => "x-ms-ratelimit-remaining-subscription-writes",
            Self::Deletes => "x-ms-ratelimit-remaining-subscription-deletes",
        })
    }

    /// ARM's word for one request of it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Reads => "read",
            Self::Writes => "write",
            Self::Deletes => "delete",
        }
    }
}

impl Throttle {
    /// Full buckets.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            rates: [limits.reads, limits.writes, limits.deletes],
            buckets: Mutex::default(),
        }
    }

    /// Takes a token of a principal's. Gives how many are left, or how long it takes
    /// until there is one.
    pub(super) fn take(
        &self,
        who: &str,
        kind: Kind,
        now: Instant,
    ) -> Result<u32, Duration> {
        let rate = self.rates[kind as usize];
        let (most, per_second) =
            (f64::from(rate.burst.max(1)), f64::from(rate.per_second.max(1)));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets
            .entry((who.to_owned(), kind))
            .or_insert(Bucket { tokens: most, filled: now });
        let since = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + since * per_second).min(most);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.tokens) / per_second));
        }
        bucket.tokens -= 1.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between nothing and a rate's burst"
        )]
        Ok(bucket.tokens as u32)
    }
}

/// Whole seconds, as clients want them.
pub(super) fn retry_after(wait: Duration) -> HeaderValue {
    HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let rate = Rate { burst: 2, per_second: 10 };
        let limits = Limits { reads: rate, ..Limits::default() };
        let throttle = Throttle::new(&limits);
        let now = Instant::now();
        let take = |who, kind, after| {
            throttle.take(who, kind, now + Duration::from_millis(after))
        };
        assert_eq!(take("me", Kind::Reads, 0), Ok(1));
        assert_eq!(take("me", Kind::Reads, 0), Ok(0));
        assert_eq!(take("me", Kind::Reads, 0), Err(Duration::from_millis(100)));
        assert!(take("you", Kind::Reads, 0).is_ok());
        assert!(take("me", Kind::Writes, 0).is_ok());
        assert_eq!(take("me", Kind::Reads, 150), Ok(0));
    }
}
