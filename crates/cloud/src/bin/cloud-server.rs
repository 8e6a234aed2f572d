//! The server as a process of its own, for this crate's tests: it can be killed.
//! The product runs the same code as `regain serve`.
//!
//! `cloud-server STATE PORT`

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use cloud::{Config, EngineKind, Limits, Server};

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let state = arguments.next();
    let port = arguments.next().and_then(|port| port.to_str()?.parse().ok());
    let (Some(state), Some(port)) = (state, port) else { return ExitCode::from(2) };
    let config = Config {
        cache: "/nonexistent".into(),
        state: state.into(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        engine: EngineKind::Fake,
        guest_binary: "/nonexistent".into(),
        keeper: "/nonexistent".into(),
        weather: None,
    };
    // Waits that are short, so that what is waited for in vain costs little, and
    // work that takes long enough to be killed in.
    let limits = Limits {
        synchronous: Duration::from_millis(20),
        queue: Duration::from_millis(200),
        pickup: Duration::from_secs(3),
        extension: Duration::from_secs(5),
        simulated_work: Duration::from_millis(30),
        ..Limits::default()
    };
    match Server::start(config, limits).await {
        // It never ends by itself: whoever started it kills it.
        Ok(_server) => std::future::pending().await,
        Err(error) => {
            use std::io::Write as _;
            let _unread = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}
