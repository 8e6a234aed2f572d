//! `vm run-command`: scripts in a VM.

pub(super) mod invoke;
