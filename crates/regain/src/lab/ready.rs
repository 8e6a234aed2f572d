//! Whether a fresh VM's SSH server answers yet.

use std::net::SocketAddr;
use std::time::Duration;

use crate::failure::Failure;

/// How often it is asked; with the pauses, about half a minute.
const TRIES: u32 = 150;
const PAUSE: Duration = Duration::from_millis(100);
const SHORT: Duration = Duration::from_millis(500);

/// Waits for the banner of the SSH server at `peer`.
pub(crate) async fn banner(peer: SocketAddr) -> Result<(), Failure> {
    for _ in 0..TRIES {
        if let (_, Some(stream)) = probe::connect(peer, SHORT).await
            && probe::greet(stream, SHORT).await.banner.is_some()
        {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Failure::new(format!("the SSH server of the new VM at {peer} does not answer"))
        .next("see its boot log: `regain vm boot-diagnostics get-boot-log`"))
}
