//! The typed edits, carried out by real shells on real files as root.
//!
//! Every verb, in every shell that a guest may have (Debian's dash, RHEL's bash,
//! busybox with nothing but its applets), on a mounted root and in the live system
//! (a small tree, entered by chroot in a mount namespace of its own): what it does,
//! that a dry run changes nothing, that the undo is exact, also after `kill -9` at any
//! point, and that no trick of the user turns root's rights against the guest.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod kill;
mod lock;
mod race;
mod services;
mod system;
mod territory;
mod tree;
mod undo;
mod verbs;
