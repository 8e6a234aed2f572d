//! One figure: runs of a whole process, their median and their worst, beside what
//! they are held against.

use std::time::{Duration, Instant};

/// Runs of each figure.
pub(crate) const RUNS: usize = 9;

/// What a figure is held against.
pub(crate) enum Beside {
    /// A number that must not be passed.
    Limit(Duration),
    /// Another way to the same end, measured in this run.
    Peer(&'static str, Vec<Duration>),
}

/// Two ways to the same end, in pairs: whatever else the machine does meanwhile, it
/// does to both. Who goes first alternates.
pub(crate) fn pairs(
    runs: usize,
    mut one: impl FnMut(),
    mut other: impl FnMut(),
) -> (Vec<Duration>, Vec<Duration>) {
    // Neither pays for what is read from the disk for the first time.
    one();
    other();
    (0..runs)
        .map(|run| {
            if run % 2 == 0 {
                let first = timed(&mut one);
                (first, timed(&mut other))
            } else {
                let first = timed(&mut other);
                (timed(&mut one), first)
            }
        })
        .unzip()
}

/// How often the peer's median is ours.
pub(crate) fn times(ours: &[Duration], peer: &[Duration]) -> f64 {
    ratio(median(peer), median(ours))
}

/// [`RUNS`] runs.
pub(crate) fn measure(mut run: impl FnMut()) -> Vec<Duration> {
    (0..RUNS).map(|_| timed(&mut run)).collect()
}

/// One run.
pub(crate) fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn median(runs: &[Duration]) -> Duration {
    let mut sorted = runs.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// Print a figure.
pub(crate) fn row(figure: &str, runs: &[Duration], beside: &Beside) {
    let worst = runs.iter().max().copied().unwrap_or_default();
    let beside = match beside {
        Beside::Limit(limit) => {
            format!("limit {limit:.1?}: {:.2} of it", ratio(worst, *limit))
        }
        Beside::Peer(name, peer) => {
            let times = times(runs, peer);
            let ratio = if times < 1.0 {
                format!("{:.1} times as fast", times.recip())
            } else {
                format!("{times:.1} times as long")
            };
            format!(
                "{name} {}, worst {}: {ratio}",
                millis(median(peer)),
                millis(peer.iter().max().copied().unwrap_or_default())
            )
        }
    };
    println!("{figure:<44} {:>9} {:>9}  {beside}", millis(median(runs)), millis(worst));
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn millis(duration: Duration) -> String {
    format!("{} ms", duration.as_millis())
}
