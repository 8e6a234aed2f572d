//! Linux VMs on this host, and the network between them.
//!
//! ```text
//! cloud ── Engine ──┬── Nspawn ── keeper (one process per running VM: PTY, console, clean-up)
//!                   └── Fake      (the same states, no processes)
//!       ── Fabric ──┬── edge namespace      (127.64.x.y ↔ 198.18.x.y, the only way in)
//!                   ├── one namespace per virtual network (NAT, NSGs, platform addresses)
//!                   └── one namespace per running VM      (made when it starts)
//!       ── image    (mmdebstrap, cached)
//!       ── teardown (everything of one lab, also after a crash)
//! ```
//!
//! All of it blocks; call it from a thread that may. What exists is found from
//! the state directory and the kernel, never from memory: a server that was
//! killed and started again sees its VMs running. Nothing here needs `unsafe`,
//! a shell, or a daemon of its own.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod command;
mod engine;
mod error;
mod fabric;
mod fake;
mod home;
pub mod image;
pub mod keeper;
mod lock;
mod nspawn;
mod process;
mod record;
mod spec;
mod teardown;
mod temporary_disk;

pub use command::CommandError;
pub use engine::{End, Engine, ExecOutput, Power, Stop};
pub use error::Error;
pub use fabric::{Attempt, Fabric, Namespace, Nic, Topology, Vnet};
pub use fake::Fake;
pub use image::ImageError;
pub use nspawn::Nspawn;
pub use spec::{Attachment, MacAddress, MachineId, MachineSpec, SeedFile, SpecError};
pub use teardown::teardown;
