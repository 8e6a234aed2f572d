//! The server as its clients see it: real HTTPS, real SQLite, no real machines.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod bad_input;
mod extensions;
mod generic;
mod health;
mod lab;
mod lists;
mod load_balancers;
mod machines;
mod networks;
mod operations;
mod requests;
mod restart;
mod templates;
mod watchers;
mod weather;
mod writers;
