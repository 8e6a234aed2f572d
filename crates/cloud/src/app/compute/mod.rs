//! Microsoft.Compute: machines, and what is done in their guests.
//!
//! ```text
//! virtual_machine ─┬─ machine_life   made, started, moved, deleted
//!                  ├─ extension, run_command ── handler ── agent ── guest
//!                  └─ health, instance_view  what it is like now
//! ```

pub(super) mod agent;
pub(crate) mod boot_diagnostics;
pub(crate) mod extension;
mod extension_settings;
mod goal;
pub(super) mod guest_image;
pub(super) mod handler;
pub(crate) mod health;
mod health_cause;
pub(crate) mod image;
pub(crate) mod instance_view;
pub(super) mod machine_life;
mod machine_shape;
pub(crate) mod machine_size;
pub(super) mod metadata;
mod os_profile;
mod outcome;
pub(crate) mod power;
pub(crate) mod run_command;
pub(super) mod simulated_agent;
pub(super) mod tenant;
pub(crate) mod virtual_machine;
