//! All that the server answers on its own address: what anybody may ask, and, behind
//! sign-in and throttling, the [table](super::table) of the nouns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing;

use super::path::Spelling;
use super::token::{Audience, Tokens};
use super::{call, envelope, graph, metadata, routes, sign_in, throttle};
use crate::app::{App, Caller, Problem};

/// Everything that the server answers on its own address.
pub(super) fn router(app: Arc<App>, tokens: Arc<Tokens>) -> Router {
    let public = Router::new()
        .route(
            "/metadata/endpoints",
            routing::get(metadata::endpoints)
                .layer(middleware::from_fn_with_state(Arc::clone(&app), delay)),
        )
        .route("/aliases.json", routing::get(metadata::aliases))
        .route("/blob/{machine}/serialconsole.log", routing::get(metadata::serial_log))
        .with_state(Arc::clone(&app));
    let sign_in = Router::new()
        .route("/adfs/.well-known/openid-configuration", routing::get(sign_in::discovery))
        .route("/adfs/discovery/keys", routing::get(sign_in::keys))
        .route("/adfs/oauth2/token", routing::post(sign_in::token))
        .route(
            "/{tenant}/.well-known/openid-configuration",
            routing::get(sign_in::tenant_discovery),
        )
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            routing::get(sign_in::tenant_discovery),
        )
        .route("/{tenant}/oauth2/token", routing::post(sign_in::tenant_token))
        .route("/{tenant}/oauth2/v2.0/token", routing::post(sign_in::tenant_token))
        .route("/msi/token", routing::get(sign_in::host_by_header))
        .route(
            "/identity/{secret}/metadata/identity/oauth2/token",
            routing::get(sign_in::host_by_path),
        )
        .with_state(Arc::clone(&tokens));
    let managed = routes::all()
        .router
        .with_state(Arc::clone(&app))
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&tokens), authenticate))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), delay));
    let graph = graph::router(app, tokens);
    public
        .merge(sign_in)
        .merge(graph)
        .merge(managed)
        .layer(middleware::from_fn(envelope::wrap))
}

/// The way to Azure is longer than the one to this host, if the weather has it.
async fn delay(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    tokio::time::sleep(app.weather().latency).await;
    next.run(request).await
}

async fn authenticate(
    State(tokens): State<Arc<Tokens>>,
    mut request: Request,
    next: Next,
) -> Response {
    match tokens.check(request.headers(), Audience::Management) {
        Ok(caller) => {
            let kind = throttle::Kind::of(request.method());
            match tokens.throttle.take(&caller.id, kind, Instant::now()) {
                Ok(left) => {
                    request.extensions_mut().insert(caller);
                    let mut response = by_provider(&tokens, request, next).await;
                    let (name, value) = kind.left(left);
                    response.headers_mut().insert(name, value);
                    response
                }
                Err(wait) => throttled(&tokens, &caller, kind, wait),
            }
        }
        Err(problem) => {
            let challenge = format!(
                "Bearer authorization_uri=\"{}/{}\", error=\"invalid_token\", \
                 error_description=\"{}\"",
                tokens.app.endpoint,
                tokens.app.tenant,
                problem.to_string().replace(['"', '\\'], "'"),
            );
            let mut response = call::refuse(&problem);
            if let Ok(challenge) = challenge.parse() {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
    }
}

/// Passes a request on, if the provider of what it is about lets it through.
async fn by_provider(tokens: &Tokens, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let machine = throttle::machine_of(path)
        .filter(|_| request.method() == Method::GET && tokens.app.weather().throttle);
    let Some(machine) = machine else { return next.run(request).await };
    let kind = throttle::Kind::OfMachine;
    let (mut response, left) = match tokens.throttle.take(machine, kind, Instant::now()) {
        Ok(left) => (next.run(request).await, left),
        Err(wait) => {
            let retry_after = throttle::retry_after(wait);
            let seconds = retry_after.to_str().unwrap_or("1").to_owned();
            let problem =
                Problem::ResourceThrottled { policy: throttle::OF_MACHINE, seconds };
            let mut response = call::refuse(&problem);
            response.headers_mut().insert(header::RETRY_AFTER, retry_after);
            (response, 0)
        }
    };
    let (name, value) = kind.left(left);
    response.headers_mut().insert(name, value);
    response
}

fn throttled(
    tokens: &Tokens,
    caller: &Caller,
    kind: throttle::Kind,
    wait: Duration,
) -> Response {
    let retry_after = throttle::retry_after(wait);
    let mut response = call::refuse(&Problem::Throttled {
        kind: kind.word(),
        subscription: tokens.app.subscription.clone(),
        actor: caller.id.clone(),
        seconds: retry_after.to_str().unwrap_or("1").to_owned(),
    });
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, retry_after);
    let (name, value) = kind.left(0);
    headers.insert(name, value);
    response
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
