//! Microsoft.Network: documents, and packets that follow them.
//!
//! ```text
//! noun ── network_document ─┬─ usage      what is in use stays
//!  (judge, dress)           ├─ topology   one virtual network, whole
//!                           └─ fabric     its rules and routes, in the kernel
//! ```
//!
//! A noun judges and dresses its document; [collection] has the
//! verbs.

mod application_security_group;
pub(crate) mod collection;
pub(crate) mod effective;
pub(super) mod fabric;
mod ip_configuration;
pub(super) mod lease;
pub(crate) mod load_balancer;
pub(super) mod network_document;
pub(super) mod network_interface;
mod network_security_group;
pub(crate) mod network_watcher;
pub(super) mod probing;
pub(super) mod public_ip_address;
mod route_table;
pub(super) mod topology;
pub(super) mod translation;
pub(super) mod usage;
pub(super) mod virtual_network;
