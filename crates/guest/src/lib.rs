//! The guest's side of regain: everything that happens inside a Linux VM.
//!
//! The library serves two masters. The cloud uses [`wire`], [`envelope`], [`settings`],
//! [`ssh_key`], [`password`] and [`provision::Provision`] to speak with VMs; the binary
//! `regain-guest` is the other end. Inside the VM there is no async, no NSS and no
//! dynamic linking: blocking standard library, one static file.
//!
//! ```text
//! agent ── goal state ─► enable (a child process per run) ─► vmaccess, run_command
//!                                                             │
//!                              account, sshd (what is changed) ◄┘
//!                                   │
//!                              undo (every change recorded first) ─► edit (one rename)
//! ```
//!
//! Everything that touches the system takes `root: &Path`, so that a mounted disk is
//! repaired by the same code.

pub mod agent;
pub mod edit;
pub mod enable;
pub mod envelope;
pub mod handler;
pub mod layer;
pub mod password;
pub mod provision;
pub mod run_command;
pub mod settings;
pub mod ssh_key;
pub mod sshd;
pub mod undo;
pub mod vmaccess;
pub mod wire;

pub mod account;
mod clock;
mod log;
mod process;
