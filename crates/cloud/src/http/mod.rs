//! HTTP: the only place that knows axum.
//!
//! On the host: TLS, sign-in and ARM's paths ([`router`]). Inside each virtual
//! network: what guests ask ([`wire_server`], [`imds`]). Both turn requests into
//! [`Call`](crate::app::Call)s or questions to the app, and its answers into
//! statuses and headers, last.

mod call;
mod envelope;
mod graph;
mod imds;
mod jsonc;
mod metadata;
mod page;
mod path;
mod router;
mod routes;
mod sign_in;
mod table;
mod throttle;
mod tls;
mod token;
mod wire_server;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsConfig, from_tcp_rustls};
use hyper_util::rt::TokioTimer;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tower::Layer;
use tower::util::MapRequestLayer;

use self::token::Tokens;
use self::wire_server::Site;
use crate::Error;
use crate::app::{App, Doors, Opened, Service};
use crate::state::State;

/// How long requests may take to end when the server stops.
const GRACE: Duration = Duration::from_secs(3);

/// Every method and path that needs a token, as the paths are routed: in lower
/// case, with placeholders in braces.
pub fn routes() -> Vec<(String, String)> {
    let all = routes::all().all;
    all.into_iter().map(|(method, path)| (method.to_string(), path)).collect()
}

/// What can be done to each type of resource, for those inside.
pub(crate) fn doors() -> Doors {
    routes::all().doors
}

/// A listener that answers.
pub(crate) struct Serving {
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

/// Answers on `listener`, on a task of its own.
pub(crate) fn serve(
    app: Arc<App>,
    state: &State,
    listener: TcpListener,
) -> Result<Serving, Error> {
    let slow_client = app.limits.slow_client;
    let tls = RustlsConfig::from_config(Arc::new(tls::config(state)?));
    let tokens = Arc::new(Tokens::new(Arc::clone(&app)));
    // Paths are normalised before anything is routed.
    let router = router::router(app, tokens);
    let router = Router::new()
        .fallback_service(MapRequestLayer::new(path::normalise).layer(router));
    let handle = Handle::new();
    let mut server =
        from_tcp_rustls(listener, tls).map_err(Error::Serve)?.handle(handle.clone());
    // Who connects and says nothing is not waited for.
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(slow_client);
    let task = tokio::spawn(
        server.serve(router.into_make_service_with_connect_info::<SocketAddr>()),
    );
    Ok(Serving { handle, task })
}

impl Serving {
    /// Returns when the listener has ended.
    pub(crate) async fn ended(&mut self) -> Result<(), Error> {
        let joined = (&mut self.task).await;
        joined.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(Error::Serve)
    }

    /// Takes no more requests, and lets those that are there end.
    pub(crate) async fn stop(mut self) -> Result<(), Error> {
        self.handle.graceful_shutdown(Some(GRACE));
        self.ended().await
    }
}

/// Serves what the fabric opens inside virtual networks, each socket until it is
/// closed there.
pub(crate) async fn serve_guests(
    app: Arc<App>,
    mut opened: mpsc::UnboundedReceiver<Opened>,
) {
    while let Some(Opened { vnet, service, listener, closed }) = opened.recv().await {
        let site = Site { app: Arc::clone(&app), vnet: vnet.as_str().into() };
        let router = match service {
            Service::WireServer => wire_server::wire_server(site),
            Service::HostPlugin => wire_server::host_plugin(site),
            Service::Metadata => imds::metadata(site),
        };
        let listener = listener
            .set_nonblocking(true)
            .and_then(|()| tokio::net::TcpListener::from_std(listener));
        let listener = match listener {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, vnet, ?service, "cannot serve guests");
                continue;
            }
        };
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move {
            tokio::select! {
                // The other end of `closed` is dropped with the virtual network.
                _ = closed => {}
                ended = axum::serve(listener, router) => {
                    tracing::error!(?ended, vnet, "guests are no longer served");
                }
            }
        });
    }
}
