//! The formats of a guest's files, read without I/O: `sshd_config`,
//! `authorized_keys`, `passwd`, `shadow` and `group`, and the packet filter's rules.

pub mod packet_filter;
