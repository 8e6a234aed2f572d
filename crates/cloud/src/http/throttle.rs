//! Throttling, as ARM does it: each principal has a bucket of tokens for reads, one
//! for writes and one for deletes; each request takes a token, and buckets fill
//! again at a steady rate. An empty bucket is a 429 that says when to come back.
//!
//! Behind ARM, if the weather has it, Microsoft.Compute counts too: each machine has a
//! bucket for the requests that read it, whoever asks.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderName, HeaderValue, Method};

use crate::{Limits, Rate};

/// The policy of Microsoft.Compute under which one machine is read.
pub(super) const OF_MACHINE: &str = "LowCostGetResource";

/// Which bucket: the first three are a principal's, the last one a machine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// GET, HEAD
    Reads,
    /// PUT, PATCH, POST
    Writes,
    /// DELETE
    Deletes,
    /// GET of a machine, as Microsoft.Compute counts it
    OfMachine,
}

/// How fast a bucket empties and fills.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// At once, after a rest.
    burst: f64,
    /// In the long run.
    per_second: f64,
}

/// "Compute throttling limits", policy "Low Cost Get VM", per resource.
const PACE_OF_MACHINE: Pace = Pace { burst: 36.0, per_second: 12.0 / 60.0 };

/// So many buckets are kept before full ones are thrown away.
const MANY: usize = 1000;

/// All buckets.
pub(super) struct Throttle {
    paces: [Pace; 4],
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

    /// The header that says what is left, and how it says it.
    pub(super) fn left(self, left: u32) -> (HeaderName, HeaderValue) {
        let value = match self {
            Self::OfMachine => {
                let text = format!("Microsoft.Compute/{OF_MACHINE};{left}");
                HeaderValue::from_str(&text).unwrap_or(HeaderValue::from(left))
            }
            _ => HeaderValue::from(left),
        };
        (self.header(), value)
    }

    fn header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Self::Reads => "x-ms-ratelimit-remaining-subscription-reads",
            Self::Writes => "x-ms-ratelimit-remaining-subscription-writes",
            Self::Deletes => "x-ms-ratelimit-remaining-subscription-deletes",
            Self::OfMachine => "x-ms-ratelimit-remaining-resource",
        })
    }

    /// ARM's word for one request of it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Reads | Self::OfMachine => "read",
            Self::Writes => "write",
            Self::Deletes => "delete",
        }
    }
}

impl Throttle {
    /// Full buckets.
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            paces: [
                limits.reads.into(),
                limits.writes.into(),
                limits.deletes.into(),
                PACE_OF_MACHINE,
            ],
            buckets: Mutex::default(),
        }
    }

    /// Takes a token of a principal's or of a machine's. Gives how many are left, or
    /// how long it takes until there is one.
    pub(super) fn take(
        &self,
        who: &str,
        kind: Kind,
        now: Instant,
    ) -> Result<u32, Duration> {
        let Pace { burst: most, per_second } = self.paces[kind as usize];
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if kind == Kind::OfMachine && buckets.len() > MANY {
            // Paths can be made up: a bucket that is full again is as good as none.
            buckets.retain(|(_, kind), bucket| {
                !bucket.is_full(self.paces[*kind as usize], now)
            });
        }
        let bucket = buckets
            .entry((who.to_owned(), kind))
            .or_insert(Bucket { tokens: most, filled: now });
        bucket.tokens = bucket.holds(self.paces[kind as usize], now);
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

impl Bucket {
    fn holds(&self, pace: Pace, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.tokens + since * pace.per_second).min(pace.burst)
    }

    fn is_full(&self, pace: Pace, now: Instant) -> bool {
        self.holds(pace, now) >= pace.burst
    }
}

impl From<Rate> for Pace {
    fn from(rate: Rate) -> Self {
        Self {
            burst: f64::from(rate.burst.max(1)),
            per_second: f64::from(rate.per_second.max(1)),
        }
    }
}

/// The machine that a path reads in a way that counts as cheap: itself, its instance
/// view, sizes, and its extensions and run commands. Paths are in lower case.
pub(super) fn machine_of(path: &str) -> Option<&str> {
    const MACHINES: &str = "/providers/microsoft.compute/virtualmachines/";
    let name = path.find(MACHINES)? + MACHINES.len();
    let (machine, below) = match path[name..].find('/') {
        Some(end) => (&path[..name + end], &path[name + end + 1..]),
        None => (path, ""),
    };
    let kind = below.split('/').next().unwrap_or_default();
    let counts =
        matches!(kind, "" | "instanceview" | "vmsizes" | "extensions" | "runcommands");
    counts.then_some(machine)
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

    #[test]
    fn a_machine_is_read_36_times_at_once_and_then_12_times_a_minute() {
        let throttle = Throttle::new(&Limits::default());
        let now = Instant::now();
        let take = |after| {
            throttle.take("vm", Kind::OfMachine, now + Duration::from_secs(after))
        };
        for left in (0..36).rev() {
            assert_eq!(take(0), Ok(left));
        }
        assert_eq!(take(0), Err(Duration::from_secs(5)));
        assert_eq!((take(5), take(6).is_err()), (Ok(0), true));
        assert_eq!(take(65), Ok(11));
    }

    #[test]
    fn what_reads_one_machine_is_counted_together() {
        let vm = "/subscriptions/s/resourcegroups/g/providers/microsoft.compute/virtualmachines/v";
        for below in ["", "/instanceview", "/extensions/x", "/runcommands", "/vmsizes"] {
            assert_eq!(machine_of(&format!("{vm}{below}")), Some(vm), "{below}");
        }
        let health = "/providers/microsoft.resourcehealth/availabilitystatuses/current";
        assert_eq!(machine_of(&format!("{vm}{health}")), None);
        let all = "/subscriptions/s/providers/microsoft.compute/virtualmachines";
        assert_eq!(machine_of(all), None);
    }
}
