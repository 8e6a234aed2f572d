//! The lab: one local cloud per state directory.
//!
//! What a lab is, is on disk and in the kernel, never in memory: [`LabState`]
//! reads the state directory, [`server`] starts and ends the server, [`vms`]
//! asks the cloud what is there, [`weather`] has it behave as Azure does, [`inject`]
//! breaks a VM on purpose.

pub(crate) mod case;
pub(crate) mod gauntlet;
pub(crate) mod guest_binary;
pub(crate) mod inject;
pub(crate) mod interrupt;
pub(crate) mod key;
pub(crate) mod machine;
pub(crate) mod programs;
pub(crate) mod ready;
pub(crate) mod removal;
pub(crate) mod server;
mod state;
pub(crate) mod vms;
pub(crate) mod weather;

pub(crate) use state::{LabState, Server};
