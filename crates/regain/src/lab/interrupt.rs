//! Ctrl-C, and SIGTERM: what is under way is dropped, and its caller cleans up.

use std::future::Future;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// The work's result, or the failure of being interrupted.
pub(crate) async fn or<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        result = work => result,
        () = interrupted() => Err(failure()),
    }
}

/// The same for work that ends by itself when interrupted: it gets `grace` for
/// that before it is dropped.
pub(crate) async fn or_after<T>(
    work: impl Future<Output = T>,
    grace: Duration,
) -> Result<T, Failure> {
    tokio::pin!(work);
    tokio::select! {
        result = &mut work => Ok(result),
        () = interrupted() => {
            let _ = tokio::time::timeout(grace, work).await;
            Err(failure())
        }
    }
}

/// Ends when the operator stops this program.
pub(crate) async fn interrupted() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

fn failure() -> Failure {
    Failure::interrupted()
}
