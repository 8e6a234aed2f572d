//! The formats of a guest's files, read without I/O: `sshd_config`,
//! `authorized_keys`, `passwd`, `shadow` and `group`, and the packet filter's rules.

pub mod accounts;
pub mod address;
pub mod authorized_keys;
pub mod packet_filter;
pub mod pattern;
pub mod sshd_config;
