//! A server's life: take the state directory, bring back what was there, serve,
//! stop. Machines are left alone when it stops.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use machine::{Engine, Fabric, Fake, Nspawn};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::app::{self, Access, Agents, App, Directory, GuestImages};
use crate::http::{self, Serving};
use crate::state::State;
use crate::store::Store;
use crate::weather::Kept;
use crate::{Config, EngineKind, Error, Limits};

/// Serves until SIGTERM or Ctrl-C.
///
/// Writes `server.json`, `ca.pem` and `credentials.json` into the state directory;
/// the first is removed at the end. Virtual machines keep running.
///
/// # Errors
/// The state directory is in use, the port is taken, or this host cannot run what
/// [`Config::engine`] asks for.
pub async fn serve(config: Config, limits: Limits) -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signal)?;
    let mut server = Server::start(config, limits).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        ended = server.serving.ended() => return ended,
    }
    tracing::info!("stopping; virtual machines keep running");
    server.stop().await
}

/// A running server.
pub struct Server {
    app: Arc<App>,
    state: State,
    endpoint: String,
    serving: Serving,
}

impl Server {
    /// Starts a server and returns when it answers. What an earlier one left
    /// unfinished is taken up before the first request is.
    ///
    /// # Errors
    /// See [`serve`].
    pub async fn start(config: Config, limits: Limits) -> Result<Self, Error> {
        if !config.listen.ip().is_loopback() {
            return Err(Error::NotLoopback(config.listen));
        }
        let state = State::take(&config.state)?;
        let weather = weather(&config, &state)?;
        let address = config.listen;
        let unusable = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(unusable)?;
        listener.set_nonblocking(true).map_err(unusable)?;
        let endpoint = format!("https://{}", listener.local_addr().map_err(unusable)?);

        let seal = state.seal()?;
        let credentials = state.credentials()?;
        let store = Store::open(&state.path().join("cloud.sqlite"), seal.clone())
            .await
            .map_err(|error| Error::Store(error.into()))?;
        let (engine, images, fabric) = machines(&config, &state).await?;
        let (opened, to_serve) = mpsc::unbounded_channel();
        let (cable, splicer) = app::lay(fabric, opened);
        let app = Arc::new(App {
            store,
            engine,
            images,
            cable,
            backend_health: Default::default(),
            agents: Agents::default(),
            doors: http::doors(),
            serial: Default::default(),
            limits,
            directory: Directory::default(),
            access: Access::default(),
            founder: credentials.client_id.clone(),
            host_secret: credentials.identity_header.clone(),
            tenant: credentials.tenant.clone(),
            subscription: credentials.subscription.clone(),
            endpoint: endpoint.clone(),
            seal,
            simulated: config.engine == EngineKind::Fake,
            shared_tenant: Default::default(),
            weather,
        });
        let refused = |problem| Error::Store(Box::new(problem));
        app.admit(&credentials).await.map_err(refused)?;
        tokio::spawn(splicer.run(Arc::downgrade(&app)));
        tokio::spawn(app::probe_backends(Arc::downgrade(&app)));
        tokio::spawn(http::serve_guests(Arc::clone(&app), to_serve));
        app::bring_back(&app).await.map_err(refused)?;
        tokio::spawn(app::compute::health::watch(Arc::downgrade(&app)));

        let serving = http::serve(Arc::clone(&app), &state, listener)?;
        state.announce(&endpoint)?;
        tracing::info!(endpoint, state = %state.path().display(), "serving");
        Ok(Self { app, state, endpoint, serving })
    }

    /// The address, as in `https://127.0.0.1:8443`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Lets requests end, closes the database and takes `server.json` away.
    /// Operations that still run are taken up by the next server.
    ///
    /// # Errors
    /// The listener had failed before.
    pub async fn stop(self) -> Result<(), Error> {
        self.state.withdraw();
        let ended = self.serving.stop().await;
        self.app.store.close().await;
        ended
    }
}

/// The weather that was asked for, or the one that an earlier server had.
fn weather(config: &Config, state: &State) -> Result<Kept, Error> {
    let problem = |doing| {
        let path = state.path().join("weather");
        move |source| Error::State { doing, path, source }
    };
    if let Some(weather) = config.weather {
        weather.write(state.path()).map_err(problem("write"))?;
    }
    Kept::of(state.path()).map_err(problem("read"))
}

/// The engine, what its machines boot from, and what connects them.
async fn machines(
    config: &Config,
    state: &State,
) -> Result<(Arc<dyn Engine>, GuestImages, Option<Fabric>), Error> {
    let path = state.path().to_owned();
    if config.engine == EngineKind::Fake {
        let engine =
            Fake::new(&path, &app::compute::image::names()).map_err(Error::Machine)?;
        return Ok((Arc::new(engine), GuestImages::pretended(), None));
    }
    let images = GuestImages::new(&path, &config.cache, &config.guest_binary);
    let layers = images.layers();
    let keeper = config.keeper.clone();
    let made = tokio::task::spawn_blocking(move || {
        let engine = Nspawn::new(&path, layers, &keeper)?;
        let fabric = Fabric::up(&path)?;
        Ok((engine, fabric))
    });
    let (engine, fabric) = made
        .await
        .map_err(|error| Error::Serve(io::Error::other(error)))?
        .map_err(Error::Machine)?;
    Ok((Arc::new(engine), images, Some(fabric)))
}
