//! Collects evidence about a login that fails, and carries out repairs.
//!
//! [`collect`] fills a case file from every side at once: the client's files, the
//! way in, a real login, the platform, the boot log, and the guest itself.
//! [`doctor`] reads it and names a cause and steps. [`apply`] carries out one step,
//! [`undo`] takes a repair back, and [`repair`] is the loop around all of them:
//! diagnose, the least destructive step, log in again, and either done, or on to the
//! next cause, or back.
//!
//! ```text
//!             ┌ ssh       the system's ssh: its settings, a login, its words
//! collect ────┼ probe     name, TCP, greeting (crate)
//!             ├ arm       platform, network, boot log (crate)
//!             └ channel   Run Command: a script in the guest (src/guest/*.sh)
//! apply ──────┬ channel   typed edits (src/edit), rolled back in the guest if they fail
//!             └ arm       start, restart, redeploy, a rule, VMAccess
//! undo ───────  journal   written before a step acts, on the client and in the guest
//! ```
//!
//! Only this crate runs the system's `ssh`. What it learns is redacted where it is
//! read: password hashes and private keys never leave the guest or the client.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod apply;
mod channel;
mod collect;
pub mod edit;
mod journal;
mod prove;
mod repair;
mod report;
mod request;
mod ssh;
mod undo;
mod why;

pub use apply::{Applied, ApplyError, apply, preview};
pub use channel::ChannelError;
pub use collect::{Event, EventState, collect};
pub use journal::{Journal, JournalError, JournalStep, StepState, Undo};
pub use repair::{Attempt, AttemptResult, Outcome, Policy, Progress, Status, repair};
pub use request::Request;
pub use undo::{UndoError, Undone, undo};
