//! The local cloud: an ARM endpoint with real machines behind it.
//!
//! [`serve`] runs one server on one state directory until it is told to stop.
//! Requests come in through [`http`], are judged and done in [`app`], and what must
//! survive is in [`store`]. Machines and packets are `machine`'s, security rules
//! `network`'s, and what guests are told is in `guest`'s words. Machines outlive
//! the server: the next one on the same state directory finds them again and
//! finishes what was promised. In which ways it behaves as Azure does where it need
//! not is its [`Weather`].

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod app;
mod config;
mod error;
mod http;
mod server;
mod state;
mod store;
mod weather;

pub use config::{Config, EngineKind, Limits, Rate};
pub use error::Error;
pub use http::routes;
pub use server::{Server, serve};
pub use weather::{Client, GuestAgent, Weather, WeatherError};
