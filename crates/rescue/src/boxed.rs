//! Futures behind a pointer: what a trait's methods give, so that a channel and a
//! platform can be chosen while the program runs.

use std::pin::Pin;

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
