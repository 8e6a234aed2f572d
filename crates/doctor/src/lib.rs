//! From evidence to a verdict, and from a verdict to a plan.
//!
//! A [`case::Case`] is everything that was seen of one failed login. [`judge`]
//! derives [`facts`] from it, asks every [`fault::Fault`] of the [`Catalogue`]
//! whether it holds, and gives a [`Verdict`]: root causes ranked, what was
//! ruled out, and what could not be checked. [`plan`] orders the repairs by
//! their risk.
//!
//! This crate does no I/O and reads no clock: the same case gives the same
//! verdict on every machine and on every day.

pub mod case;
mod catalogue;
mod edit;
pub mod facts;
pub mod fault;
mod judge;
mod lang;
mod path;
mod plan;
mod remedy;
mod risk;
mod step;
mod symptom;
mod verdict;

pub use catalogue::{Catalogue, CatalogueError};
pub use edit::{Edit, FilterRule, Insertion, Line, VERBS};
pub use judge::judge;
pub use lang::{Lang, Text};
pub use plan::plan;
pub use risk::{RISKS, Risk, UnknownRisk};
pub use step::{Action, Channel, LAST_RESORT, PlatformAction, Step};
pub use symptom::{SYMPTOMS, Stage, Symptom, UnknownSymptom};
pub use verdict::{
    Finding, Hop, HopState, NotChecked, RuledOut, VERSION as VERDICT_VERSION, Verdict,
    printable,
};
