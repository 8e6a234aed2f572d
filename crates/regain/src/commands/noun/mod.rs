//! The verbs that every noun has, once: list, show, create, update, delete, wait.
//!
//! ```text
//! names or --ids ─ place (id) ─┬ GET ──────────────────────┬ document, flat
//!                              ├ GET ─ edit ─ PUT ─ wait ──┤
//!                              ├ PUT ─ wait ───────────────┘
//!                              └ DELETE ─ wait ─ nothing
//! ```
//!
//! [`part`] does the same for what ARM keeps inside its parent's document.

pub(super) mod part;
mod place;
mod value;
mod verbs;
mod wait;

pub(super) use place::{Place, attached, ids, location, reference, references};
pub(super) use value::{Properties, at, list, or_null};
pub(super) use verbs::{
    begin, create, delete, list as list_all, put, show, target, under, update,
    update_between,
};
pub(super) use wait::{until, wait};
