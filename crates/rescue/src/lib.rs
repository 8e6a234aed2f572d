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
//! repair                          the loop
//! undo  prove                     back again; a real login
//! apply                           one step, in the journal before it acts
//! collect                         evidence from every side at once
//! report  through                 what the guest said; SSH as another user
//! ssh                             the system's ssh: settings, a login, its words
//! request                         what it is all about
//! azure                           the platform and channel that ARM is
//! edit                            typed edits as one script for the guest's shell
//! journal                         what was done, and what undoing takes
//! channel  platform               what a way into the guest, and a cloud, must do
//! boxed  clock  why
//! ```
//!
//! A room uses only rooms on lower floors (`cargo xtask tidy`). Only `azure` knows
//! ARM, and only this crate runs the system's `ssh`. What it learns is redacted where
//! it is read: password hashes and private keys never leave the guest or the client.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod apply;
pub mod azure;
mod boxed;
mod channel;
mod clock;
mod collect;
pub mod edit;
mod journal;
mod platform;
mod prove;
mod repair;
mod report;
mod request;
mod ssh;
mod through;
mod undo;
mod why;

pub use apply::{Applied, ApplyError, apply, preview};
pub use boxed::BoxFuture;
pub use channel::{Channel, ChannelError, Login, Nature, Need};
pub use collect::{Event, EventState, collect};
pub use journal::{Journal, JournalError, JournalStep, StepState, Undo};
pub use platform::{
    ClientAddress, Closed, Destination, Moved, Opened, Opening, Platform, PlatformError,
    PowerChange, Record, Reset, View, Way,
};
pub use repair::{
    Attempt, AttemptResult, Consent, Outcome, Policy, Progress, Status, repair,
};
pub use request::Request;
pub use through::Through;
pub use undo::{UndoError, Undone, undo};
