//! The binary as it runs in a VM, on guests in temporary directories: handlers, first
//! boot, agent. Needs root, for owners and `chroot`.

mod agent;
mod hostile;
mod provision;
mod rights;
mod root;
mod secrets;
mod vmaccess;
mod wire_server;
