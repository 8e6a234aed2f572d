//! `vm boot-diagnostics`: what a VM wrote to its console.

pub(super) mod get_boot_log;
