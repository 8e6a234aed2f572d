//! Locks by name: one writer per resource.
//!
//! A lock is taken before a request is judged and goes with the operation that
//! the request starts, so that what was judged is still true when it is done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

/// All locks that somebody holds or waits for.
#[derive(Debug, Default)]
pub(crate) struct Serial {
    locks: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// A held lock; dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Turn {
    /// What is locked.
    pub(crate) name: String,
    _held: OwnedMutexGuard<()>,
}

impl Serial {
    /// Waits for a lock, at most `patience`.
    pub(crate) async fn take(&self, name: &str, patience: Duration) -> Option<Turn> {
        let lock = self.lock(name);
        let held = tokio::time::timeout(patience, lock.lock_owned()).await.ok()?;
        Some(Turn { name: name.to_owned(), _held: held })
    }

    /// Takes a lock that must be free now.
    pub(crate) fn try_take(&self, name: &str) -> Option<Turn> {
        let held = self.lock(name).try_lock_owned().ok()?;
        Some(Turn { name: name.to_owned(), _held: held })
    }

    fn lock(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        // A lock that only this table knows is nobody's.
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(locks.entry(name.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_writer_waits_for_the_first() {
        let serial = Serial::default();
        let first = serial.try_take("vm").unwrap();
        assert!(serial.try_take("vm").is_none());
        assert!(serial.try_take("other").is_some());
        assert!(serial.take("vm", Duration::ZERO).await.is_none());
        drop(first);
        assert!(serial.take("vm", Duration::ZERO).await.is_some());
    }
}
