//! The gauntlet: fresh VMs, each broken in one way, diagnosed, repaired, logged
//! in to, and put back.
//!
//! ```text
//! fresh VM ─ inject ─ diagnose ─ compare ─ repair ─ undo ─ compare bytes ─ delete
//! ```
//!
//! It runs the same `regain` that an operator types, so that what is measured
//! is what is shipped. Every case has its own group, key and undo journal.

mod bench;
mod pairs;
mod report;
mod snapshot;

pub(crate) use bench::Bench;
pub(crate) use pairs::sample as sample_of_pairs;
pub(crate) use report::{Report, Verdict};
