//! From a path to a noun's function, behind sign-in. The [routes](super::routes)
//! fill the table.

use std::future::Future;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{self, MethodRouter};
use axum::{Json, Router};

use super::page::Place;
use super::path::Spelling;
use super::token::{self, Tokens};
use super::{call, envelope, metadata, routes};
use crate::app::{Answer, App, Call, Problem};

pub(super) mod verb {
    //! The verbs of the table.
    use axum::routing::MethodFilter;
    pub(in crate::http) const GET: MethodFilter = MethodFilter::GET;
    pub(in crate::http) const HEAD: MethodFilter = MethodFilter::HEAD;
    pub(in crate::http) const PUT: MethodFilter = MethodFilter::PUT;
    pub(in crate::http) const PATCH: MethodFilter = MethodFilter::PATCH;
    pub(in crate::http) const POST: MethodFilter = MethodFilter::POST;
    pub(in crate::http) const DELETE: MethodFilter = MethodFilter::DELETE;
}

/// Everything that the server answers on its own address.
pub(super) fn router(app: Arc<App>, tokens: Arc<Tokens>) -> Router {
    let public = Router::new()
        .route("/metadata/endpoints", routing::get(metadata::endpoints))
        .route("/aliases.json", routing::get(metadata::aliases))
        .route("/blob/{machine}/serialconsole.log", routing::get(metadata::serial_log))
        .with_state(Arc::clone(&app));
    let sign_in = Router::new()
        .route("/adfs/.well-known/openid-configuration", routing::get(token::discovery))
        .route("/adfs/discovery/keys", routing::get(token::keys))
        .route("/adfs/oauth2/token", routing::post(token::token))
        .route("/{tenant}/oauth2/token", routing::post(token::token))
        .route("/{tenant}/oauth2/v2.0/token", routing::post(token::token))
        .with_state(Arc::clone(&tokens));
    let managed = routes::all()
        .0
        .with_state(app)
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(tokens, authenticate));
    public.merge(sign_in).merge(managed).layer(middleware::from_fn(envelope::wrap))
}

/// The routes so far.
#[derive(Default)]
pub(super) struct Table(Router<Arc<App>>);

/// One path of the table, to which verbs are added.
pub(super) struct At<'a> {
    table: &'a mut Table,
    path: String,
    depth: usize,
}

impl Table {
    /// The verbs of a path.
    pub(super) fn at(&mut self, path: &str) -> At<'_> {
        let last = path.rfind('{').unwrap_or_default();
        let depth = path[..last].matches('/').count();
        At { table: self, path: path.to_owned(), depth }
    }

    /// A list that is in nothing.
    pub(super) fn fixed(&mut self, path: &str, list: fn(Arc<App>) -> serde_json::Value) {
        let handler = move |State(app): State<Arc<App>>| async move { Json(list(app)) };
        self.add(path, routing::get(handler));
    }

    fn add(&mut self, path: &str, verb: MethodRouter<Arc<App>>) {
        self.0 = std::mem::take(&mut self.0).route(path, verb);
    }
}

impl At<'_> {
    /// Binds a verb to a noun's function.
    pub(super) fn on<F, Fut>(self, verb: routing::MethodFilter, noun: F) -> Self
    where
        F: Fn(Arc<App>, Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        let depth = self.depth;
        let handler = move |State(app): State<Arc<App>>, request: Request| async move {
            let place = Place::of(&request);
            match answer(&app, request, depth, &place, noun).await {
                Ok(answer) => call::respond(&app, answer, &place),
                Err(problem) => call::refuse(&problem),
            }
        };
        self.table.add(&self.path, routing::on(verb, handler));
        self
    }
}

/// Asks a noun. What it does goes on when the client hangs up: a document that is
/// written must have its packets follow.
async fn answer<F, Fut>(
    app: &Arc<App>,
    request: Request,
    depth: usize,
    place: &Place,
    noun: F,
) -> Result<Answer, Problem>
where
    F: Fn(Arc<App>, Call) -> Fut,
    Fut: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    let call = call::read(app, request, depth, place).await?;
    app.check_subscription(&call.id)?;
    tokio::spawn(noun(Arc::clone(app), call)).await.unwrap_or_else(|error| {
        Err(Problem::Internal { doing: "answer the request", why: error.to_string() })
    })
}

async fn authenticate(
    State(tokens): State<Arc<Tokens>>,
    request: Request,
    next: Next,
) -> Response {
    let authorization =
        request.headers().get("authorization").and_then(|value| value.to_str().ok());
    match tokens.check(authorization) {
        Ok(()) => next.run(request).await,
        Err(problem) => call::refuse(&problem),
    }
}

async fn unknown(request: Request) -> Response {
    let path = request
        .extensions()
        .get::<Spelling>()
        .map_or_else(|| request.uri().path().to_owned(), Spelling::path);
    call::refuse(&Problem::NoSuchRoute { path }).into_response()
}

async fn not_allowed(request: Request) -> Response {
    call::refuse(&Problem::MethodNotAllowed { method: request.method().to_string() })
}
