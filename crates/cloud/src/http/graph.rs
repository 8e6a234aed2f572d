//! Microsoft Graph's paths, under `/graph/v1.0`, behind tokens of its own audience.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde_json::{Value, json};

use super::call;
use super::token::{Audience, Tokens};
use crate::app::{App, Caller, Problem};

/// More than any body here needs.
const BODY_BYTES: usize = 256 * 1024;

type Asked = (State<Arc<App>>, Extension<Caller>);
type Filter = Query<HashMap<String, String>>;

/// The routes.
pub(super) fn router(app: Arc<App>, tokens: Arc<Tokens>) -> Router {
    let routes = Router::new()
        .route("/applications", get(applications).post(create_application))
        .route(
            "/applications/{id}",
            get(application).patch(update_application).delete(delete_application),
        )
        .route("/applications/{id}/addpassword", post(add_password))
        .route("/applications/{id}/removepassword", post(remove_password))
        .route("/applications/{id}/owners", get(nobody))
        .route(
            "/serviceprincipals",
            get(service_principals).post(create_service_principal),
        )
        .route(
            "/serviceprincipals/{id}",
            get(service_principal).delete(delete_service_principal),
        )
        .route("/serviceprincipals/{id}/addpassword", post(add_password))
        .route("/serviceprincipals/{id}/removepassword", post(remove_password))
        .route("/serviceprincipals/{id}/owners", get(nobody))
        .route("/directoryobjects/getbyids", post(directory_objects))
        .route("/organization", get(organization))
        .route("/users", get(nobody))
        .route("/groups", get(nobody))
        .fallback(unknown)
        .with_state(app)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn_with_state(tokens, authenticate));
    Router::new().nest("/graph/v1.0", routes)
}

async fn authenticate(
    State(tokens): State<Arc<Tokens>>,
    mut request: Request,
    next: Next,
) -> Response {
    match tokens.check(request.headers(), Audience::Graph) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => call::refuse(&problem),
    }
}

async fn shown(answer: impl Future<Output = Result<Value, Problem>>) -> Response {
    respond(StatusCode::OK, answer.await)
}

async fn created(answer: impl Future<Output = Result<Value, Problem>>) -> Response {
    respond(StatusCode::CREATED, answer.await)
}

async fn done(answer: impl Future<Output = Result<(), Problem>>) -> Response {
    match answer.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(problem) => call::refuse(&problem),
    }
}

fn respond(status: StatusCode, answer: Result<Value, Problem>) -> Response {
    match answer {
        Ok(body) => (status, Json(body)).into_response(),
        Err(problem) => call::refuse(&problem),
    }
}

fn filter(query: &HashMap<String, String>) -> &str {
    query.get("$filter").map(String::as_str).unwrap_or_default()
}

async fn applications(State(app): State<Arc<App>>, Query(query): Filter) -> Response {
    shown(app.applications(filter(&query))).await
}

async fn application(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    shown(app.application(&id)).await
}

async fn create_application(
    (State(app), Extension(caller)): Asked,
    Json(body): Json<Value>,
) -> Response {
    created(app.create_application(&caller, &body)).await
}

async fn update_application(
    (State(app), Extension(caller)): Asked,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    done(app.update_application(&caller, &id, &body)).await
}

async fn delete_application(
    (State(app), Extension(caller)): Asked,
    Path(id): Path<String>,
) -> Response {
    done(app.delete_application(&caller, &id)).await
}

async fn service_principals(
    State(app): State<Arc<App>>,
    Query(query): Filter,
) -> Response {
    shown(app.service_principals(filter(&query))).await
}

async fn service_principal(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Response {
    shown(app.service_principal(&id)).await
}

async fn create_service_principal(
    (State(app), Extension(caller)): Asked,
    Json(body): Json<Value>,
) -> Response {
    created(app.create_service_principal(&caller, &body)).await
}

async fn delete_service_principal(
    (State(app), Extension(caller)): Asked,
    Path(id): Path<String>,
) -> Response {
    done(app.delete_service_principal(&caller, &id)).await
}

async fn add_password(
    (State(app), Extension(caller)): Asked,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    shown(app.add_password(&caller, &id, &body)).await
}

async fn remove_password(
    (State(app), Extension(caller)): Asked,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    done(app.remove_password(&caller, &id, &body)).await
}

async fn directory_objects(
    State(app): State<Arc<App>>,
    Json(body): Json<Value>,
) -> Response {
    shown(app.directory_objects(&body)).await
}

async fn organization(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.organization())
}

/// A list of users or groups: this directory has none.
async fn nobody() -> Json<Value> {
    Json(json!({ "value": [] }))
}

async fn unknown(request: Request) -> Response {
    let path = request.uri().path().to_owned();
    call::refuse(&Problem::NoSuchRoute { path })
}
